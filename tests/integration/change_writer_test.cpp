#include "store/change_writer.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "integration/change_world.hpp"

using namespace flexsync;
using flexsync::testing::kStart;
using flexsync::testing::PostgresFixture;

namespace {

using World = flexsync::testing::ChangeWorld;

}  // namespace

TEST_CASE("a change set is written whole and read back as it was", "[change_writer]") {
  World world;
  const auto change = world.creation("1");
  REQUIRE(world.result(change) == ChangeResult::committed);

  const auto stored = world.load("cust_1", "cus_1");
  CHECK(stored.customer == change.customer);
  CHECK(stored.mapping == change.mapping);
  CHECK(stored.shadow == change.stripe_object);
  CHECK(world.value("SELECT outcome FROM inbox_outcomes") == "applied");
  CHECK(world.value("SELECT count(*) FROM audit_log WHERE entity_type = 'customer'") == "1");
}

TEST_CASE("an effect happens once: the second change set of an event writes nothing", "[change_writer]") {
  World world;
  const auto change = world.creation("1");
  REQUIRE(world.result(change) == ChangeResult::committed);
  auto again = change;
  again.customer->version = 2;
  again.stripe_object->version = 2;
  CHECK(world.result(again) == ChangeResult::already_settled);
  CHECK(world.value("SELECT version FROM customers") == "1");
}

TEST_CASE("a row that has moved on refuses the change, and all that came with it", "[change_writer]") {
  World world;
  REQUIRE(world.result(world.creation("1")) == ChangeResult::committed);
  auto stale = world.creation("2");
  stale.customer->id = CustomerId{"cust_1"};
  stale.customer->external_id = "ext_1";
  SECTION("a lower version") {
    stale.customer->version = 1;
  }
  SECTION("a version that nobody read") {
    stale.customer->version = 3;
  }
  CHECK(world.result(stale) == ChangeResult::stale_version);
  CHECK(world.value("SELECT count(*) FROM inbox_outcomes") == "1");
  CHECK(world.value("SELECT count(*) FROM stripe_objects") == "1");
}

TEST_CASE("a supervisor that was replaced writes nothing", "[change_writer]") {
  World world;
  const auto change = world.creation("1");
  world.own(world.scope);
  CHECK(world.result(change) == ChangeResult::stale_epoch);
  CHECK(world.value("SELECT count(*) FROM customers") == "0");
}

TEST_CASE("losers cost the others of their batch nothing", "[change_writer]") {
  World world;
  std::vector<ChangeSet> changes;
  for (int i = 0; i < 40; ++i) {
    changes.push_back(world.creation(std::to_string(i)));
  }
  changes[7].epoch += 1;
  changes[13].customer->version = 5;
  changes[21].customer->external_id = "ext_20";
  changes[25].mapping->entity_id = "cust_24";
  changes[30].customer->fields.address_country = "Germany";  // breaks a check constraint
  const auto replies = world.submit(changes);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const auto expected = i == 7    ? ChangeResult::stale_epoch
                          : i == 13 ? ChangeResult::stale_version
                          : i == 21 ? ChangeResult::conflict
                          : i == 25 ? ChangeResult::conflict
                          : i == 30 ? ChangeResult::rejected
                                    : ChangeResult::committed;
    CHECK(replies[i].result == expected);
  }
  CHECK(replies[21].message ==
        "external_id 'ext_20' already belongs to another customer; change one of the two, then "
        "redrive");
  CHECK(replies[25].message ==
        "customer cust_24 is already mapped to another Stripe object; end one of the mappings, then redrive");
  CHECK(world.value("SELECT count(*) FROM customers") == "35");
  CHECK(world.value("SELECT count(*) FROM inbox_outcomes") == "35");
}

TEST_CASE("a parked event counts its attempts and ends when it is settled", "[change_writer]") {
  World world;
  auto parking = world.creation("1");
  const auto applied = parking;
  parking.customer.reset();
  parking.mapping.reset();
  parking.stripe_object.reset();
  parking.audit.clear();
  parking.settlement->outcome = InboxOutcome::parked;
  parking.parked = ParkedEvent{ParkedState::retrying, 1, kStart, "stripe_unavailable", "timeout"};
  REQUIRE(world.result(parking) == ChangeResult::committed);
  parking.settlement->was_parked = true;
  parking.parked->attempts = 2;
  parking.parked->state = ParkedState::dead;
  REQUIRE(world.result(parking) == ChangeResult::committed);
  CHECK(world.value("SELECT state || attempts FROM parked_events") == "dead2");
  CHECK(world.value("SELECT count(*) FROM inbox_attempts") == "2");

  CHECK(world.result(applied) == ChangeResult::already_settled);  // a reader that did not know it was parked
  auto redriven = applied;
  redriven.settlement->was_parked = true;
  CHECK(world.result(redriven) == ChangeResult::committed);
  CHECK(world.value("SELECT count(*) FROM parked_events") == "0");
  CHECK(world.value("SELECT outcome FROM inbox_outcomes") == "applied");
}

TEST_CASE("while PostgreSQL is gone changes are answered unavailable; afterwards they go through", "[change_writer]") {
  World world;
  const auto change = world.creation("1");
  PostgresFixture::instance().terminate_backends(world.database.name());
  auto result = world.result(change);
  if (result == ChangeResult::unavailable) {
    result = world.result(change);
  }
  CHECK(result == ChangeResult::committed);
  CHECK(world.value("SELECT count(*) FROM customers") == "1");
}
