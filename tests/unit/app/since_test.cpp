#include "app/since.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::app;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const Timestamp kNow = from_unix_seconds(1'795'000'000);

std::string error_of(const std::string& text) {
  const auto since = parse_since(text, kNow);
  REQUIRE_FALSE(since);
  CHECK(since.error().code == ErrorCode::validation_error);
  return since.error().message;
}

}  // namespace

TEST_CASE("since is a time, or how long ago") {
  CHECK(parse_since("3d", kNow) == kNow - 72h);
  CHECK(parse_since("36h", kNow) == kNow - 36h);
  CHECK(parse_since("90m", kNow) == kNow - 90min);
  CHECK(parse_since("0m", kNow) == kNow);
  CHECK(parse_since(to_rfc3339(kNow - 5s), kNow) == kNow - 5s);
  CHECK(parse_since("30d", kNow) == kNow - 720h);
}

TEST_CASE("a time beyond what Stripe lists, or still to come, is refused with the reason") {
  CHECK_THAT(error_of("31d"), Contains("30 days"));
  CHECK_THAT(error_of("721h"), Contains("30 days"));
  CHECK_THAT(error_of("1000000d"), Contains("30 days"));
  CHECK_THAT(error_of("1970-01-01T00:00:00Z"), Contains("30 days"));
  CHECK_THAT(error_of(to_rfc3339(kNow + 1s)), Contains("still to come"));
}

TEST_CASE("what is no time is refused with what it should be") {
  for (const std::string text :
       {"", "d", "3", "3w", "-3d", "3 d", "d3", "1.5d", "99999999999d", "1000001d", "yesterday", "2026-11-18"}) {
    CAPTURE(text);
    CHECK_THAT(error_of(text), Contains("3d"));
  }
}
