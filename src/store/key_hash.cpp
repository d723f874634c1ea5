#include "store/key_hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <stdexcept>

namespace flexsync::store {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::string_view kApiKeyPrefix = "sk_fs_";

}  // namespace

std::string key_hash(const Secret& api_key) {
  return sha256_hex(api_key.reveal());
}

Secret new_random_key(std::string_view prefix) {
  std::array<unsigned char, kKeyBytes> bytes{};
  std::array<unsigned char, 45> encoded{};  // 44 characters of base64 and a closing zero
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random numbers");
  }
  EVP_EncodeBlock(encoded.data(), bytes.data(), static_cast<int>(bytes.size()));
  std::string text(prefix);
  for (const unsigned char c : encoded) {
    if (c == '=' || c == '\0') {
      break;
    }
    text += c == '+' ? '-' : c == '/' ? '_' : static_cast<char>(c);
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
  OPENSSL_cleanse(encoded.data(), encoded.size());
  return Secret(std::move(text));
}

Secret new_api_key() {
  return new_random_key(kApiKeyPrefix);
}

}  // namespace flexsync::store
