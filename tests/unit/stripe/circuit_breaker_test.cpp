#include "stripe/circuit_breaker.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::stripe;
using std::chrono::milliseconds;
using State = CircuitBreaker::State;

namespace {

const Timestamp kStart = from_unix_seconds(1'795'228'690);
constexpr BreakerPolicy kPolicy{3, milliseconds{1'000}, milliseconds{5'000}};

CircuitBreaker opened() {
  CircuitBreaker breaker(kPolicy);
  for (int i = 0; i < kPolicy.failures_to_open; ++i) {
    breaker.on_failure(kStart, false);
  }
  REQUIRE(breaker.state(kStart) == State::open);
  return breaker;
}

// Lets the probe through once it is time, and fails it; how long the breaker is open from then on.
milliseconds after_failed_probe(CircuitBreaker& breaker) {
  const auto now = breaker.open_until();
  REQUIRE(breaker.admit(now));
  REQUIRE(breaker.is_probing());
  breaker.on_failure(now, true);
  return std::chrono::duration_cast<milliseconds>(breaker.open_until() - now);
}

}  // namespace

TEST_CASE("it opens after failures in a row, not after as many with a success between") {
  CircuitBreaker breaker(kPolicy);
  for (int i = 0; i < 20; ++i) {
    breaker.on_failure(kStart, false);
    breaker.on_failure(kStart, false);
    CHECK(breaker.admit(kStart));
    CHECK_FALSE(breaker.is_probing());
    breaker.on_success();
  }
  breaker.on_failure(kStart, false);
  breaker.on_failure(kStart, false);
  CHECK(breaker.state(kStart) == State::closed);
  breaker.on_failure(kStart, false);
  CHECK(breaker.state(kStart) == State::open);
  CHECK_FALSE(breaker.admit(kStart));
  CHECK(breaker.open_until() == kStart + kPolicy.open_base);
}

TEST_CASE("half open, only the first that asks is the probe") {
  auto breaker = opened();
  const auto later = breaker.open_until();
  CHECK_FALSE(breaker.admit(later - std::chrono::microseconds(1)));
  CHECK(breaker.state(later) == State::half_open);
  CHECK(breaker.admit(later));
  CHECK_FALSE(breaker.admit(later));
  CHECK_FALSE(breaker.admit(later + std::chrono::hours(1)));
  breaker.on_success();
  CHECK(breaker.state(later) == State::closed);
  CHECK(breaker.admit(later));
  CHECK(breaker.admit(later));
}

TEST_CASE("each probe that fails doubles the time, up to the cap; a success forgets it") {
  auto breaker = opened();
  CHECK(after_failed_probe(breaker) == milliseconds(2'000));
  CHECK(after_failed_probe(breaker) == milliseconds(4'000));
  for (int i = 0; i < 100; ++i) {
    CHECK(after_failed_probe(breaker) == kPolicy.open_cap);
  }
  breaker.on_success();
  const auto now = breaker.open_until();
  for (int i = 0; i < kPolicy.failures_to_open; ++i) {
    CHECK(breaker.state(now) == State::closed);
    breaker.on_failure(now, false);
  }
  CHECK(breaker.open_until() == now + kPolicy.open_base);
}

TEST_CASE("failures of what was on its way do not extend the time, nor end the probe") {
  auto breaker = opened();
  const auto until = breaker.open_until();
  breaker.on_failure(kStart + milliseconds(900), false);
  CHECK(breaker.open_until() == until);
  REQUIRE(breaker.admit(until));
  breaker.on_failure(until + milliseconds(1), false);
  CHECK(breaker.open_until() == until);
  CHECK(breaker.state(until) == State::half_open);
  CHECK_FALSE(breaker.admit(until + milliseconds(2)));  // the probe is still under way
}

TEST_CASE("a probe that tells nothing makes room for the next") {
  auto breaker = opened();
  const auto now = breaker.open_until();
  REQUIRE(breaker.admit(now));
  breaker.on_no_verdict();
  CHECK(breaker.state(now) == State::half_open);
  CHECK(breaker.admit(now));
  CHECK_FALSE(breaker.admit(now));
}
