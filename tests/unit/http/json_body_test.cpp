#include "http/json_body.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace flexsync::test {

using http::Details;
using http::FieldReader;
using http::nests_deeper_than;
using http::parse_json_object;

TEST_CASE("depth is counted outside of strings", "[http][json]") {
  CHECK_FALSE(nests_deeper_than(R"({"a":[1]})", 2));
  CHECK(nests_deeper_than(R"({"a":[1]})", 1));
  CHECK_FALSE(nests_deeper_than(R"({"a":"[[[\"[[[\\"})", 1));
  CHECK_FALSE(nests_deeper_than("[][][][]", 1));
  CHECK(nests_deeper_than(std::string(1'000'000, '['), 64));
}

TEST_CASE("a body at the depth limit is read, one beyond is not", "[http][json]") {
  const auto nested = [](int arrays) {
    const auto n = static_cast<std::size_t>(arrays);
    return "{\"a\":" + std::string(n, '[') + std::string(n, ']') + "}";
  };
  CHECK(parse_json_object(nested(63), 64));
  CHECK_FALSE(parse_json_object(nested(64), 64));
}

TEST_CASE("what is no JSON object is refused", "[http][json]") {
  for (const auto* body : {"", "null", "7", "\"a\"", "{", "{}{}", "{\"a\":\"\xFF\"}", "{'a':1}", "{\"a\":1e999}"}) {
    INFO(body);
    const auto parsed = parse_json_object(body, 64);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::validation_error);
  }
}

TEST_CASE("fields of the wrong type are named with their prefix", "[http][json]") {
  const auto object = nlohmann::json::parse(
      R"({"text":5,"nul":"a\u0000","long":"12345","flag":1,"time":"noon","list":[1,"ok"],"meta":[],"null":null})");
  Details details;
  const FieldReader fields(object, details, "p.");
  CHECK(fields.text("text", 10).empty());
  CHECK(fields.text("nul", 10).empty());
  CHECK(fields.text("long", 4).empty());
  CHECK(fields.boolean("flag", true));
  CHECK_FALSE(fields.time("time"));
  CHECK(fields.texts("list", 5, 10) == std::vector<std::string>{"ok"});
  CHECK(fields.metadata("meta").empty());
  CHECK(fields.text("null", 10).empty());
  CHECK(fields.text("absent", 10).empty());
  CHECK(details == Details{{"p.text", "must be a string"},
                           {"p.nul", "must not hold a NUL character"},
                           {"p.long", "must not be longer than 4 characters"},
                           {"p.flag", "must be true or false"},
                           {"p.time", "must be an RFC 3339 time such as 2026-01-31T00:00:00Z"},
                           {"p.list[0]", "must be a string"},
                           {"p.meta", "must be an object"}});
}

TEST_CASE("metadata takes scalars as text", "[http][json]") {
  const auto object = nlohmann::json::parse(R"({"m":{"a":"x","b":true,"c":3,"d":null}})");
  Details details;
  CHECK(FieldReader(object, details).metadata("m") == Metadata{{"a", "x"}, {"b", "true"}, {"c", "3"}});
  CHECK(details.contains("m.d"));
}

}  // namespace flexsync::test
