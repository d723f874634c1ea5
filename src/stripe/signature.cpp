#include "stripe/signature.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "stripe/text.hpp"

namespace flexsync::stripe {

namespace {

constexpr std::size_t kDigestBytes = 32;
constexpr std::int64_t kSecondsMax = 253402300799;  // the end of the year 9999

using Digest = std::array<unsigned char, kDigestBytes>;

// Fetching the algorithm costs more than hashing a small body, so each thread keeps its context.
class HmacSha256 {
 public:
  HmacSha256() : mac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr), &EVP_MAC_free) {
    context_.reset(mac_ ? EVP_MAC_CTX_new(mac_.get()) : nullptr);
    char digest_name[] = "SHA256";
    const std::array<OSSL_PARAM, 2> params = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
                                              OSSL_PARAM_construct_end()};
    check(context_ && EVP_MAC_CTX_set_params(context_.get(), params.data()) == 1);
  }

  // Over "<time>.<body>", without joining them: bodies are large.
  Digest operator()(std::string_view key, std::string_view time, std::string_view body) {
    check(EVP_MAC_init(context_.get(), bytes(key), key.size(), nullptr) == 1);
    for (const auto part : {time, std::string_view("."), body}) {
      check(EVP_MAC_update(context_.get(), bytes(part), part.size()) == 1);
    }
    Digest digest{};
    std::size_t length = 0;
    check(EVP_MAC_final(context_.get(), digest.data(), &length, digest.size()) == 1 && length == digest.size());
    return digest;
  }

 private:
  static const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }

  static void check(bool ok) {
    if (!ok) {
      throw std::runtime_error("OpenSSL cannot compute HMAC-SHA256");
    }
  }

  std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac_;
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context_{nullptr, &EVP_MAC_CTX_free};
};

Digest hmac(std::string_view key, std::string_view time, std::string_view body) {
  thread_local HmacSha256 compute;
  return compute(key, time, body);
}

struct Header {
  std::string_view time_text;
  std::int64_t time = 0;
  std::vector<Digest> signatures;
};

std::optional<unsigned char> hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned char>(c - '0');
  }
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') {
    return static_cast<unsigned char>(lower - 'a' + 10);
  }
  return std::nullopt;
}

std::optional<Digest> parse_hex(std::string_view text) {
  if (text.size() != 2 * kDigestBytes) {
    return std::nullopt;
  }
  Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const auto high = hex_digit(text[2 * i]);
    const auto low = hex_digit(text[2 * i + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    digest[i] = static_cast<unsigned char>((*high << 4) | *low);
  }
  return digest;
}

tl::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::validation_error, "Stripe-Signature: " + why, {{"Stripe-Signature", why}});
}

Result<std::int64_t> parse_time(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure != std::errc{} || end != text.data() + text.size() || seconds < 0 || seconds > kSecondsMax) {
    return refuse("t is not a time in unix seconds");
  }
  return seconds;
}

Result<Header> parse_header(std::string_view text) {
  if (trimmed(text).empty()) {
    return refuse("the header is missing");
  }
  Header header;
  std::size_t entries = 0;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    more = comma != std::string_view::npos;
    const auto entry = trimmed(text.substr(0, comma));
    text = more ? text.substr(comma + 1) : std::string_view();
    if (++entries > kSignatureEntriesMax) {
      return refuse("more than " + std::to_string(kSignatureEntriesMax) + " entries");
    }
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos || entry.find('=', equals + 1) != std::string_view::npos) {
      return refuse("an entry is not of the form name=value");
    }
    const auto name = entry.substr(0, equals);
    const auto value = entry.substr(equals + 1);
    if (name == "t") {
      const auto time = parse_time(value);
      if (!time) {
        return tl::unexpected(time.error());
      }
      if (!header.time_text.empty()) {
        return refuse("t is given twice");
      }
      header.time_text = value;
      header.time = *time;
    } else if (name == "v1") {
      if (const auto digest = parse_hex(value)) {
        header.signatures.push_back(*digest);
      }
    }
  }
  if (header.time_text.empty()) {
    return refuse("t is missing");
  }
  if (header.signatures.empty()) {
    return refuse("no v1 signature of 64 hexadecimal digits");
  }
  return header;
}

// Looks at every pair, matched or not: how long it takes says nothing about where a match was.
bool any_match(const Header& header, std::string_view body, std::span<const Secret> secrets) {
  bool matched = false;
  for (const auto& secret : secrets) {
    if (secret.empty()) {
      continue;  // anybody can sign with an empty key
    }
    const auto expected = hmac(secret.reveal(), header.time_text, body);
    for (const auto& given : header.signatures) {
      matched |= CRYPTO_memcmp(expected.data(), given.data(), expected.size()) == 0;
    }
  }
  return matched;
}

}  // namespace

Result<void> verify_signature(std::string_view header_text, std::string_view body, std::span<const Secret> secrets,
                              Timestamp now, std::chrono::seconds tolerance) {
  const auto header = parse_header(header_text);
  if (!header) {
    return tl::unexpected(header.error());
  }
  const auto age = now - from_unix_seconds(header->time);
  if (age > tolerance) {
    return refuse("t is more than " + std::to_string(tolerance.count()) + " s in the past");
  }
  if (-age > tolerance) {
    return refuse("t is more than " + std::to_string(tolerance.count()) + " s in the future");
  }
  if (std::all_of(secrets.begin(), secrets.end(), [](const Secret& secret) { return secret.empty(); })) {
    return refuse("no signing secret is configured for this address");
  }
  if (!any_match(*header, body, secrets)) {
    return refuse("no signature matches the body; is it the signing secret of this endpoint, and the body unchanged?");
  }
  return {};
}

std::string sign(std::string_view body, const Secret& secret, Timestamp at) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto time = std::to_string(to_unix_seconds(at));
  std::string header = "t=" + time + ",v1=";
  for (const auto byte : hmac(secret.reveal(), time, body)) {
    header += digits[byte >> 4];
    header += digits[byte & 15];
  }
  return header;
}

}  // namespace flexsync::stripe
