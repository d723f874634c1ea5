#include <catch2/catch.hpp>
#include <future>

#include "integration/catalog_world.hpp"
#include "store/change_statements.hpp"
#include "store/session.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::kStart;

namespace {

struct World : testing::CatalogWorld {
  // The end of an attempt at an event that was stored now.
  ChangeSet parking(const std::string& event, const std::string& type, const std::string& object,
                    ParkedState state = ParkedState::dead) {
    auto change = empty_change();
    const auto seq = store_event(scope, event, type, object);
    change.settlement = InboxSettlement{seq, StripeEventId{event}, InboxOutcome::parked, "", false, kStart};
    change.parked = ParkedEvent{state, 1, kStart + 168h, "missing", "not there yet"};
    return change;
  }

  // A subscription's event that waits for this parent.
  ChangeSet blocked(const std::string& event, const ObjectKey& parent) {
    auto change = parking(event, "customer.subscription.created", "sub_1", ParkedState::blocked);
    change.parked->blocked_on = parent;
    return change;
  }

  void park_now(const ChangeSet& change) { REQUIRE(result(change) == ChangeResult::committed); }

  std::vector<store::InboxRow> due(Timestamp now) {
    std::promise<Result<std::vector<store::InboxRow>>> promise;
    store::StoreInboxSource(pool).read_due(scope, now, 10, [&](auto rows) { promise.set_value(std::move(rows)); });
    return *promise.get_future().get();
  }

  bool is_due(Timestamp now) { return !due(now).empty(); }

  std::string outcome(const std::string& event) {
    return value(
        "SELECT outcome || coalesce(': ' || nullif(reason, ''), '') FROM inbox_outcomes JOIN inbox USING "
        "(tenant_id, environment_id, seq) WHERE event_id = '" +
        event + "'");
  }
};

// A writer's connection whose transactions a test holds open.
class Writer {
 public:
  explicit Writer(const std::string& url)
      : session_({.url = url, .role = store::Role::apply}, store::prepare_change_statements),
        tx_(session_.connection()) {}

  ChangeResult apply(const ChangeSet& change) { return store::apply_changes(tx_, {&change}).front().result; }
  void commit() { tx_.commit(); }

 private:
  store::Session session_;
  pqxx::work tx_;
};

// `first` has written and not committed when `second` begins, which waits for it.
void interleave(World& world, const ChangeSet& first, const ChangeSet& second) {
  Writer earlier(world.database.url());
  REQUIRE(earlier.apply(first) == ChangeResult::committed);
  auto later = std::async(std::launch::async, [&] {
    Writer writer(world.database.url());
    const auto result = writer.apply(second);
    writer.commit();
    return result;
  });
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  const std::string waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
      " wait_event = 'advisory'";
  bool waited = false;
  while (!waited && std::chrono::steady_clock::now() < deadline) {
    waited = world.value(waiting) == "1";
  }
  earlier.commit();
  CHECK(later.get() == ChangeResult::committed);
  CHECK(waited);
}

const ObjectKey kCustomer{"customer", StripeId{"cus_1"}};
const ObjectKey kProduct{"product", StripeId{"prod_1"}};
const ObjectKey kPrice{"price", StripeId{"prod_1"}};  // in the other setting: the plan's mapping is a price's

}  // namespace

TEST_CASE("a blocked event sleeps until its parent is mapped, and is due then", "[parked]") {
  World world;
  world.park_now(world.blocked("evt_customer", kCustomer));
  world.park_now(world.blocked("evt_product", kProduct));
  world.park_now(world.blocked("evt_price", kPrice));
  CHECK_FALSE(world.is_due(kStart + 1h));
  REQUIRE(world.result(world.creation("2")) == ChangeResult::committed);  // a stranger
  REQUIRE(world.result(world.creation("1")) == ChangeResult::committed);
  auto rows = world.due(kStart);
  REQUIRE(rows.size() == 1);
  CHECK(rows.front().event_id.str() == "evt_customer");
  CHECK(rows.front().parked_at == kStart);
  REQUIRE(world.result(world.product("1")) == ChangeResult::committed);
  CHECK(world.due(kStart).size() == 3);
}

TEST_CASE("an event is due at once when its parent was mapped before it was parked", "[parked]") {
  World world;
  REQUIRE(world.result(world.creation("1")) == ChangeResult::committed);
  REQUIRE(world.result(world.product("1")) == ChangeResult::committed);
  SECTION("a customer") {
    world.park_now(world.blocked("evt_sub_1", kCustomer));
    CHECK(world.is_due(kStart));
  }
  SECTION("a product") {
    world.park_now(world.blocked("evt_sub_1", kProduct));
    CHECK(world.is_due(kStart));
  }
  SECTION("one of the same name that is something else") {
    world.park_now(world.blocked("evt_sub_1", {"customer", StripeId{"prod_1"}}));
    CHECK_FALSE(world.is_due(kStart + 1h));
  }
  SECTION("one whose mapping has ended") {
    world.sql("UPDATE entity_integration_mappings SET status = 'deleted'");
    world.park_now(world.blocked("evt_sub_1", kCustomer));
    CHECK_FALSE(world.is_due(kStart + 1h));
  }
}

