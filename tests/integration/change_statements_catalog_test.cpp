#include <catch2/catch.hpp>

#include "integration/catalog_world.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::kStart;

namespace {

using World = flexsync::testing::CatalogWorld;

// The same, written once more.
template <class Row>
void advance(std::optional<Row>& row) {
  row->version += 1;
}

}  // namespace

TEST_CASE("a plan and its twin addon are written whole and read back as they were", "[catalog]") {
  World world;
  const auto change = world.product("1");
  REQUIRE(world.result(change) == ChangeResult::committed);
  const auto stored = world.load_plan("1", {"product", StripeId{"prod_1"}});
  CHECK(stored.plan == change.plan);
  CHECK(stored.addon == change.addon);
  CHECK(stored.mapping == change.mapping);
  CHECK(stored.addon_mapping == change.addon_mapping);
  CHECK(stored.shadow == change.stripe_object);
  CHECK_FALSE(stored.customer);
  CHECK_FALSE(stored.price);

  auto renamed = change;
  advance(renamed.plan);
  advance(renamed.addon);
  advance(renamed.stripe_object);
  renamed.plan->fields.name = renamed.addon->fields.name = "Team";
  renamed.plan->status = renamed.addon->status = Status::archived;
  renamed.plan->updated_at = renamed.addon->updated_at = kStart + 1s;
  REQUIRE(world.result(renamed) == ChangeResult::committed);
  const auto again = world.load_plan("1", {"product", StripeId{"prod_1"}});
  CHECK(again.plan == renamed.plan);
  CHECK(again.addon == renamed.addon);
}

TEST_CASE("a price may come before its product, with a shell of that", "[catalog]") {
  World world;
  auto change = world.price("1");
  change.product = World::shadow("product", "prod_1", "plan_1");
  REQUIRE(world.result(change) == ChangeResult::committed);
  const auto stored = world.load_plan("1", {"price", StripeId{"price_1"}}, {"product", StripeId{"prod_1"}});
  CHECK_FALSE(stored.plan);
  CHECK(stored.price == change.price);
  CHECK(stored.shadow == change.stripe_object);
  CHECK(stored.product == change.product);

  auto without = change;  // of the other kind: flat, licensed, without words
  without.product.reset();
  advance(without.price);
  advance(without.stripe_object);
  without.price->amount.reset();
  without.price->tiers.clear();
  without.price->tier_mode.clear();
  without.price->transform_quantity.reset();
  without.price->plan_id = PlanId{"plan_2"};
  REQUIRE(world.result(without) == ChangeResult::committed);
  CHECK(world.load_plan("1", {"price", StripeId{"price_1"}}).price == without.price);
}

TEST_CASE("a subscription is written with its addons and read back as it was", "[catalog]") {
  World world;
  world.subscribe("1");
  REQUIRE(world.result(world.product("2")) == ChangeResult::committed);
  auto change = world.subscription("1");
  CHECK(world.load_subscription("1").subscription == change.subscription);

  advance(change.subscription);
  change.mapping.reset();
  change.stripe_object.reset();
  auto& terms = change.subscription->terms;
  SECTION("one gone, one changed, one new") {
    terms.addons = {World::attached("si_2", "2"), World::attached("si_3", "1")};
    terms.addons.front().quantity = 9;
  }
  SECTION("the only one gone") {
    terms.addons = {World::attached("si_4", "2")};
  }
  SECTION("none left, and a column of every kind emptied") {
    terms.addons.clear();
    terms.quantity.reset();
    terms.start_date.reset();
    terms.subscription_status = SubscriptionStatus::cancelled;
    terms.plan_id = PlanId{"plan_2"};
    terms.end_date = terms.cancelled_at = kStart + 2s;
    change.subscription->seen_items.clear();
  }
  REQUIRE(world.result(change) == ChangeResult::committed);
  CHECK(world.load_subscription("1").subscription == change.subscription);
}

TEST_CASE("detaching touches no other subscription's addons", "[catalog]") {
  World world;
  world.subscribe("1");
  world.subscribe("2");
  auto first = world.subscription("1");
  auto second = world.subscription("2");
  for (auto* change : {&first, &second}) {
    advance(change->subscription);
    change->mapping.reset();
    change->stripe_object.reset();
  }
  first.subscription->terms.addons = {World::attached("si_9", "2")};  // second keeps its si_2
  for (const auto& reply : world.submit({second, first})) {
    CHECK(reply.result == ChangeResult::committed);
  }
  CHECK(world.load_subscription("1").subscription == first.subscription);
  CHECK(world.load_subscription("2").subscription == second.subscription);
}

