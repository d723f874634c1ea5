#include "store/reconcile_source.hpp"

#include <catch2/catch.hpp>
#include <future>

#include "integration/catalog_world.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::CatalogWorld;
using flexsync::testing::kStart;

namespace {

struct World : CatalogWorld {
  template <class Value, class Ask>
  Value read(Ask ask) {
    std::promise<Result<Value>> promise;
    ask([&](Result<Value> value) { promise.set_value(std::move(value)); });
    auto value = promise.get_future().get();
    REQUIRE(value);
    return *value;
  }

  std::optional<store::ReconcileBasis> basis() {
    return read<std::optional<store::ReconcileBasis>>([&](auto reply) { source.basis(scope, reply); });
  }

  std::map<StripeId, KnownObject> known(const std::string& type, std::vector<StripeId> ids) {
    return read<std::map<StripeId, KnownObject>>([&](auto reply) { source.known(scope, type, ids, reply); });
  }

  std::vector<std::string> mirrored(const std::string& after, Timestamp seen_before, int rows = 100) {
    const auto page = read<std::vector<MirroredObject>>([&](auto reply) {
      source.mirrored(scope, {"product", after, seen_before, rows}, reply);
    });
    std::vector<std::string> ids;
    for (const auto& object : page) {
      ids.push_back(object.shadow.stripe_id.str());
    }
    return ids;
  }

  // An event about the object that ended as a dead letter.
  void park_event_of(const std::string& product) {
    park(scope, store_event(scope, "evt_99", "product.updated", product), "evt_99", "dead");
    sql("UPDATE parked_events SET object_type = 'product', object_id = '" + product + "' WHERE event_id = 'evt_99'");
  }

  ConnectionId connect() {
    Connection wanted;
    wanted.scope = scope;
    wanted.name = "Stripe";
    wanted.provider_type = "stripe";
    StripeSecrets key;
    key.secret_key = Secret("sk_test_1");
    const auto made = provisioning.create_connection(wanted, key, admin);
    REQUIRE(made);
    return made->id;
  }

  store::StoreReconcileSource source{pool};
};

}  // namespace

TEST_CASE("a round's basis is the connection, and when one of it was last finished", "[reconcile_source]") {
  World world;
  CHECK_FALSE(world.basis());
  const auto connection = world.connect();
  REQUIRE(world.basis());
  CHECK(world.basis()->connection == connection);
  CHECK_FALSE(world.basis()->walked_at);
  std::promise<Result<void>> finished;
  world.source.finish(world.scope, connection, kStart + 7us, 12, 3, [&](Result<void> r) { finished.set_value(r); });
  REQUIRE(finished.get_future().get());
  CHECK(world.basis()->walked_at == kStart + 7us);
  CHECK(world.value("SELECT compared || '/' || different FROM reconcile_walks") == "12/3");
}

TEST_CASE("shadows are known by id, with whether an event about them waits", "[reconcile_source]") {
  World world;
  for (const auto* n : {"1", "2", "3"}) {
    REQUIRE(world.result(world.product(n)) == ChangeResult::committed);
  }
  world.park_event_of("prod_2");
  const auto known = world.known("product", {StripeId("prod_2"), StripeId("prod_3"), StripeId("prod_9")});
  REQUIRE(known.size() == 2);
  CHECK(known.at(StripeId("prod_2")).waits);
  CHECK_FALSE(known.at(StripeId("prod_3")).waits);
  CHECK(known.at(StripeId("prod_3")).shadow->version == 1);
  CHECK(world.known("customer", {StripeId("prod_3")}).empty());

  world.sql("UPDATE parked_events SET object_id = 'prod_9'");
  const auto absent = world.known("product", {StripeId("prod_9")});
  REQUIRE(absent.size() == 1);
  CHECK(absent.at(StripeId("prod_9")).waits);
  CHECK_FALSE(absent.at(StripeId("prod_9")).shadow);
  CHECK(world.known("customer", {StripeId("prod_9")}).empty());
}

TEST_CASE("what is mirrored is paged by id, without tombstones and what is too young", "[reconcile_source]") {
  World world;
  for (const auto* n : {"1", "2", "3", "4"}) {
    REQUIRE(world.result(world.product(n)) == ChangeResult::committed);
  }
  world.sql("UPDATE stripe_objects SET deleted = true WHERE stripe_id = 'prod_2'");
  world.sql("UPDATE stripe_objects SET true_from = '2500-01-01', true_to = '2500-01-01' WHERE stripe_id = 'prod_3'");
  const auto later = kStart + 24h * 365;
  CHECK(world.mirrored("", later) == std::vector<std::string>{"prod_1", "prod_4"});
  CHECK(world.mirrored("", later, 1) == std::vector<std::string>{"prod_1"});
  CHECK(world.mirrored("prod_1", later) == std::vector<std::string>{"prod_4"});
  CHECK(world.mirrored("prod_4", later).empty());
}

TEST_CASE("marked shadows are found, but for those that are final or wait", "[reconcile_source]") {
  World world;
  for (const auto* n : {"1", "2", "3"}) {
    REQUIRE(world.result(world.product(n)) == ChangeResult::committed);
  }
  const auto marked = [&] {
    return world.read<std::vector<MirroredObject>>([&](auto reply) { world.source.marked(world.scope, 10, reply); });
  };
  CHECK(marked().empty());
  world.sql("UPDATE stripe_objects SET needs_reconcile = true");
  world.sql("UPDATE stripe_objects SET deleted = true WHERE stripe_id = 'prod_3'");
  CHECK(marked().size() == 2);
  world.park_event_of("prod_2");
  REQUIRE(marked().size() == 1);
  CHECK(marked()[0].shadow.stripe_id == StripeId("prod_1"));
  // One that has ended may change.
  world.sql("UPDATE stripe_objects SET object_type = 'subscription' WHERE stripe_id = 'prod_3'");
  CHECK(marked().size() == 2);
}
