#include "stripe/retry_policy.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <set>

using namespace flexsync;
using namespace flexsync::stripe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr RetryPolicies kPolicies;

std::optional<milliseconds> pause(Repeat repeat, int retries, std::optional<seconds> wanted = {},
                                  std::uint64_t seed = 1) {
  const Verdict verdict{RetryLater{"", {}}, repeat, wanted};
  return retry_after(kPolicies, verdict, retries, seed);
}

}  // namespace

TEST_CASE("what is final is not made again, whatever Retry-After says") {
  CHECK_FALSE(pause(Repeat::never, 0));
  CHECK_FALSE(pause(Repeat::never, 0, seconds(5)));
}

TEST_CASE("the same again: three times, a second longer each time") {
  CHECK(pause(Repeat::same_again, 0) == milliseconds(1'000));
  CHECK(pause(Repeat::same_again, 1) == milliseconds(2'000));
  CHECK(pause(Repeat::same_again, 2) == milliseconds(3'000));
  CHECK_FALSE(pause(Repeat::same_again, 3));
  CHECK_FALSE(pause(Repeat::same_again, 4));
}

TEST_CASE("told off by the rate limiter: five times, doubling, the second half random") {
  rc::prop("within its bounds, and the same for the same seed", [](std::uint64_t seed) {
    for (int retries = 0; retries < kPolicies.rate_limited_max; ++retries) {
      const auto full = std::min(kPolicies.rate_limited_base * (1 << retries), kPolicies.rate_limited_cap);
      const auto one = pause(Repeat::rate_limited, retries, {}, seed);
      RC_ASSERT(one.has_value());
      RC_ASSERT(*one >= full / 2);
      RC_ASSERT(*one <= full);
      RC_ASSERT(one == pause(Repeat::rate_limited, retries, {}, seed));
    }
    RC_ASSERT_FALSE(pause(Repeat::rate_limited, kPolicies.rate_limited_max, {}, seed).has_value());
  });
  std::set<milliseconds> pauses;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    pauses.insert(*pause(Repeat::rate_limited, 3, {}, seed));
  }
  CHECK(pauses.size() > 50);
}

TEST_CASE("the cap holds however many retries there are") {
  RetryPolicies many = kPolicies;
  many.rate_limited_max = 20;
  const Verdict limited{RetryLater{"", {}}, Repeat::rate_limited};
  for (int retries = 6; retries < 20; ++retries) {
    CHECK(retry_after(many, limited, retries, 1) >= many.rate_limited_cap / 2);
    CHECK(retry_after(many, limited, retries, 1) <= many.rate_limited_cap);
  }
}

TEST_CASE("Retry-After is a minimum") {
  CHECK(pause(Repeat::same_again, 0, seconds(0)) == milliseconds(1'000));
  CHECK(pause(Repeat::same_again, 0, seconds(30)) == milliseconds(30'000));
  CHECK(pause(Repeat::rate_limited, 0, seconds(30)) == milliseconds(30'000));
  CHECK(pause(Repeat::rate_limited, 4, seconds(1)) >= milliseconds(4'000));
  CHECK_FALSE(pause(Repeat::same_again, 3, seconds(1)));
}