TEST_CASE("parent and child in one batch: none sleeps", "[parked]") {
  World world;
  for (int round = 0; round < 10; ++round) {
    const auto n = std::to_string(round);
    const ObjectKey parent{"product", StripeId{"prod_" + n}};
    auto changes = std::vector{world.blocked("evt_" + n, parent), world.product(n)};
    if (round % 2 == 0) {
      std::swap(changes[0], changes[1]);
    }
    for (const auto& reply : world.submit(changes)) {
      REQUIRE(reply.result == ChangeResult::committed);
    }
    CHECK(world.due(kStart).size() == static_cast<std::size_t>(round) + 1);
  }
}

TEST_CASE("two connections, each with one of parent and child: the second waits, and none sleeps", "[parked]") {
  World world;
  const bool is_customer = GENERATE(true, false);
  const auto parent = is_customer ? world.creation("1") : world.product("1");
  const auto child = world.blocked("evt_sub_1", is_customer ? kCustomer : kProduct);
  SECTION("the child is parked first") {
    interleave(world, child, parent);
  }
  SECTION("the parent comes first") {
    interleave(world, parent, child);
  }
  CHECK(world.is_due(kStart));
}

TEST_CASE("a mapping that is written again wakes nobody", "[parked]") {
  World world;
  auto change = world.creation("1");
  REQUIRE(world.result(change) == ChangeResult::committed);
  world.park_now(world.blocked("evt_sub", kCustomer));
  world.sql("UPDATE parked_events SET next_attempt_at = 'infinity'");
  change.settlement.reset();
  change.customer.reset();
  change.stripe_object.reset();
  change.mapping->updated_at = kStart + 1s;
  REQUIRE(world.result(change) == ChangeResult::committed);
  CHECK_FALSE(world.is_due(kStart + 1h));
}

TEST_CASE("an event that is parked again keeps the time since when; one that was redriven begins anew", "[parked]") {
  World world;
  auto change = world.blocked("evt_sub_1", kProduct);
  world.park_now(change);
  change.settlement->was_parked = true;
  change.settlement->at = kStart + 1h;
  change.parked->next_attempt_at = kStart + 2h;
  world.park_now(change);
  CHECK(world.due(kStart + 3h).front().parked_at == kStart);
  world.sql("UPDATE parked_events SET state = 'redriven'");
  CHECK_FALSE(world.due(kStart + 3h).front().parked_at);
  world.park_now(change);
  CHECK(world.due(kStart + 3h).front().parked_at == kStart + 1h);
  change.parked->state = ParkedState::dead;
  world.park_now(change);
  CHECK(world.value("SELECT state || blocked_on_type || blocked_on_id FROM parked_events") == "dead");
}

TEST_CASE("a newer state supersedes what is blocked or dead of its object, and nothing else", "[parked]") {
  World world;
  world.park_now(world.parking("evt_dead", "product.updated", "prod_1"));
  world.park_now(world.parking("evt_blocked", "product.created", "prod_1", ParkedState::blocked));
  world.park_now(world.parking("evt_retrying", "product.updated", "prod_1", ParkedState::retrying));
  world.park_now(world.parking("evt_final", "product.deleted", "prod_1"));  // never superseded
  world.park_now(world.parking("evt_other", "product.updated", "prod_2"));
  world.park_now(world.parking("evt_fact", "invoice.paid", "prod_1"));
  auto price = world.parking("evt_price", "price.updated", "prod_1");  // its row names the product
  price.parked->object = {"price", StripeId{"price_1"}};
  world.park_now(price);
  world.park_now(world.parking("evt_nameless", "price.updated", "prod_1"));

  auto older = world.product("1");
  older.stripe_object->true_during.from = kStart - 1s;  // just when they were made
  REQUIRE(world.result(older) == ChangeResult::committed);
  CHECK(world.value("SELECT count(*) FROM parked_events") == "8");

  auto newer = world.empty_change();
  newer.stripe_object = older.stripe_object;
  newer.stripe_object->version = 2;
  newer.stripe_object->true_during.from = kStart - 1s + 1us;
  const auto seq = world.store_event(world.scope, "evt_newer", "product.updated", "prod_1");
  newer.settlement = InboxSettlement{seq, StripeEventId{"evt_newer"}, InboxOutcome::applied, "", false, kStart + 5s};
  REQUIRE(world.result(newer) == ChangeResult::committed);
  const std::string why = "superseded: a newer state of the object is known, by evt_newer";
  CHECK(world.outcome("evt_dead") == why);
  CHECK(world.outcome("evt_blocked") == why);
  CHECK(world.value("SELECT string_agg(event_id, ' ' ORDER BY event_id) FROM parked_events") ==
        "evt_fact evt_final evt_nameless evt_other evt_price evt_retrying");
  CHECK(world.outcome("evt_retrying") == "parked");

  auto fetched = world.price("1");
  fetched.stripe_object->true_during = {kStart, kStart + 1s};
  REQUIRE(world.result(fetched) == ChangeResult::committed);
  CHECK(world.outcome("evt_price") == "superseded: a newer state of the object was read from Stripe");
  CHECK(world.value("SELECT count(*) FROM parked_events") == "5");
}

TEST_CASE("a redrive of what was superseded settles nothing anew", "[parked]") {
  World world;
  auto dead = world.parking("evt_dead", "product.updated", "prod_1");
  world.park_now(dead);
  auto newer = world.product("1");
  newer.stripe_object->true_during.from = kStart;
  REQUIRE(world.result(newer) == ChangeResult::committed);
  dead.parked.reset();
  dead.settlement->was_parked = true;
  dead.settlement->outcome = InboxOutcome::applied;
  CHECK(world.result(dead) == ChangeResult::already_settled);
}