TEST_CASE("a row of the catalog that has moved on refuses the change, and all that came with it", "[catalog]") {
  World world;
  world.subscribe("1");
  REQUIRE(world.result(world.price("1")) == ChangeResult::committed);
  for (const std::int64_t version : {1, 3}) {
    auto plan = world.product("1");
    advance(plan.addon);
    plan.plan->version = version;
    plan.stripe_object.reset();
    auto addon = world.product("1");
    advance(addon.plan);
    addon.addon->version = version;
    addon.stripe_object.reset();
    auto price = world.price("1");
    price.price->version = version;
    price.stripe_object.reset();
    auto subscription = world.subscription("1");
    subscription.subscription->version = version;
    subscription.subscription->terms.addons.clear();
    subscription.stripe_object.reset();
    auto product = world.price("2");
    product.product = World::shadow("product", "prod_1", "plan_1");
    product.product->version = version;
    for (const auto& reply : world.submit({plan, addon, price, subscription, product})) {
      CHECK(reply.result == ChangeResult::stale_version);
    }
  }
  CHECK(world.value("SELECT count(*) FROM subscription_addons") == "1");
  CHECK(world.value("SELECT count(*) FROM prices") == "1");
  CHECK(world.value("SELECT max(version) FROM plans") == "1");
}

TEST_CASE("the database refuses what the catalog's rules forbid", "[catalog]") {
  World world;
  world.subscribe("1");
  auto twin = world.product("2");
  twin.addon->lookup_key = "key_1";
  const auto reply = world.submit({twin}).front();
  CHECK(reply.result == ChangeResult::conflict);
  CHECK(reply.message.find("lookup_key 'key_1'") != std::string::npos);
  twin.addon->status = Status::deleted;
  CHECK(world.result(twin) == ChangeResult::committed);

  auto second = world.product("3");
  second.mapping->provider_entity_id = second.addon_mapping->provider_entity_id = "prod_1";
  const auto mapped = world.submit({second}).front();
  CHECK(mapped.result == ChangeResult::conflict);
  CHECK(mapped.message == "Stripe object prod_1 is already mapped to another plan or addon");

  REQUIRE(world.result(world.creation("9")) == ChangeResult::committed);
  CHECK(world.result(world.subscription("9")) == ChangeResult::rejected);  // no such plan
  auto orphan = world.subscription("1");
  orphan.subscription->id = SubscriptionId{"subs_7"};
  orphan.mapping.reset();
  orphan.stripe_object.reset();
  orphan.subscription->terms.customer_id = CustomerId{"cust_7"};
  CHECK(world.result(orphan) == ChangeResult::rejected);
  orphan.subscription->terms.customer_id = CustomerId{"cust_1"};
  orphan.subscription->terms.addons.front().addon_id = AddonId{"addon_7"};
  CHECK(world.result(orphan) == ChangeResult::rejected);
}

TEST_CASE("a batch of everything is one commit, and its losers cost the others nothing", "[catalog]") {
  World world;
  std::vector<ChangeSet> first;
  std::vector<ChangeSet> second;
  for (int i = 0; i < 20; ++i) {
    const auto n = std::to_string(i);
    first.push_back(world.creation(n));
    first.push_back(world.product(n));
    second.push_back(world.price(n));
    second.push_back(world.subscription(n));
  }
  for (const auto& reply : world.submit(first)) {
    REQUIRE(reply.result == ChangeResult::committed);
  }
  second[4].price->billing_period_count = 0;        // breaks a check constraint
  second[9].subscription->version = 2;              // nobody has written 1
  second[13].subscription->terms.currency = "gbp";  // just another
  const auto replies = world.submit(second);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    CAPTURE(i, replies[i].message);
    CHECK(replies[i].result == (i == 4   ? ChangeResult::rejected
                                : i == 9 ? ChangeResult::stale_version
                                         : ChangeResult::committed));
  }
  CHECK(world.value("SELECT count(*) FROM prices") == "19");
  CHECK(world.value("SELECT count(*) FROM subscriptions") == "19");
  CHECK(world.value("SELECT count(*) FROM subscription_addons") == "19");
}
