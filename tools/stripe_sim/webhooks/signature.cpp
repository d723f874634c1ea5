#include "stripe_sim/webhooks/signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>

namespace stripe_sim {

namespace {

std::string hmac_sha256_hex(const std::string& key, const std::string& message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, message.size(), digest.data(), &length) ==
      nullptr) {
    throw std::runtime_error("OpenSSL could not compute an HMAC");
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex.push_back(kDigits[digest[i] >> 4]);
    hex.push_back(kDigits[digest[i] & 15]);
  }
  return hex;
}

}  // namespace

std::string signature_header(const std::vector<std::string>& secrets, std::int64_t unix_seconds,
                             const std::string& body) {
  const std::string time = std::to_string(unix_seconds);
  std::string header = "t=" + time;
  const std::string signed_text = time + "." + body;
  for (const std::string& secret : secrets) {
    header += ",v1=" + hmac_sha256_hex(secret, signed_text);
  }
  return header;
}

}  // namespace stripe_sim
