#include "sync/ordering.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::sync;

namespace {

Timestamp at(std::int64_t second) {
  return from_unix_seconds(second);
}

}  // namespace

TEST_CASE("an event below the shadow's interval is superseded, above it newer, within it a tie") {
  const TrueInterval shadow{at(10), at(12)};
  CHECK(order(shadow, at(9)) == Order::superseded);
  CHECK(order(shadow, at(10)) == Order::tied);
  CHECK(order(shadow, at(11)) == Order::tied);
  CHECK(order(shadow, at(12)) == Order::tied);
  CHECK(order(shadow, at(13)) == Order::newer);
}

TEST_CASE("an event's interval is the second of its creation: another one of that second is a tie") {
  const TrueInterval shadow{at(10), at(10)};
  CHECK(order(shadow, at(9)) == Order::superseded);
  CHECK(order(shadow, at(10)) == Order::tied);
  CHECK(order(shadow, at(11)) == Order::newer);
}

TEST_CASE("a fetched state is never older than what was known before it was asked for") {
  CHECK(later({at(10), at(10)}, {at(8), at(11)}) == TrueInterval{at(10), at(11)});
  CHECK(later({at(10), at(20)}, {at(8), at(11)}) == TrueInterval{at(10), at(20)});
  CHECK(later({at(5), at(6)}, {at(8), at(11)}) == TrueInterval{at(8), at(11)});
}

TEST_CASE("order: properties") {
  rc::prop("later() is an interval and moves neither end back", [] {
    const auto interval = [] {
      const auto from = *rc::gen::inRange(0, 50);
      return TrueInterval{at(from), at(from + *rc::gen::inRange(0, 10))};
    };
    const auto known = interval();
    const auto fetched = interval();
    const auto result = later(known, fetched);
    RC_ASSERT(result.from <= result.to);
    RC_ASSERT(result.from >= known.from && result.to >= known.to);
  });
  rc::prop("an event that was newer than a state is not superseded by it", [] {
    const TrueInterval shadow{at(*rc::gen::inRange(0, 50)), at(*rc::gen::inRange(50, 60))};
    const auto created = at(*rc::gen::inRange(0, 70));
    const auto verdict = order(shadow, created);
    RC_ASSERT((verdict == Order::superseded) == (created < shadow.from));
    RC_ASSERT((verdict == Order::newer) == (created > shadow.to));
  });
}
