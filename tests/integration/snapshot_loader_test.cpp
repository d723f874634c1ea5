#include "store/snapshot_loader.hpp"

#include <catch2/catch.hpp>

#include "integration/change_world.hpp"

using namespace flexsync;
using flexsync::testing::kStart;

namespace {

using World = flexsync::testing::ChangeWorld;

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
