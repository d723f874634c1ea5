#include "stripe/subscription.hpp"

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

json an_item(const std::string& id) {
  auto item = json::parse(R"({"object":"subscription_item","created":1795228000,"quantity":2,"metadata":{},
      "current_period_start":1795228680,"current_period_end":1797820680,
      "price":{"id":"price_1","object":"price","currency":"chf","product":"prod_1",
               "recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"}}})");
  item["id"] = id;
  return item;
}

json a_subscription() {
  auto subscription = json::parse(R"({"id":"sub_1","object":"subscription","customer":"cus_1","status":"trialing",
      "currency":"chf","collection_method":"charge_automatically","start_date":1795228680,"ended_at":null,
      "trial_start":1795228680,"trial_end":1795833480,"billing_cycle_anchor":1795833480,"cancel_at":1797820680,
      "canceled_at":1795228690,"cancel_at_period_end":true,"pause_collection":null,"pending_update":null,
      "metadata":{"a":"b"},"items":{"object":"list","has_more":false,"data":[]}})");
  subscription["items"]["data"].push_back(an_item("si_1"));
  return subscription;
}

SubscriptionState parsed(const json& object) {
  const auto state = parse_subscription(object.dump());
  INFO((state ? "" : state.error().message));
  REQUIRE(state.has_value());
  return *state;
}

// With one field changed, by its JSON pointer; a discarded value takes the field away.
json with(json object, const char* where, const json& value) {
  const json::json_pointer pointer(where);
  if (value.is_discarded()) {
    object[pointer.parent_pointer()].erase(pointer.back());
  } else {
    object[pointer] = value;
  }
  return object;
}

const json kGone = json(json::value_t::discarded);

std::string refused(const json& object) {
  return refused_field(parse_subscription(object.dump()));
}

rc::Gen<SubscriptionItem> any_item() {
  return rc::gen::build<SubscriptionItem>(
      rc::gen::set(&SubscriptionItem::id, any_id("si_")), rc::gen::set(&SubscriptionItem::price, any_id("")),
      rc::gen::set(&SubscriptionItem::product, any_id("")), rc::gen::set(&SubscriptionItem::interval, any_text()),
      rc::gen::set(&SubscriptionItem::interval_count, rc::gen::positive<int>()),
      rc::gen::set(&SubscriptionItem::quantity, maybe(rc::gen::arbitrary<std::int64_t>())),
      rc::gen::set(&SubscriptionItem::created, any_time()));
}

rc::Gen<SubscriptionState> any_state() {
  using S = SubscriptionState;
  const auto time = maybe(any_time());
  return rc::gen::build<S>(rc::gen::set(&S::id, any_id("sub_")), rc::gen::set(&S::deleted),
                           rc::gen::set(&S::customer, any_id("")), rc::gen::set(&S::status, any_text()),
                           rc::gen::set(&S::currency, any_text()), rc::gen::set(&S::collection_method, any_text()),
                           rc::gen::set(&S::items, rc::gen::container<std::vector<SubscriptionItem>>(any_item())),
                           rc::gen::set(&S::has_more_items), rc::gen::set(&S::start_date, time),
                           rc::gen::set(&S::ended_at, time), rc::gen::set(&S::current_period_start, time),
                           rc::gen::set(&S::current_period_end, time), rc::gen::set(&S::trial_start, time),
                           rc::gen::set(&S::trial_end, time), rc::gen::set(&S::billing_cycle_anchor, time),
                           rc::gen::set(&S::cancel_at, time), rc::gen::set(&S::canceled_at, time),
                           rc::gen::set(&S::cancel_at_period_end), rc::gen::set(&S::collection_paused),
                           rc::gen::set(&S::metadata, any_metadata()));
}

}  // namespace

