#include "domain/ulid.hpp"

#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>

namespace flexsync {

namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kLength = 26;

struct Entropy {
  std::uint16_t high;
  std::uint64_t low;
};

// What the last id was, and where the next one's randomness comes from.
struct Source {
  std::mutex mutex;
  std::uint64_t last_milliseconds = 0;
  Entropy last{};
  std::optional<std::mt19937_64> seeded;
};

Source& source() {
  static Source the_source;
  return the_source;
}

Entropy random_entropy(std::optional<std::mt19937_64>& seeded) {
  if (seeded) {
    return {static_cast<std::uint16_t>((*seeded)() & 0x7FFF), (*seeded)()};
  }
  std::array<unsigned char, 10> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("the system's random generator failed");
  }
  // The top bit stays free, so that counting up within a millisecond cannot overflow.
  Entropy entropy{static_cast<std::uint16_t>(((bytes[0] & 0x7F) << 8) | bytes[1]), 0};
  for (std::size_t i = 2; i < bytes.size(); ++i) {
    entropy.low = (entropy.low << 8) | bytes[i];
  }
  return entropy;
}

std::string encode(std::uint64_t milliseconds, Entropy entropy) {
  std::string text(kLength, '0');
  for (std::size_t i = 10; i-- > 0; milliseconds >>= 5) {
    text[i] = kAlphabet[milliseconds & 31];
  }
  for (std::size_t i = kLength; i-- > 10;) {
    text[i] = kAlphabet[entropy.low & 31];
    entropy.low = (entropy.low >> 5) | (static_cast<std::uint64_t>(entropy.high & 31) << 59);
    entropy.high = static_cast<std::uint16_t>(entropy.high >> 5);
  }
  return text;
}

}  // namespace

std::string new_ulid(Timestamp now) {
  auto& [mutex, last_milliseconds, last, seeded] = source();
  const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  auto milliseconds = static_cast<std::uint64_t>(since_epoch);
  const std::lock_guard lock(mutex);
  if (milliseconds <= last_milliseconds) {
    milliseconds = last_milliseconds;
    last.high = static_cast<std::uint16_t>(last.high + (++last.low == 0 ? 1 : 0));
  } else {
    last_milliseconds = milliseconds;
    last = random_entropy(seeded);
  }
  return encode(milliseconds, last);
}

void draw_ulids_from(std::uint64_t seed) {
  auto& [mutex, last_milliseconds, last, seeded] = source();
  const std::lock_guard lock(mutex);
  seeded.emplace(seed);
  last_milliseconds = 0;
}

std::string new_id_text(std::string_view prefix, Timestamp now) {
  return std::string(prefix) + "_" + new_ulid(now);
}

bool has_id_form(std::string_view prefix, std::string_view text) {
  return text.size() == prefix.size() + 1 + kLength && text.starts_with(prefix) && text[prefix.size()] == '_' &&
         text.find_first_not_of(kAlphabet, prefix.size() + 1) == std::string_view::npos;
}

}  // namespace flexsync
