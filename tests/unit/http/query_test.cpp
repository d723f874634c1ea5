#include "http/query.hpp"

#include <catch2/catch.hpp>

namespace flexsync::test {

using http::Details;
using http::percent_decode;
using http::Query;

TEST_CASE("percent decoding", "[http][query]") {
  CHECK(percent_decode("a%20b+c%2f", true) == "a b c/");
  CHECK(percent_decode("a+b", false) == "a+b");
  CHECK(percent_decode("%C3%BC%e2%82%ac%F0%9F%8D%8C", false) == "ü€🍌");
  for (const auto* broken : {"%", "%a", "%zz", "%00", "%ff", "%c3", "%c0%80", "%ed%a0%80", "%f5%80%80%80", "a%4"}) {
    INFO(broken);
    CHECK_FALSE(percent_decode(broken, true));
  }
}

TEST_CASE("parameters by name", "[http][query]") {
  const auto query = Query::parse("a=1&b=x%26y&&c&a=2,3&=v&d==&e=");
  REQUIRE(query);
  CHECK(query->text("a") == "1");
  CHECK(query->text("b") == "x&y");
  CHECK(query->text("c").empty());
  CHECK(query->text("d") == "=");
  CHECK(query->text("none").empty());
  CHECK(query->list("a") == std::vector<std::string>{"1", "2", "3"});
  CHECK(query->list("e").empty());
  CHECK_FALSE(Query::parse("a=%"));
}

TEST_CASE("numbers within their limits", "[http][query]") {
  for (const auto* bad : {"limit=0", "limit=1001", "limit=", "limit=1e2", "limit= 5", "limit=5x", "limit=99999999999",
                          "offset=-1", "offset=2147483647"}) {
    Details details;
    Query::parse(bad)->list_options(details);
    INFO(bad);
    CHECK(details.size() == 1);
  }
  Details details;
  const auto options = Query::parse("limit=1000&offset=7&order=desc")->list_options(details);
  CHECK(details.empty());
  CHECK(options.limit == 1000);
  CHECK(options.offset == 7);
  CHECK_FALSE(options.ascending);
}

}  // namespace flexsync::test
