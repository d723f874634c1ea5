#include "stripe/retry_policy.hpp"

#include <algorithm>
#include <random>

namespace flexsync::stripe {

namespace {

using std::chrono::milliseconds;

milliseconds exponential(const RetryPolicies& policies, int retries, std::uint64_t seed) {
  const auto full = std::min(policies.rate_limited_cap.count(), policies.rate_limited_base.count() << retries);
  std::mt19937_64 random(seed * 31 + static_cast<std::uint64_t>(retries));
  std::uniform_int_distribution<std::int64_t> jitter(0, full - full / 2);
  return milliseconds(full / 2 + jitter(random));
}

}  // namespace

std::optional<milliseconds> retry_after(const RetryPolicies& policies, const Verdict& verdict, int retries,
                                        std::uint64_t seed) {
  std::optional<milliseconds> pause;
  if (verdict.repeat == Repeat::rate_limited && retries < policies.rate_limited_max) {
    pause = exponential(policies, retries, seed);
  } else if (verdict.repeat == Repeat::same_again && retries < policies.same_again_max) {
    pause = policies.same_again_step * (retries + 1);
  }
  if (pause && verdict.retry_after) {
    pause = std::max<milliseconds>(*pause, *verdict.retry_after);
  }
  return pause;
}

}  // namespace flexsync::stripe
