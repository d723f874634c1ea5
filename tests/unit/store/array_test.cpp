#include "store/array.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::store;

TEST_CASE("a time that is not known is NULL, beside those that are", "[array]") {
  ArrayLiteral times;
  times.add(std::optional<Timestamp>{});
  times.add(std::optional(from_unix_micros(1'795'000'000'123'457)));
  times.add(std::optional<Timestamp>{});
  CHECK(times.take() == "{NULL,1795000000123457,NULL}");
}

TEST_CASE("texts of any kind become one array, also inside another", "[array]") {
  CHECK(text_array({}) == "{}");
  CHECK(text_array({"a", "", "NULL", "{b,\"c\\"}) == R"({"a","","NULL","{b,\"c\\"})");
  CHECK(text_array({text_array({"a", "\""})}) == R"({"{\"a\",\"\\\"\"}"})");
}
