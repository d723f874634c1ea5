#include "stripe/http_date.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::stripe;

TEST_CASE("a Date header is read to the second") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == from_unix_seconds(784'111'777));
  CHECK(parse_http_date("Sat, 21 Nov 2026 02:38:00 GMT") == from_unix_seconds(1'795'228'680));
  CHECK(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT") == from_unix_seconds(1'709'164'800));
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == from_unix_seconds(1'483'228'800));  // a leap second
}

TEST_CASE("anything else is no date") {
  const auto* text =
      GENERATE("", "now", "2026-11-21T02:38:00Z", "Sat, 31 Feb 2026 02:38:00 GMT", "Sun, 29 Feb 2026 02:38:00 GMT",
               "Sat, 21 Nov 2026 24:00:00 GMT", "Sat, 21 Nov 2026 02:60:00 GMT", "Sat, 21 Nov 2026 02:38:61 GMT",
               "Sat, 21 Foo 2026 02:38:00 GMT", "Sat, 21 Nov 2026 02:38:00 CET", "Sat, x1 Nov 2026 02:38:00 GMT",
               "Sat, -1 Nov 2026 02:38:00 GMT", "Sat, 21 Nov 2026 +2:38:00 GMT", "Sat, 21 Nov 2026 02:38:00 GMT ",
               "Saturday, 21-Nov-26 02:38:00 GMT", "Sat Nov 21 02:38:00 2026");
  CAPTURE(text);
  CHECK_FALSE(parse_http_date(text).has_value());
}
