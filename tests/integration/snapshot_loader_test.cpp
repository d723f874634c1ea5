#include "store/snapshot_loader.hpp"

#include <catch2/catch.hpp>

#include "integration/catalog_world.hpp"

using namespace flexsync;
using flexsync::testing::kStart;

namespace {

using World = flexsync::testing::CatalogWorld;

std::vector<std::string> ids(const std::vector<Intent>& intents) {
  std::vector<std::string> found;
  for (const auto& intent : intents) {
    found.push_back(intent.id.str());
  }
  return found;
}

}  // namespace

TEST_CASE("without a Stripe id the shadow is the mapped object's", "[snapshot_loader]") {
  World world;
  const auto first = world.creation("1");
  const auto second = world.creation("2");
  for (const auto& reply : world.submit({first, second})) {
    REQUIRE(reply.result == ChangeResult::committed);
  }
  CHECK(world.load("cust_1", "").shadow == first.stripe_object);
  CHECK(world.load("cust_1", "cus_2").shadow == second.stripe_object);  // one that only claims to be it
  CHECK_FALSE(world.load("cust_1", "cus_9").shadow);

  world.sql("UPDATE entity_integration_mappings SET status = 'deleted' WHERE entity_id = 'cust_1'");
  CHECK_FALSE(world.load("cust_1", "").shadow);
}

TEST_CASE("a snapshot holds the customer's own ready intents, in order of seq", "[snapshot_loader]") {
  World world;
  auto command = world.command("1");
  command.new_intents = {World::intent("b", "cust_1"), World::intent("other", "cust_2"), World::intent("a", "cust_1"),
                         World::intent("done", "cust_1")};
  command.new_intents.back().state = IntentState::superseded;
  auto product = World::intent("product", "cust_1");
  product.entity_type = "plan";
  command.new_intents.push_back(product);
  REQUIRE(world.result(command) == ChangeResult::committed);
  CHECK(ids(world.load("cust_1", "").intents) == std::vector<std::string>{"b", "a"});
  CHECK(world.load("cust_3", "").intents.empty());

  world.scope = world.new_scope("Stranger");
  CHECK(world.load("cust_1", "").intents.empty());
}

TEST_CASE("a plan is found by the price that is mapped to it, where each price is its own plan", "[snapshot_loader]") {
  World world;
  auto change = world.product("1");
  change.mapping->provider_entity_id = change.addon_mapping->provider_entity_id = "price_1";
  change.stripe_object = World::shadow("price", "price_1", "plan_1");
  change.product = World::shadow("product", "prod_1", "plan_9");
  REQUIRE(world.result(change) == ChangeResult::committed);
  store::SnapshotRequest request{world.scope, {EntityKind::plan, "plan_9"}, {"price", StripeId{"price_1"}}};
  request.product = {"product", StripeId{"prod_1"}};
  request.by_mapping = true;
  const auto stored = world.load(request);
  CHECK(stored.plan == change.plan);
  CHECK(stored.addon == change.addon);
  CHECK(stored.mapping == change.mapping);
  CHECK(stored.addon_mapping == change.addon_mapping);
  CHECK(stored.shadow == change.stripe_object);
  CHECK(stored.product == change.product);

  request.object.id = StripeId{"price_2"};
  const auto none = world.load(request);
  CHECK_FALSE(none.plan);
  CHECK_FALSE(none.mapping);
  CHECK(none.product == change.product);
}

TEST_CASE("a subscription's parents are found by mapping, else by shadow, where they exist", "[snapshot_loader]") {
  World world;
  world.subscribe("1");
  world.sql("UPDATE entity_integration_mappings SET status = 'deleted' WHERE entity_id = 'plan_1'");
  auto reserved = world.empty_change();
  reserved.stripe_object = World::shadow("customer", "cus_2", "cust_2");  // a name without a customer
  auto priced = world.empty_change();
  priced.stripe_object = World::shadow("price", "price_1", "plan_1");
  for (const auto& reply : world.submit({reserved, priced})) {
    REQUIRE(reply.result == ChangeResult::committed);
  }
  const ObjectKey customer{"customer", StripeId{"cus_1"}};
  const ObjectKey product{"product", StripeId{"prod_1"}};
  const ObjectKey price{"price", StripeId{"price_1"}};
  const auto stored = world.load_subscription(
      "1", {customer, product, price, {"customer", StripeId{"cus_2"}}, {"product", StripeId{"cus_1"}}});
  CHECK(stored.parents == std::map<ObjectKey, std::string>{
                              {customer, "cust_1"},
                              {product, "plan_1"},
                              {price, "plan_1"},
                          });
  CHECK(stored.mapping->provider_entity_id == "sub_1");
  CHECK(stored.shadow == world.subscription("1").stripe_object);  // the mapped one's

  world.scope = world.new_scope("Stranger");
  CHECK(world.load_subscription("1", {customer, product}) == EntitySnapshot{});
}

TEST_CASE("requests of every kind are answered each with its own", "[snapshot_loader]") {
  World world;
  std::vector<store::SnapshotRequest> requests;
  for (int i = 0; i < 10; ++i) {
    const auto n = std::to_string(i);
    world.subscribe(n);
    requests.push_back({world.scope, {EntityKind::customer, "cust_" + n}, {"customer", StripeId{"cus_" + n}}});
    requests.push_back({world.scope, {EntityKind::subscription, "subs_" + n}, {"subscription", StripeId{"sub_" + n}}});
    requests.back().parents = {{"product", StripeId{"prod_" + n}}};
    requests.push_back({world.scope, {EntityKind::plan, "plan_" + n}, {"product", StripeId{"prod_" + n}}});
  }
  const auto stored = world.load_all(requests);
  for (std::size_t i = 0; i < 10; ++i) {
    const auto n = std::to_string(i);
    const auto& customer = stored[i * 3];
    CHECK(customer.customer->id.str() == "cust_" + n);
    CHECK(customer.shadow->stripe_id.str() == "cus_" + n);
    CHECK_FALSE(customer.subscription);
    const auto& subscription = stored[i * 3 + 1];
    CHECK(subscription.subscription == world.subscription(n).subscription);
    CHECK(subscription.shadow->stripe_id.str() == "sub_" + n);
    CHECK(subscription.parents.begin()->second == "plan_" + n);
    const auto& plan = stored[i * 3 + 2];
    CHECK(plan.plan->id.str() == "plan_" + n);
    CHECK(plan.addon->id.str() == "addon_" + n);
    CHECK(plan.shadow->stripe_id.str() == "prod_" + n);
    CHECK(plan.addon_mapping->entity_id == "addon_" + n);
  }
}
