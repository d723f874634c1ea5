#include "stripe_sim/random.hpp"

namespace stripe_sim {

namespace {

constexpr std::string_view kCapitals = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// SplitMix64: a full-period generator whose output function also serves as a finalising hash.
std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t value = (state += 0x9E3779B97F4A7C15ULL);
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

}  // namespace

std::uint64_t mix(std::uint64_t seed, std::string_view what) {
  std::uint64_t state = seed;
  std::uint64_t hash = split_mix(state) ^ 0xCBF29CE484222325ULL;
  for (const char c : what) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return split_mix(hash);
}

double chance(std::uint64_t seed, std::string_view what) {
  return static_cast<double>(mix(seed, what) >> 11) / static_cast<double>(1ULL << 53);
}

std::string random_text(std::uint64_t seed, std::string_view what, std::size_t length, bool capitals) {
  const std::string_view alphabet = capitals ? kCapitals : kLetters;
  std::uint64_t state = mix(seed, what);
  std::string text(length, '0');
  for (char& c : text) {
    c = alphabet[split_mix(state) % alphabet.size()];
  }
  return text;
}

std::string IdMint::mint(const std::string& prefix, std::size_t length) {
  const std::uint64_t number = minted_[prefix]++;
  return prefix + random_text(seed_, prefix + std::to_string(number), length);
}

}  // namespace stripe_sim
