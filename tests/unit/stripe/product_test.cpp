#include "stripe/product.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <stdexcept>

#include "states.hpp"

using namespace flexsync;
using namespace flexsync::stripe;
using namespace flexsync::stripe::test;

namespace {

std::string product_with(const std::string& fields) {
  return R"({"id":"prod_1","object":"product",)" + fields + "}";
}

rc::Gen<ProductState> any_state() {
  return rc::gen::build<ProductState>(
      rc::gen::set(&ProductState::id, any_id("prod_")), rc::gen::set(&ProductState::deleted),
      rc::gen::set(&ProductState::name, any_text()), rc::gen::set(&ProductState::description, any_text()),
      rc::gen::set(&ProductState::active), rc::gen::set(&ProductState::metadata, any_metadata()));
}

}  // namespace

TEST_CASE("a product with all its fields is read") {
  const auto state = parse_product(product_with(
      R"("name":"Gold","description":"All of it","active":false,"metadata":{"tier":"3"},"images":[],"updated":5)"));
  REQUIRE(state.has_value());
  CHECK(*state == ProductState{StripeId("prod_1"), false, "Gold", "All of it", false, {{"tier", "3"}}});
}

TEST_CASE("null, empty and absent read alike in a product") {
  const auto bare = parse_product(R"({"id":"prod_1","object":"product"})");
  REQUIRE(bare.has_value());
  CHECK(bare->active);
  const auto* fields = GENERATE(R"("name":null,"description":null,"metadata":null)", R"("metadata":{},"name":"")",
                                R"("deleted":false,"active":true)", R"("deleted":null,"active":null)");
  CAPTURE(fields);
  CHECK(parse_product(product_with(fields)) == bare);
}

TEST_CASE("a deleted product that was fetched is a stub") {
  const auto state = parse_product(product_with(R"("deleted":true)"));
  REQUIRE(state.has_value());
  CHECK(state->deleted);
}

TEST_CASE("a wrong field of a product is named") {
  CHECK(refused_field(parse_product("")) == "body");
  CHECK(refused_field(parse_product("[]")) == "body");
  CHECK(refused_field(parse_product(R"({"object":"product"})")) == "id");
  CHECK(refused_field(parse_product(R"({"object":"product","id":null})")) == "id");
  CHECK(refused_field(parse_product(R"({"id":"prod_1"})")) == "object");
  CHECK(refused_field(parse_product(R"({"id":"price_1","object":"price"})")) == "object");
  CHECK(refused_field(parse_product(product_with(R"("name":5)"))) == "name");
  CHECK(refused_field(parse_product(product_with(R"("description":"\u0000")"))) == "description");
  CHECK(refused_field(parse_product(product_with(R"("active":"yes")"))) == "active");
  CHECK(refused_field(parse_product(product_with(R"("metadata":{"a":1})"))) == "metadata.a");
  const std::string longest(255, 'p');
  CHECK(parse_product(R"({"object":"product","id":")" + longest + R"("})")->id == StripeId(longest));
  CHECK(refused_field(parse_product(R"({"object":"product","id":")" + longest + R"(p"})")) == "id");
}

TEST_CASE("a product's canonical form leaves out what is as usual") {
  CHECK(to_canonical(ProductState{StripeId("prod_1"), false, "", "", true, {}}) == R"({"id":"prod_1"})");
  CHECK(to_canonical(ProductState{StripeId("prod_1"), true, "Gold", "All", false, {{"a", ""}}}) ==
        R"({"active":false,"deleted":true,"description":"All","id":"prod_1","metadata":{"a":""},"name":"Gold"})");
}

TEST_CASE("a product's canonical form gives the state back, and equal text only for equal states") {
  rc::prop("product_from_canonical(to_canonical(s)) == s", [] {
    const auto state = *any_state();
    RC_ASSERT(product_from_canonical(to_canonical(state)) == state);
  });
  rc::prop("different states have different text", [] {
    const auto one = *any_state();
    const auto two = *any_state();
    RC_ASSERT((to_canonical(one) == to_canonical(two)) == (one == two));
  });
}

TEST_CASE("a stored product that is broken is an error, not a guess") {
  const auto* text = GENERATE("", "{", "[]", "null", "{}", R"({"id":5})", R"({"id":"prod_1","name":5})",
                              R"({"id":"prod_1","active":"x"})");
  CAPTURE(text);
  CHECK_THROWS_AS(product_from_canonical(text), std::runtime_error);
}
