#include "store/outbox_source.hpp"

#include <catch2/catch.hpp>
#include <future>

#include "integration/change_world.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::store::OutboxPage;
using flexsync::store::StoreOutboxSource;
using flexsync::testing::ChangeWorld;
using flexsync::testing::kStart;

namespace {

using Ids = std::vector<std::string>;

struct World : ChangeWorld {
  // Intents of the tenant's customers, one after the other: seqs in this order.
  void add(const std::vector<Intent>& intents) {
    ChangeSet change;
    change.scope = scope;
    change.epoch = epoch;
    change.new_intents = intents;
    REQUIRE(result(change) == ChangeResult::committed);
  }

  OutboxPage page(Timestamp now = kStart, std::vector<std::string> busy = {}, int rows_max = 100) {
    std::promise<Result<OutboxPage>> promise;
    source.read_ready(scope, now, rows_max, std::move(busy), [&](auto read) { promise.set_value(std::move(read)); });
    auto read = promise.get_future().get();
    REQUIRE(read);
    return std::move(*read);
  }

  Ids ids(Timestamp now = kStart, std::vector<std::string> busy = {}, int rows_max = 100) {
    Ids found;
    for (const auto& row : page(now, std::move(busy), rows_max).rows) {
      found.push_back(row.intent.id.str());
    }
    return found;
  }

  void settle(const std::string& id) {
    sql("UPDATE outbox SET state = 'settled', settled_at = now() WHERE id = '" + id + "'");
  }

  StoreOutboxSource source{pool};
};

}  // namespace

TEST_CASE("of each entity its oldest ready intent is read, those that were due first come first", "[outbox_source]") {
  World world;
  world.add({World::intent("a1", "cust_a", kStart - 1s), World::intent("b1", "cust_b", kStart - 3s),
             World::intent("a2", "cust_a", kStart - 9s), World::intent("c1", "cust_c", kStart - 2s),
             World::intent("d1", "cust_d", kStart - 3s)});
  CHECK(world.ids() == Ids{"b1", "d1", "c1", "a1"});
  CHECK(world.ids(kStart, {}, 2) == Ids{"b1", "d1"});
  world.settle("a1");
  CHECK(world.ids() == Ids{"a2", "b1", "d1", "c1"});
}

TEST_CASE("an entity that has an intent in flight is left out, and takes no place of another", "[outbox_source]") {
  World world;
  world.add({World::intent("a1", "cust_a", kStart - 3s), World::intent("a2", "cust_a", kStart - 2s),
             World::intent("b1", "cust_b", kStart - 1s)});
  CHECK(world.ids(kStart, {"cust_a"}, 1) == Ids{"b1"});
  CHECK(world.ids(kStart, {"cust_a", "cust_b", "{\"odd\",}"}).empty());
}

TEST_CASE("an intent waits for its time, and those behind it for the intent", "[outbox_source]") {
  World world;
  CHECK_FALSE(world.page().next_due);
  world.add({World::intent("a1", "cust_a", kStart + 10s), World::intent("a2", "cust_a", kStart - 1s),
             World::intent("b1", "cust_b", kStart + 20s)});
  CHECK(world.ids().empty());
  CHECK(world.page().next_due == kStart + 10s);
  CHECK(world.ids(kStart + 10s) == Ids{"a1"});
  CHECK(world.page(kStart + 10s).next_due == kStart + 20s);
  CHECK_FALSE(world.page(kStart + 20s).next_due);
}

TEST_CASE("what is finished is not read, whatever became of it", "[outbox_source]") {
  World world;
  for (const std::string state : {"settled", "refused", "superseded"}) {
    auto intent = World::intent(state, "cust_" + state);
    intent.state = parse_intent_state(state);
    world.add({intent});
  }
  CHECK(world.ids().empty());
  CHECK_FALSE(world.page(kStart - 1h).next_due);
}

TEST_CASE("a row comes whole, with the Stripe id its entity is mapped to", "[outbox_source]") {
  World world;
  const auto intent = World::intent("a1", "cust_1");
  world.add({intent, World::intent("b1", "cust_2")});
  auto creation = world.creation("1");
  REQUIRE(world.result(creation) == ChangeResult::committed);
  auto rows = world.page().rows;
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].stripe_id == StripeId{"cus_1"});
  CHECK(rows[1].stripe_id.empty());
  CHECK(rows[0].intent.seq > 0);
  rows[0].intent.seq = 0;
  CHECK(rows[0].intent == intent);

  world.sql("UPDATE entity_integration_mappings SET status = 'deleted'");
  CHECK(world.page().rows[0].stripe_id.empty());
}

TEST_CASE("another tenant's intents are neither read nor in the way", "[outbox_source]") {
  World world;
  world.add({World::intent("theirs", "cust_a", kStart - 1s), World::intent("later", "cust_b", kStart + 1s)});
  world.scope = world.new_scope("Stranger");
  world.epoch = world.own(world.scope);
  CHECK(world.ids().empty());
  CHECK_FALSE(world.page().next_due);
  world.add({World::intent("ours", "cust_a")});
  CHECK(world.ids() == Ids{"ours"});
}

TEST_CASE("depths count what is open, since when, and what was refused", "[outbox_source]") {
  World world;
  const auto depth = [&] {
    std::promise<Result<std::vector<StoreOutboxSource::Depth>>> promise;
    world.source.depths([&](auto depths) { promise.set_value(std::move(depths)); });
    const auto depths = promise.get_future().get();
    REQUIRE(depths);
    REQUIRE(depths->size() == 1);
    CHECK(depths->front().scope == world.scope);
    return depths->front();
  };
  CHECK(depth().ready == 0);
  CHECK(depth().refused == 0);
  auto old = World::intent("old", "cust_a", kStart + 1h);
  old.created_at = kStart - 1h;
  auto refused = World::intent("refused", "cust_b");
  refused.state = IntentState::refused;
  auto settled = World::intent("settled", "cust_c");
  settled.state = IntentState::settled;
  settled.created_at = kStart - 2h;
  world.add({World::intent("new", "cust_a"), old, refused, settled});
  CHECK(depth().ready == 2);
  CHECK(depth().oldest == kStart - 1h);
  CHECK(depth().refused == 1);
}

TEST_CASE("a page of ten thousand intents of five thousand entities is the oldest of each", "[outbox_source]") {
  World world;
  const auto key = "'" + world.scope.tenant.str() + "', '" + world.scope.environment.str() + "', ";
  world.sql("INSERT INTO outbox SELECT " + key +
            "n, 'intent_' || n, 'customer', 'cust_' || (n % 5000), 'update_customer', 'name=x', 'key_' || n, '{name}',"
            " 'ready', 0, 'epoch'::timestamptz + n * interval '1 second', false, '', '', '', now(), now(), NULL"
            " FROM generate_series(1, 10000) n");
  const auto rows = world.page(kStart, {"cust_3"}, 64).rows;
  REQUIRE(rows.size() == 64);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].intent.seq == static_cast<std::int64_t>(i + (i < 2 ? 1 : 2)));
  }
  CHECK(world.page(kStart, {}, 20'000).rows.size() == 5000);
}