TEST_CASE("a subscription with all its fields is read") {
  SubscriptionState expected;
  expected.id = StripeId("sub_1");
  expected.customer = StripeId("cus_1");
  expected.status = "trialing";
  expected.currency = "chf";
  expected.collection_method = "charge_automatically";
  expected.items = {
      {StripeId("si_1"), StripeId("price_1"), StripeId("prod_1"), "month", 1, 2, from_unix_seconds(1'795'228'000)}};
  expected.start_date = expected.trial_start = expected.current_period_start = from_unix_seconds(1'795'228'680);
  expected.trial_end = expected.billing_cycle_anchor = from_unix_seconds(1'795'833'480);
  expected.current_period_end = expected.cancel_at = from_unix_seconds(1'797'820'680);
  expected.canceled_at = from_unix_seconds(1'795'228'690);
  expected.cancel_at_period_end = true;
  expected.metadata = {{"a", "b"}};
  CHECK(parsed(a_subscription()) == expected);
}

TEST_CASE("a customer or product that is expanded, or deleted, is its id") {
  const auto plain = parsed(a_subscription());
  CHECK(parsed(with(a_subscription(), "/customer", {{"id", "cus_1"}, {"object", "customer"}, {"name", "Ada"}})) ==
        plain);
  CHECK(parsed(with(a_subscription(), "/customer", {{"id", "cus_1"}, {"object", "customer"}, {"deleted", true}})) ==
        plain);
  CHECK(parsed(with(a_subscription(), "/items/data/0/price/product", {{"id", "prod_1"}, {"object", "product"}})) ==
        plain);
}

TEST_CASE("an item's price wins over its plan, and the plan alone is as good") {
  const auto plan = json::parse(R"({"id":"price_1","object":"plan","currency":"chf","product":"prod_1",
      "interval":"month","interval_count":1,"usage_type":"licensed"})");
  const auto plain = parsed(a_subscription());
  auto both = with(a_subscription(), "/items/data/0/plan", with(plan, "/id", "plan_old"));
  CHECK(parsed(both) == plain);
  auto old = with(with(a_subscription(), "/items/data/0/plan", plan), "/items/data/0/price", kGone);
  CHECK(parsed(old) == plain);
  SECTION("on the subscription alone, with its quantity") {
    auto oldest = with(with(old, "/items/data/0/plan", kGone), "/plan", plan);
    oldest = with(with(oldest, "/items/data/0/quantity", kGone), "/quantity", 2);
    CHECK(parsed(oldest) == plain);
  }
  SECTION("the subscription's plan says nothing about items that have their own") {
    CHECK(parsed(with(with(old, "/plan", with(plan, "/id", "plan_other")), "/quantity", 9)) == plain);
  }
}

TEST_CASE("an item of an unusual price is read as it is") {
  auto subscription = a_subscription();
  subscription["items"]["data"][0].erase("quantity");
  subscription["items"]["data"][0].erase("created");
  subscription["items"]["data"][0]["price"]["recurring"] = nullptr;
  const auto item = parsed(subscription).items.at(0);
  CHECK_FALSE(item.quantity.has_value());
  CHECK(item.created == Timestamp{});
  CHECK(item.interval.empty());
  CHECK(item.interval_count == 1);
}

TEST_CASE("items come by their id, without those that are gone, and say when there are more") {
  auto subscription = a_subscription();
  auto& items = subscription["items"]["data"];
  items = {an_item("si_3"), {{"id", "si_2"}, {"object", "subscription_item"}, {"deleted", true}}, an_item("si_1")};
  auto state = parsed(subscription);
  REQUIRE(state.items.size() == 2);
  CHECK(state.items[0].id == StripeId("si_1"));
  CHECK(state.items[1].id == StripeId("si_3"));
  CHECK_FALSE(state.has_more_items);
  CHECK(parsed(with(subscription, "/items/has_more", true)).has_more_items);
  CHECK_FALSE(parsed(with(subscription, "/items/has_more", kGone)).has_more_items);
  const auto none = parsed(with(subscription, "/items", kGone));
  CHECK(none.items.empty());
  CHECK(none.has_more_items);
}

TEST_CASE("the current period is that of the item that ends first, else the subscription's, else unknown") {
  auto subscription = a_subscription();
  auto& items = subscription["items"]["data"];
  items.push_back(an_item("si_2"));
  items[1]["current_period_start"] = 1'795'000'000;
  items[1]["current_period_end"] = 1'797'000'000;
  subscription["current_period_start"] = 1;
  subscription["current_period_end"] = 2;
  CHECK(parsed(subscription).current_period_start == from_unix_seconds(1'795'000'000));
  CHECK(parsed(subscription).current_period_end == from_unix_seconds(1'797'000'000));
  items[1]["current_period_end"] = items[0]["current_period_end"];
  CHECK(parsed(subscription).current_period_start == from_unix_seconds(1'795'228'680));
  items[1]["current_period_end"] = 1'798'000'000;
  CHECK(parsed(subscription).current_period_start == from_unix_seconds(1'795'228'680));
  CHECK(parsed(subscription).current_period_end == from_unix_seconds(1'797'820'680));
  items[0].erase("current_period_start");
  items[0].erase("current_period_end");
  CHECK(parsed(subscription).current_period_start == from_unix_seconds(1'795'000'000));
  items.erase(1);
  CHECK(parsed(subscription).current_period_start == from_unix_seconds(1));
  CHECK(parsed(subscription).current_period_end == from_unix_seconds(2));
  subscription.erase("current_period_start");
  subscription.erase("current_period_end");
  CHECK_FALSE(parsed(subscription).current_period_start.has_value());
  CHECK_FALSE(parsed(subscription).current_period_end.has_value());
}

TEST_CASE("an old subscription without a currency has its items'") {
  CHECK(parsed(with(a_subscription(), "/currency", kGone)).currency == "chf");
  CHECK(parsed(with(a_subscription(), "/currency", "eur")).currency == "eur");
}

TEST_CASE("a status that nobody knows yet is kept, a pending update is not looked at") {
  CHECK(parsed(with(a_subscription(), "/status", "hibernating")).status == "hibernating");
  const auto pending = json::parse(R"({"expires_at":1,"subscription_items":[{"id":"si_9","quantity":7}]})");
  CHECK(parsed(with(a_subscription(), "/pending_update", pending)) == parsed(a_subscription()));
}

TEST_CASE("a paused collection is not a paused subscription") {
  const auto state =
      parsed(with(a_subscription(), "/pause_collection", {{"behavior", "void"}, {"resumes_at", nullptr}}));
  CHECK(state.collection_paused);
  CHECK(state.status == "trialing");
}

TEST_CASE("a wrong field of a subscription is named") {
  CHECK(refused_field(parse_subscription("[]")) == "body");
  CHECK(refused(with(a_subscription(), "/object", "price")) == "object");
  CHECK(refused(with(a_subscription(), "/id", std::string(256, 's'))) == "id");
  CHECK(refused(with(a_subscription(), "/customer", nullptr)) == "customer");
  CHECK(refused(with(a_subscription(), "/customer", kGone)) == "customer");
  CHECK(refused(with(a_subscription(), "/customer", {{"object", "customer"}})) == "customer.id");
  CHECK(refused(with(a_subscription(), "/status", "")) == "status");
  CHECK(refused(with(a_subscription(), "/status", kGone)) == "status");
  CHECK(refused(with(a_subscription(), "/trial_end", "now")) == "trial_end");
  CHECK(refused(with(a_subscription(), "/trial_end", -1)) == "trial_end");
  CHECK(refused(with(a_subscription(), "/cancel_at", 1795228680.5)) == "cancel_at");
  CHECK(refused(with(a_subscription(), "/start_date", 253'402'300'800)) == "start_date");
  CHECK(refused(with(a_subscription(), "/cancel_at_period_end", "true")) == "cancel_at_period_end");
  CHECK(refused(with(a_subscription(), "/items", json::array())) == "items");
  CHECK(refused(with(a_subscription(), "/items/data", kGone)) == "items.data");
  CHECK(refused(with(a_subscription(), "/items/data", 5)) == "items.data");
  CHECK(refused(with(a_subscription(), "/items/has_more", 1)) == "items.has_more");
  CHECK(refused(with(a_subscription(), "/items/data/0/id", kGone)) == "items.data[0].id");
  CHECK(refused(with(a_subscription(), "/items/data/0/price", kGone)) == "items.data[0].price");
  CHECK(refused(with(a_subscription(), "/items/data/0/price", "price_1")) == "items.data[0].price");
  CHECK(refused(with(a_subscription(), "/items/data/0/price/product", nullptr)) == "items.data[0].price.product");
  CHECK(refused(with(a_subscription(), "/items/data/0/price/recurring/interval_count", -1)) ==
        "items.data[0].price.recurring.interval_count");
  CHECK(refused(with(a_subscription(), "/items/data/0/quantity", 1.5)) == "items.data[0].quantity");
  CHECK(refused(with(a_subscription(), "/items/data/0/quantity", -1)) == "items.data[0].quantity");
  CHECK(refused(with(a_subscription(), "/metadata", "a")) == "metadata");
}

TEST_CASE("the list of its items stands in for the first of them") {
  const auto whole = parsed(a_subscription());
  auto sooner = an_item("si_9");
  sooner["current_period_start"] = to_unix_seconds(*whole.current_period_start);
  sooner["current_period_end"] = to_unix_seconds(*whole.current_period_end) - 60;
  const json list = {{"object", "list"}, {"has_more", false}, {"data", {sooner, an_item("si_1")}}};
  auto state = parsed(with(with(a_subscription(), "/items/has_more", true), "/items/data/0/id", "si_5"));
  REQUIRE(take_items(state, list.dump()).has_value());
  CHECK_FALSE(state.has_more_items);
  REQUIRE(state.items.size() == 2);
  CHECK(state.items[0] == whole.items.at(0));
  CHECK(state.items[1].id == StripeId("si_9"));
  CHECK(state.current_period_end == *whole.current_period_end - std::chrono::seconds(60));

  const auto before = state;
  CHECK(refused_field(take_items(state, with(list, "/has_more", kGone).dump())) == "has_more");
  CHECK(refused_field(take_items(state, with(list, "/has_more", true).dump())) == "has_more");
  CHECK(refused_field(take_items(state, with(list, "/data", nullptr).dump())) == "data");
  CHECK(refused_field(take_items(state, with(list, "/object", "subscription").dump())) == "object");
  CHECK(refused_field(take_items(state, with(list, "/data/1/price", kGone).dump())) == "data[1].price");
  CHECK(state == before);
}

TEST_CASE("a subscription's canonical form leaves out what is as usual") {
  SubscriptionState state;
  state.id = StripeId("sub_1");
  CHECK(to_canonical(state) == R"({"id":"sub_1"})");
  state.items = {{StripeId("si_1"), StripeId("price_1"), StripeId("prod_1"), "", 1, std::nullopt, {}}};
  state.trial_end = from_unix_seconds(60);
  state.collection_paused = true;
  CHECK(to_canonical(state) ==
        R"({"collection_paused":true,"id":"sub_1","items":[{"id":"si_1","price":"price_1","product":"prod_1"}],)"
        R"("trial_end":60})");
}

TEST_CASE("a subscription's canonical form gives the state back, and equal text only for equal states") {
  rc::prop("subscription_from_canonical(to_canonical(s)) == s", [] {
    const auto state = *any_state();
    RC_ASSERT(subscription_from_canonical(to_canonical(state)) == state);
  });
  rc::prop("different states have different text", [] {
    const auto one = *any_state();
    const auto two = *any_state();
    RC_ASSERT((to_canonical(one) == to_canonical(two)) == (one == two));
  });
}

TEST_CASE("a stored subscription that is broken is an error, not a guess") {
  const auto* text = GENERATE("", "[]", "{}", R"({"id":"sub_1","trial_end":"x"})", R"({"id":"sub_1","items":{}})",
                              R"({"id":"sub_1","items":[{}]})", R"({"id":"sub_1","has_more_items":1})");
  CAPTURE(text);
  CHECK_THROWS_AS(subscription_from_canonical(text), std::runtime_error);
}
