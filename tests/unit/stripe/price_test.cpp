#include "stripe/price.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "states.hpp"

using namespace flexsync;
using namespace flexsync::stripe;
using namespace flexsync::stripe::test;
using nlohmann::json;

namespace {

json a_price() {
  return json::parse(R"({"id":"price_1","object":"price","active":true,"billing_scheme":"per_unit","currency":"usd",
      "lookup_key":"gold","metadata":{"a":"b"},"nickname":"Gold, a month","product":"prod_1",
      "recurring":{"interval":"month","interval_count":3,"usage_type":"licensed","meter":null},
      "tiers_mode":null,"type":"recurring","unit_amount":1500,"unit_amount_decimal":"1500"})");
}

json a_plan() {
  return json::parse(R"({"id":"price_1","object":"plan","active":true,"billing_scheme":"per_unit","currency":"usd",
      "metadata":{"a":"b"},"nickname":"Gold, a month","product":"prod_1","interval":"month","interval_count":3,
      "usage_type":"licensed","tiers_mode":null,"amount":1500,"amount_decimal":"1500"})");
}

PriceState parsed(const json& object) {
  const auto state = parse_price(object.dump());
  INFO((state ? "" : state.error().message));
  REQUIRE(state.has_value());
  return *state;
}

// With one field changed, by its JSON pointer.
json with(json object, const char* where, const json& value) {
  object[json::json_pointer(where)] = value;
  return object;
}

std::string refused(const json& object) {
  return refused_field(parse_price(object.dump()));
}

rc::Gen<PriceTier> any_tier() {
  return rc::gen::build<PriceTier>(rc::gen::set(&PriceTier::up_to, maybe(any_decimal())),
                                   rc::gen::set(&PriceTier::unit_amount, maybe(any_decimal())),
                                   rc::gen::set(&PriceTier::flat_amount, maybe(any_decimal())));
}

rc::Gen<QuantityTransform> any_transform() {
  return rc::gen::build<QuantityTransform>(
      rc::gen::set(&QuantityTransform::divide_by, rc::gen::inRange<std::int64_t>(1, 1'000'000)),
      rc::gen::set(&QuantityTransform::round, rc::gen::element<std::string>("up", "down")));
}

rc::Gen<PriceState> any_state() {
  return rc::gen::build<PriceState>(
      rc::gen::set(&PriceState::id, any_id("price_")), rc::gen::set(&PriceState::deleted),
      rc::gen::set(&PriceState::product, any_id("")), rc::gen::set(&PriceState::active),
      rc::gen::set(&PriceState::currency, any_text()), rc::gen::set(&PriceState::unit_amount, maybe(any_decimal())),
      rc::gen::set(&PriceState::interval, any_text()),
      rc::gen::set(&PriceState::interval_count, rc::gen::positive<int>()),
      rc::gen::set(&PriceState::usage_type, any_text()), rc::gen::set(&PriceState::billing_scheme, any_text()),
      rc::gen::set(&PriceState::tiers_mode, any_text()),
      rc::gen::set(&PriceState::tiers, rc::gen::container<std::vector<PriceTier>>(any_tier())),
      rc::gen::set(&PriceState::transform_quantity, maybe(any_transform())),
      rc::gen::set(&PriceState::nickname, any_text()), rc::gen::set(&PriceState::metadata, any_metadata()));
}

}  // namespace

TEST_CASE("a price with all its fields is read") {
  PriceState expected;
  expected.id = StripeId("price_1");
  expected.product = StripeId("prod_1");
  expected.currency = "usd";
  expected.unit_amount = 1500;
  expected.interval = "month";
  expected.interval_count = 3;
  expected.usage_type = "licensed";
  expected.billing_scheme = "per_unit";
  expected.nickname = "Gold, a month";
  expected.metadata = {{"a", "b"}};
  CHECK(parsed(a_price()) == expected);
}

