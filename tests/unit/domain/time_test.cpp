#include "domain/time.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>

#include "domain/clock.hpp"

using namespace flexsync;

TEST_CASE("a time prints as RFC 3339 in UTC, with a fraction only when there is one") {
  CHECK(to_rfc3339(from_unix_seconds(0)) == "1970-01-01T00:00:00Z");
  CHECK(to_rfc3339(from_unix_seconds(1'795'228'680)) == "2026-11-21T02:38:00Z");
  CHECK(to_rfc3339(from_unix_micros(1'795'228'680'000'001)) == "2026-11-21T02:38:00.000001Z");
  CHECK(to_rfc3339(from_unix_micros(-1)) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("every form that RFC 3339 allows is read") {
  const auto expected = from_unix_seconds(1'795'228'680);
  CHECK(parse_rfc3339("2026-11-21T02:38:00Z") == expected);
  CHECK(parse_rfc3339("2026-11-21t02:38:00z") == expected);
  CHECK(parse_rfc3339("2026-11-21 02:38:00Z") == expected);
  CHECK(parse_rfc3339("2026-11-21T04:38:00+02:00") == expected);
  CHECK(parse_rfc3339("2026-11-20T21:08:00-05:30") == expected);
  CHECK(parse_rfc3339("2026-11-21T02:38:00.000Z") == expected);
  CHECK(parse_rfc3339("2026-11-21T02:37:60Z") == expected);
  CHECK(parse_rfc3339("2026-11-21T02:38:00.5Z") == expected + std::chrono::milliseconds(500));
  CHECK(parse_rfc3339("2026-11-21T02:38:00.1234567Z") == expected + std::chrono::microseconds(123'456));
  CHECK(parse_rfc3339("2024-02-29T00:00:00Z").has_value());
}

TEST_CASE("what is not a time is not read") {
  const auto* text =
      GENERATE("", "now", "2026-11-21", "2026-11-21T02:38:00", "2026-11-21T02:38Z", "2026-13-21T02:38:00Z",
               "2026-00-21T02:38:00Z", "2026-02-30T02:38:00Z", "2025-02-29T02:38:00Z", "2026-11-21T24:00:00Z",
               "2026-11-21T02:60:00Z", "2026-11-21T02:38:61Z", "2026-11-21T02:38:00.Z", "2026-11-21T02:38:00+0200",
               "2026-11-21T02:38:00+24:00", "2026-11-21T02:38:00Zx", " 2026-11-21T02:38:00Z", "2026-1-21T02:38:00Z",
               "+026-11-21T02:38:00Z", "2026-11-21X02:38:00Z", "2026-11-21T02:38:00,5Z");
  CAPTURE(text);
  CHECK_FALSE(parse_rfc3339(text).has_value());
}

TEST_CASE("any time survives being printed and read") {
  rc::prop("parse(print(t)) == t", [] {
    const auto year_9999 = 253'402'300'800'000'000;
    const auto time = from_unix_micros(*rc::gen::inRange<std::int64_t>(-62'135'596'800'000'000, year_9999));
    RC_ASSERT(parse_rfc3339(to_rfc3339(time)) == time);
  });
}

TEST_CASE("seconds are cut off downwards, also before 1970") {
  CHECK(to_unix_seconds(from_unix_micros(1'999'999)) == 1);
  CHECK(to_unix_seconds(from_unix_micros(-1)) == -1);
}

TEST_CASE("a manual clock moves only when it is told to") {
  ManualClock clock(from_unix_seconds(100));
  CHECK(clock.now() == from_unix_seconds(100));
  clock.advance(std::chrono::seconds(5));
  CHECK(clock.now() == from_unix_seconds(105));
  clock.set(from_unix_seconds(7));
  CHECK(clock.now() == from_unix_seconds(7));
}

TEST_CASE("the system clock goes forward") {
  const SystemClock clock;
  const auto first = clock.now();
  CHECK(first > from_unix_seconds(1'700'000'000));
  CHECK(clock.now() >= first);
}
