// How often and when a call is made again, by what became of it. Pure: the jitter comes from a seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "stripe/classify.hpp"

namespace flexsync::stripe {

struct RetryPolicies {
  int rate_limited_max = 5;
  std::chrono::milliseconds rate_limited_base{500};  // doubles, of which the second half is random
  std::chrono::milliseconds rate_limited_cap{16'000};
  int same_again_max = 3;
  std::chrono::milliseconds same_again_step{1'000};  // 1 s, 2 s, 3 s
};

// The pause before the next attempt, after `retries` of them were made; nothing: it was the last.
std::optional<std::chrono::milliseconds> retry_after(const RetryPolicies& policies, const Verdict& verdict, int retries,
                                                     std::uint64_t seed);

}  // namespace flexsync::stripe