TEST_CASE("a plan and the price of the same thing are one state") {
  CHECK(parsed(a_plan()) == parsed(a_price()));
  auto price = with(with(a_price(), "/unit_amount", nullptr), "/unit_amount_decimal", "0.5");
  auto plan = with(with(a_plan(), "/amount", nullptr), "/amount_decimal", "0.5");
  CHECK(parsed(plan) == parsed(price));
  const auto tiers = json::parse(R"([{"flat_amount":null,"flat_amount_decimal":null,"unit_amount":20,
      "unit_amount_decimal":"20","up_to":10},{"flat_amount":5,"flat_amount_decimal":"5","unit_amount":null,
      "unit_amount_decimal":"0.25","up_to":null}])");
  for (auto* object : {&price, &plan}) {
    object->update({{"tiers", tiers}, {"tiers_mode", "graduated"}, {"billing_scheme", "tiered"}});
  }
  price["unit_amount_decimal"] = plan["amount_decimal"] = nullptr;
  price["transform_quantity"] = plan["transform_usage"] = {{"divide_by", 1000}, {"round", "up"}};
  CHECK(parsed(plan) == parsed(price));
  CHECK(parsed(price).transform_quantity == QuantityTransform{1000, "up"});
  const auto quarter = *Decimal::parse("0.25");
  CHECK(parsed(price).tiers == std::vector<PriceTier>{{10, 20, std::nullopt}, {std::nullopt, quarter, 5}});
  CHECK_FALSE(parsed(price).unit_amount.has_value());
}

TEST_CASE("a price's amount is the exact one, else the whole one") {
  CHECK(parsed(with(a_price(), "/unit_amount_decimal", "1499.5")).unit_amount == Decimal::parse("1499.5"));
  CHECK(parsed(with(a_price(), "/unit_amount_decimal", "0.000000000001")).unit_amount ==
        Decimal::parse("0.000000000001"));
  CHECK(parsed(with(a_price(), "/unit_amount_decimal", nullptr)).unit_amount == Decimal(1500));
  CHECK_FALSE(parsed(with(with(a_price(), "/unit_amount_decimal", nullptr), "/unit_amount", nullptr)).unit_amount);
}

TEST_CASE("a price's product may be expanded, or a deleted one") {
  CHECK(parsed(with(a_price(), "/product", {{"id", "prod_1"}, {"object", "product"}, {"name", "Gold"}})) ==
        parsed(a_price()));
  CHECK(parsed(with(a_plan(), "/product", {{"id", "prod_1"}, {"object", "product"}, {"deleted", true}})) ==
        parsed(a_plan()));
}

TEST_CASE("a one-time price has no interval") {
  const auto state = parsed(with(with(a_price(), "/recurring", nullptr), "/type", "one_time"));
  CHECK(state.interval.empty());
  CHECK(state.interval_count == 1);
  CHECK(state.usage_type.empty());
}

TEST_CASE("words of Stripe's that nobody knows yet are kept as they are") {
  CHECK(parsed(with(a_price(), "/recurring/interval", "fortnight")).interval == "fortnight");
  CHECK(parsed(with(a_price(), "/recurring/usage_type", "guessed")).usage_type == "guessed");
  CHECK(parsed(with(a_price(), "/billing_scheme", "auction")).billing_scheme == "auction");
  CHECK(parsed(with(a_plan(), "/tiers_mode", "stairs")).tiers_mode == "stairs");
}

TEST_CASE("a deleted price or plan that was fetched is a stub") {
  const auto* type = GENERATE("price", "plan");
  const auto state = parsed({{"id", "price_1"}, {"object", type}, {"deleted", true}});
  CHECK(state.deleted);
  CHECK(state.product.empty());
}

