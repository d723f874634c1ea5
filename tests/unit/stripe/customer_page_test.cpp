#include "stripe/customer_page.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace flexsync;
using namespace flexsync::stripe;

TEST_CASE("a page has its customers in Stripe's order, each with its own text") {
  const auto page = parse_customer_page(R"({"object":"list","has_more":true,"data":[
      {"id":"cus_2","object":"customer","name":"Grace","metadata":{"fs_intent":"i1"},"created":5},
      {"id":"cus_1","object":"customer","name":"Ada"}]})");
  REQUIRE(page.has_value());
  CHECK(page->has_more);
  REQUIRE(page->customers.size() == 2);
  CHECK(page->customers[0].state.id == StripeId("cus_2"));
  CHECK(page->customers[0].state.metadata.at("fs_intent") == "i1");
  CHECK(nlohmann::json::parse(page->customers[0].json)["created"] == 5);
  CHECK(page->customers[1].state.name == "Ada");
  CHECK(*parse_customer(page->customers[1].json) == page->customers[1].state);
}

TEST_CASE("the last page may be empty") {
  const auto page = parse_customer_page(R"({"data":[],"has_more":false})");
  REQUIRE(page.has_value());
  CHECK(page->customers.empty());
  CHECK_FALSE(page->has_more);
}

TEST_CASE("what is no page of customers is not taken for an empty one") {
  const auto* text =
      GENERATE("", "[]", "null", "{}", R"({"data":[]})", R"({"has_more":false})", R"({"data":{},"has_more":false})",
               R"({"data":[],"has_more":"no"})", R"({"data":[1],"has_more":false})", R"({"data":[],"has_more":false)",
               R"({"data":[{"id":"cus_1","object":"customer"},{"object":"customer"}],"has_more":false})");
  CAPTURE(text);
  const auto page = parse_customer_page(text);
  REQUIRE_FALSE(page.has_value());
  CHECK(page.error().code == ErrorCode::validation_error);
}
