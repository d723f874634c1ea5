#include "store/key_ring.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <stdexcept>

namespace flexsync::store {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kEncodedSize = 44;  // 43 characters and one "="
constexpr std::size_t kIdSizeMax = 64;

std::string encode(std::string_view bytes) {
  std::array<unsigned char, kEncodedSize + 1> buffer{};
  EVP_EncodeBlock(buffer.data(), reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  std::string text(reinterpret_cast<const char*>(buffer.data()), kEncodedSize);
  OPENSSL_cleanse(buffer.data(), buffer.size());
  return text;
}

// Exactly the base64 of 32 bytes; OpenSSL's decoder forgives too much, so what it read is written again and compared.
std::optional<Secret> decode(std::string_view text) {
  if (text.size() != kEncodedSize) {
    return std::nullopt;
  }
  std::array<unsigned char, 33> buffer{};
  const int size = EVP_DecodeBlock(buffer.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  Secret bytes(std::string(reinterpret_cast<const char*>(buffer.data()), kKeyBytes));
  OPENSSL_cleanse(buffer.data(), buffer.size());
  const Secret again(encode(bytes.reveal()));
  return size == 33 && again.reveal() == text ? std::optional(bytes) : std::nullopt;
}

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= kIdSizeMax && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

Result<KeyRing> KeyRing::parse(const Secret& text) {
  KeyRing ring;
  const std::string_view all = text.reveal();
  for (std::size_t start = 0, number = 1; start <= all.size(); ++number) {
    const std::size_t comma = std::min(all.find(',', start), all.size());
    const std::string_view entry = trimmed(all.substr(start, comma - start));
    start = comma + 1;
    const std::size_t colon = entry.find(':');
    const std::string where = "master_key: key " + std::to_string(number);
    if (colon == std::string_view::npos || !is_id(entry.substr(0, colon))) {
      return fail(ErrorCode::validation_error,
                  where + " must be id:base64 of 32 bytes, the id of letters, digits, - _ . (openssl rand -base64 32)");
    }
    const std::string id(entry.substr(0, colon));
    auto bytes = decode(entry.substr(colon + 1));
    if (!bytes) {
      return fail(ErrorCode::validation_error, where + " (" + id +
                                                   ") is not the base64 of 32 bytes after its colon: "
                                                   "make one by openssl rand -base64 32");
    }
    if (ring.find(id) != nullptr) {
      return fail(ErrorCode::validation_error, where + " has the id " + id + " of another: give each its own");
    }
    ring.keys_.push_back({id, std::move(*bytes)});
  }
  return ring;
}

const MasterKey* KeyRing::find(std::string_view id) const {
  const auto at = std::find_if(keys_.begin(), keys_.end(), [&](const MasterKey& key) { return key.id == id; });
  return at == keys_.end() ? nullptr : &*at;
}

Secret new_master_key(std::string_view id) {
  std::string bytes(kKeyBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random numbers");
  }
  const Secret wiped(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return Secret(std::string(id) + ":" + encode(wiped.reveal()));
}

}  // namespace flexsync::store