TEST_CASE("a wrong field of a price is named") {
  CHECK(refused_field(parse_price("{")) == "body");
  CHECK(refused(with(a_price(), "/object", "product")) == "object");
  CHECK(refused(with(a_price(), "/id", "")) == "id");
  CHECK(refused(with(a_price(), "/id", std::string(256, 'x'))) == "id");
  CHECK(refused(with(a_price(), "/product", nullptr)) == "product");
  CHECK(refused(with(a_price(), "/product", "")) == "product");
  CHECK(refused(with(a_price(), "/product", json::object())) == "product.id");
  CHECK(refused(with(a_price(), "/active", 1)) == "active");
  CHECK(refused(with(a_price(), "/currency", 1)) == "currency");
  CHECK(refused(with(a_price(), "/unit_amount_decimal", "12 francs")) == "unit_amount_decimal");
  CHECK(refused(with(a_price(), "/unit_amount_decimal", 12.5)) == "unit_amount_decimal");
  CHECK(refused(with(with(a_plan(), "/amount_decimal", nullptr), "/amount", 0.5)) == "amount");
  CHECK(refused(with(with(a_plan(), "/amount_decimal", nullptr), "/amount", "5")) == "amount");
  CHECK(refused(with(with(a_plan(), "/amount_decimal", nullptr), "/amount", 18'446'744'073'709'551'615U)) == "amount");
  CHECK(refused(with(a_price(), "/recurring", "month")) == "recurring");
  CHECK(refused(with(a_price(), "/recurring/interval", 5)) == "recurring.interval");
  CHECK(refused(with(a_price(), "/recurring/interval_count", 0)) == "recurring.interval_count");
  CHECK(refused(with(a_plan(), "/interval_count", 3'000'000'000)) == "interval_count");
  CHECK(refused(with(a_price(), "/tiers", json::object())) == "tiers");
  CHECK(refused(with(a_price(), "/tiers", {1})) == "tiers[0]");
  CHECK(refused(with(a_price(), "/transform_quantity", {{"round", "up"}})) == "transform_quantity.divide_by");
  CHECK(refused(with(a_price(), "/transform_quantity", {{"divide_by", 0}, {"round", "up"}})) ==
        "transform_quantity.divide_by");
  CHECK(refused(with(a_price(), "/transform_quantity", {{"divide_by", 2}})) == "transform_quantity.round");
  CHECK(refused(with(a_price(), "/tiers", {{{"up_to", 1}}, {{"up_to", "inf"}}})) == "tiers[1].up_to");
  CHECK(refused(with(a_price(), "/nickname", std::string("a\0b", 3))) == "nickname");
  CHECK(refused(with(a_price(), "/metadata/a", 5)) == "metadata.a");
}

TEST_CASE("a price's canonical form leaves out what is as usual") {
  PriceState state;
  state.id = StripeId("price_1");
  CHECK(to_canonical(state) == R"({"id":"price_1"})");
  state.active = false;
  state.unit_amount = Decimal::parse("0.50");
  state.interval_count = 2;
  state.tiers = {{10, std::nullopt, 5}, {}};
  CHECK(to_canonical(state) ==
        R"({"active":false,"id":"price_1","interval_count":2,"tiers":[{"flat_amount":"5","up_to":"10"},{}],)"
        R"("unit_amount":"0.5"})");
}

TEST_CASE("a price's canonical form gives the state back, and equal text only for equal states") {
  rc::prop("price_from_canonical(to_canonical(s)) == s", [] {
    const auto state = *any_state();
    RC_ASSERT(price_from_canonical(to_canonical(state)) == state);
  });
  rc::prop("different states have different text", [] {
    const auto one = *any_state();
    const auto two = *any_state();
    RC_ASSERT((to_canonical(one) == to_canonical(two)) == (one == two));
  });
}

TEST_CASE("a stored price that is broken is an error, not a guess") {
  const auto* text = GENERATE("", "[]", "{}", R"({"id":"price_1","unit_amount":5})",
                              R"({"id":"price_1","unit_amount":"five"})", R"({"id":"price_1","interval_count":0})",
                              R"({"id":"price_1","tiers":[1]})", R"({"id":"price_1","tiers":[{"up_to":5}]})");
  CAPTURE(text);
  CHECK_THROWS_AS(price_from_canonical(text), std::runtime_error);
}
