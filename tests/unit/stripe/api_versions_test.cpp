// One product, one price with its plan, one subscription, as each API version shows them (fixtures/<version>): whatever
// the version, the state is the same.
//
// 2020-03-02 has no `price` on items and expands a plan's tiers by itself; no currency on the subscription before 2022;
// 2022-11-15 has the customer expanded, 2024-06-20 a product; since 2025-03-31.basil the current period is the items'.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "states.hpp"
#include "stripe/object_event.hpp"

using namespace flexsync;
using namespace flexsync::stripe;
using namespace flexsync::stripe::test;

namespace {

constexpr const char* kVersions[] = {"2020-03-02", "2020-08-27",       "2022-11-15",
                                     "2024-06-20", "2025-03-31.basil", "2026-10-28.endive"};

std::string fixture(const std::string& version, const std::string& name) {
  const auto path = std::filesystem::path(FLEXSYNC_SOURCE_DIR) / "tests/unit/stripe/fixtures" / version / name;
  std::ifstream in(path);
  REQUIRE(in.good());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

template <class State>
State read(const Result<State>& state) {
  INFO((state ? "" : state.error().message));
  REQUIRE(state.has_value());
  return *state;
}

ProductState the_product() {
  return {StripeId("prod_Gold"),    false, "Gold",
          "Everything, and a pony", true,  {{"team", "blue"}, {"flexprice_environment", "env_1"}}};
}

PriceState the_price() {
  PriceState price;
  price.id = StripeId("price_Calls");
  price.product = StripeId("prod_Calls");
  price.currency = "chf";
  price.interval = "month";
  price.usage_type = "metered";
  price.billing_scheme = "tiered";
  price.tiers_mode = "graduated";
  price.tiers = {{1000, 10, std::nullopt}, {std::nullopt, Decimal::parse("0.25"), 500}};
  price.nickname = "calls";
  price.metadata = {{"sku", "17"}};
  return price;
}

SubscriptionState the_subscription() {
  SubscriptionState subscription;
  subscription.id = StripeId("sub_Life");
  subscription.customer = StripeId("cus_Ada");
  subscription.status = "trialing";
  subscription.currency = "chf";
  subscription.collection_method = "send_invoice";
  subscription.items = {
      {StripeId("si_A"), StripeId("price_Gold"), StripeId("prod_Gold"), "month", 1, 3, from_unix_seconds(1583200001)},
      {StripeId("si_B"), StripeId("price_Calls"), StripeId("prod_Calls"), "month", 1, std::nullopt,
       from_unix_seconds(1583200002)}};
  subscription.start_date = subscription.trial_start = from_unix_seconds(1583200000);
  subscription.current_period_start = subscription.billing_cycle_anchor = from_unix_seconds(1583200000);
  subscription.current_period_end = subscription.cancel_at = from_unix_seconds(1585878400);
  subscription.trial_end = from_unix_seconds(1585000000);
  subscription.canceled_at = from_unix_seconds(1583300000);
  subscription.cancel_at_period_end = true;
  subscription.collection_paused = true;
  subscription.metadata = {{"order", "7"}};
  return subscription;
}

}  // namespace

TEST_CASE("every API version shows the same product, price, plan and subscription") {
  const auto* version = GENERATE(from_range(std::begin(kVersions), std::end(kVersions)));
  CAPTURE(version);
  const auto product = read(parse_product(fixture(version, "product.json")));
  CHECK(product == the_product());
  CHECK(product_from_canonical(to_canonical(product)) == product);
  const auto price = read(parse_price(fixture(version, "price.json")));
  CHECK(price == the_price());
  CHECK(read(parse_price(fixture(version, "plan.json"))) == price);
  CHECK(price_from_canonical(to_canonical(price)) == price);
  const auto subscription = read(parse_subscription(fixture(version, "subscription.json")));
  CHECK(subscription == the_subscription());
  CHECK(subscription_from_canonical(to_canonical(subscription)) == subscription);
}

TEST_CASE("an event in any API version carries the same state, and a deletion says so") {
  const auto* version = GENERATE(from_range(std::begin(kVersions), std::end(kVersions)));
  CAPTURE(version);
  const auto event = [&](const std::string& type, const std::string& name) {
    const auto payload = R"({"id":"evt_1","object":"event","created":1583300000,"api_version":")" +
                         std::string(version) + R"(","type":")" + type + R"(","request":null,"data":{"object":)" +
                         fixture(version, name) + "}}";
    return read(parse_object_event(payload)).state;
  };
  CHECK(event("product.updated", "product.json") == ObjectState(the_product()));
  CHECK(event("plan.created", "plan.json") == ObjectState(the_price()));
  CHECK(event("price.created", "price.json") == ObjectState(the_price()));
  CHECK(event("customer.subscription.pending_update_applied", "subscription.json") == ObjectState(the_subscription()));
  auto gone = the_subscription();
  mark_ended(gone);
  CHECK(event("customer.subscription.deleted", "subscription.json") == ObjectState(gone));
}
