#include "stripe/rate_limiter.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <vector>

using namespace flexsync;
using namespace flexsync::stripe;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const Timestamp kStart = from_unix_seconds(1'795'228'690);
const std::string kEvents(kMeterEvents);
constexpr RateLimits kLimits;
constexpr auto kTop = Lane::interactive;

// How many calls go out at this moment.
int admitted(RateLimiter& limiter, const std::string& endpoint, Lane lane, Timestamp now) {
  int count = 0;
  while (count < 10'000 && !limiter.admit(endpoint, lane, now)) {
    ++count;
  }
  return count;
}

// From one endpoint after the other, until the whole account's bucket has no more.
int admitted_of_all(RateLimiter& limiter, Lane lane, Timestamp now) {
  int count = 0;
  for (int i = 0; i < 10; ++i) {
    count += admitted(limiter, "GET endpoint_" + std::to_string(i), lane, now);
  }
  return count;
}

struct Step {
  std::int64_t pause;  // microseconds
  int endpoint;
  int lane;
  int limited;  // mostly no 429
};

rc::Gen<std::vector<Step>> any_steps() {
  return rc::gen::container<std::vector<Step>>(rc::gen::apply(
      [](std::int64_t pause, int endpoint, int lane, int limited) {
        return Step{pause, endpoint, lane, limited};
      },
      rc::gen::oneOf(rc::gen::just<std::int64_t>(0), rc::gen::inRange<std::int64_t>(0, 400'000)),
      rc::gen::inRange(0, 4), rc::gen::inRange(0, 4), rc::gen::inRange(0, 30)));
}

// In any interval of length T at most burst + rate * T.
bool within(const std::vector<Timestamp>& sent, std::int64_t per_second) {
  for (std::size_t first = 0; first < sent.size(); ++first) {
    for (std::size_t last = first; last < sent.size(); ++last) {
      const auto span = (sent[last] - sent[first]).count();
      const auto count = static_cast<std::int64_t>(last - first + 1);
      if (count * 1'000'000 > std::max<std::int64_t>(1, per_second / 4) * 1'000'000 + per_second * span) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

TEST_CASE("whatever is asked for, neither the account nor an endpoint gets more than its rate") {
  rc::prop("burst + rate * T in any interval of length T", [](bool live) {
    const RateLimits limits{8, 6, 4, 12};
    RateLimiter limiter(limits, live);
    std::vector<Timestamp> all;
    std::map<std::string, std::vector<Timestamp>> each;
    auto now = kStart;
    for (const auto& step : *any_steps()) {
      now += microseconds(step.pause);
      const auto name = step.endpoint == 0 ? kEvents : "GET endpoint_" + std::to_string(step.endpoint);
      for (int i = 0; i < 3; ++i) {
        const auto ready = limiter.admit(name, static_cast<Lane>(step.lane), now);
        RC_ASSERT(!ready || *ready > now);
        if (!ready) {
          each[name].push_back(now);
          if (name != kEvents || !live) {
            all.push_back(now);
          }
        }
      }
      if (step.limited < 4) {
        limiter.on_limited(name, static_cast<Limited>(step.limited), now);
      }
    }
    RC_ASSERT(within(all, live ? limits.live_per_second : limits.test_per_second));
    for (const auto& [name, sent] : each) {
      const auto own = live ? limits.meter_events_per_second : limits.test_per_second;
      RC_ASSERT(within(sent, name == kEvents ? own : limits.endpoint_per_second));
    }
  });
  rc::prop("asked again at the time it named, it admits", [](int used) {
    TokenBucket bucket(20);
    for (int i = 0; i < used % 20; ++i) {
      bucket.ready_at(0, kStart);
      bucket.take();
    }
    const auto ready = bucket.ready_at(50, kStart);
    RC_ASSERT(bucket.ready_at(50, ready) == ready);
    RC_ASSERT(ready - kStart <= seconds(1));
  });
}

TEST_CASE("live and test mode have their own rates, an endpoint its own beside them") {
  RateLimiter live(kLimits, true);
  CHECK(admitted(live, "GET customers", kTop, kStart) == 5);
  CHECK(admitted(live, "POST customers", kTop, kStart) == 5);
  CHECK(admitted_of_all(live, kTop, kStart) == 10);
  CHECK(admitted_of_all(live, kTop, kStart + seconds(1)) == 20);
  RateLimiter test(kLimits, false);
  CHECK(admitted_of_all(test, kTop, kStart) == 5);
  CHECK(admitted_of_all(test, kTop, kStart + milliseconds(100)) == 2);
  CHECK(admitted_of_all(test, kTop, kStart + std::chrono::hours(24)) == 5);
}

TEST_CASE("a lower lane leaves its reserve to those before it") {
  RateLimiter limiter(kLimits, true);
  CHECK(admitted_of_all(limiter, Lane::bulk, kStart) == 10);
  CHECK(admitted_of_all(limiter, Lane::usage, kStart) == 5);
  CHECK(admitted_of_all(limiter, Lane::sync, kStart) == 3);
  CHECK(admitted_of_all(limiter, Lane::interactive, kStart) == 2);
}

TEST_CASE("a small bucket serves every lane all the same") {
  RateLimiter limiter({1, 1, 1, 1}, true);
  for (int i = 0; i < 4; ++i) {
    CHECK(admitted(limiter, "GET customers", static_cast<Lane>(i), kStart + seconds(i)) == 1);
  }
}

TEST_CASE("live meter events have their own bucket; in test mode they count with all others") {
  RateLimiter live(kLimits, true);
  CHECK(admitted(live, kEvents, kTop, kStart) == 200);
  CHECK(admitted_of_all(live, kTop, kStart) == 20);
  RateLimiter test(kLimits, false);
  CHECK(admitted(test, kEvents, kTop, kStart) == 5);
  CHECK(admitted_of_all(test, kTop, kStart) == 0);
}

TEST_CASE("a call that one bucket refuses takes no token of the other") {
  RateLimiter limiter(kLimits, true);
  CHECK(admitted(limiter, "GET customers", kTop, kStart) == 5);
  for (int i = 0; i < 100; ++i) {
    CHECK(limiter.admit("GET customers", kTop, kStart).has_value());  // its endpoint has none
  }
  CHECK(admitted_of_all(limiter, kTop, kStart) == 15);
  for (int i = 0; i < 100; ++i) {
    CHECK(limiter.admit("POST customers", kTop, kStart).has_value());  // the account has none
  }
  CHECK(admitted(limiter, "POST customers", kTop, kStart + milliseconds(250)) == 5);
}

TEST_CASE("a 429 halves the rate it was about, which recovers") {
  TokenBucket bucket(80);
  bucket.slow_down(kStart);
  CHECK(bucket.rate() == 40);
  CHECK(bucket.ready_at(0, kStart) == kStart + milliseconds(25));  // and the rest of the burst is gone
  bucket.slow_down(kStart);
  CHECK(bucket.rate() == 20);
  bucket.ready_at(0, kStart + milliseconds(999));
  CHECK(bucket.rate() == 20);
  bucket.ready_at(0, kStart + milliseconds(1'500));
  CHECK(bucket.rate() == 24);
  bucket.ready_at(0, kStart + milliseconds(2'000));
  CHECK(bucket.rate() == 28);
  bucket.ready_at(0, kStart + seconds(20));
  CHECK(bucket.rate() == 80);
  for (int i = 0; i < 20; ++i) {
    bucket.slow_down(kStart + seconds(30));
  }
  CHECK(bucket.rate() == 1);
  bucket.ready_at(0, kStart + std::chrono::hours(10));
  CHECK(bucket.rate() == 80);
}

TEST_CASE("only the rate that was too high is lowered") {
  RateLimiter limiter(kLimits, true);
  const auto later = kStart + milliseconds(100);
  SECTION("an endpoint's") {
    limiter.on_limited("GET customers", Limited::endpoint, kStart);
    CHECK(admitted(limiter, "GET customers", kTop, later) == 1);
    CHECK(admitted(limiter, "POST customers", kTop, later) == 5);
  }
  SECTION("the account's") {
    limiter.on_limited("GET customers", Limited::whole, kStart);
    CHECK(admitted_of_all(limiter, kTop, later) == 4);
    CHECK(admitted(limiter, kEvents, kTop, later) == 200);
  }
  SECTION("the meter events' own") {
    limiter.on_limited(kEvents, Limited::whole, kStart);
    CHECK(admitted(limiter, kEvents, kTop, later) == 40);
    CHECK(admitted_of_all(limiter, kTop, later) == 20);
  }
  SECTION("one object's: none") {
    limiter.on_limited("GET customers", Limited::object, kStart);
    CHECK(admitted(limiter, "GET customers", kTop, later) == 5);
    CHECK(admitted_of_all(limiter, kTop, later) == 15);
  }
}

TEST_CASE("a clock that is set back brings no tokens and holds nobody up") {
  RateLimiter limiter(kLimits, false);
  CHECK(admitted_of_all(limiter, kTop, kStart) == 5);
  const auto back = kStart - std::chrono::hours(1);
  CHECK(admitted_of_all(limiter, kTop, back) == 0);
  CHECK(admitted_of_all(limiter, kTop, back + milliseconds(150)) == 3);
  limiter.on_limited("GET customers", Limited::whole, kStart);
  CHECK(admitted_of_all(limiter, kTop, back) == 0);
  CHECK(admitted_of_all(limiter, kTop, back + seconds(30)) > 0);
  CHECK(admitted_of_all(limiter, kTop, back + seconds(60)) == 5);
}

TEST_CASE("more endpoints than it remembers are limited together all the same") {
  RateLimiter limiter(kLimits, true);
  int count = 0;
  for (int i = 0; i < 1'000; ++i) {
    count += limiter.admit("GET endpoint_" + std::to_string(i), kTop, kStart) ? 0 : 1;
  }
  CHECK(count == 20);
}
