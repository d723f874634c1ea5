// Every random choice of the simulator comes from here, and so from the seed.
//
// One generator shared by everything would tie all choices together: one more read request, or a retry a millisecond
// earlier, and every later id is another. So each choice is a hash of the seed and of what is being chosen: the ids of
// a kind depend only on how many of that kind were made, a delivery's fate only on its event, endpoint and attempt.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace stripe_sim {

std::uint64_t mix(std::uint64_t seed, std::string_view what);

// 0 <= x < 1
double chance(std::uint64_t seed, std::string_view what);

// Characters chosen by (seed, what). `capitals` leaves the lower-case letters out.
std::string random_text(std::uint64_t seed, std::string_view what, std::size_t length, bool capitals = false);

class IdMint {
 public:
  explicit IdMint(std::uint64_t seed) : seed_(seed) {}

  std::uint64_t seed() const { return seed_; }

  // "<prefix><length characters>", unique per prefix. Not thread-safe: the simulator's lock guards it.
  std::string mint(const std::string& prefix, std::size_t length);

 private:
  std::uint64_t seed_;
  std::map<std::string, std::uint64_t> minted_;
};

}  // namespace stripe_sim
