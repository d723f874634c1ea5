// A tenant that is 100,000 events behind, with an object whose actor fails and one that is hot in front of all others:
// with the real store and actors. Who was done before how much of whom is read from what the database says; nothing
// is measured in seconds. Each case by itself, in every turn: tests/actor/isolation_test.cpp.
#include <catch2/catch.hpp>

#include "actors/engine.hpp"
#include "app/demo/patience.hpp"
#include "integration/store_world.hpp"
#include "store/change_writer.hpp"
#include "store/inbox_source.hpp"
#include "store/outbox_source.hpp"
#include "store/snapshot_loader.hpp"

using namespace flexsync;
using flexsync::app::demo::wait_until;

namespace {

constexpr int kBehind = 100'000;
constexpr int kPoison = 500;  // of them in front, of one object that fails
constexpr int kHot = 20'000;  // behind those, of one object

struct NoStripe final : stripe::Transport {
  void send(stripe::HttpRequest, std::function<void(stripe::HttpResult)>) override {
    throw std::logic_error("no event here needs a look at Stripe");
  }
};

struct World : testing::StoreWorld {
  World() {
    engine.start(std::make_shared<const actors::Services>(
        actors::Services{changes, snapshots, inbox, outbox, transport,
                         [](const Scope&, std::function<void(Result<Secret>)> reply) { reply(Secret{}); },
                         [](std::function<void(Result<std::vector<Scope>>)> reply) { reply(std::vector<Scope>{}); },
                         system_clock, metrics, actors::ActorConfig{}}));
  }
  ~World() { engine.stop(); }

  // `object` and `number` are SQL, over the rows 1 to `count`.
  void put(const Scope& scope, int count, const std::string& object, const std::string& number = "n") {
    sql("INSERT INTO inbox (tenant_id, environment_id, event_id, event_type, object_type, object_id, api_version,"
        " stripe_created, received_at, request_id, payload_bytes, payload)"
        " SELECT '" +
        scope.tenant.str() + "', '" + scope.environment.str() +
        "', 'evt_' || object || '_' || number, 'customer.updated', 'customer', object, '2026-10-28', now(), now(),"
        " 'req_1', length(payload), convert_to(payload, 'UTF8')"
        " FROM (SELECT *, format('{\"id\":\"evt_%s_%s\",\"object\":\"event\",\"type\":\"customer.updated\","
        "\"created\":%s,\"livemode\":false,\"data\":{\"object\":{\"id\":\"%s\",\"object\":\"customer\","
        "\"name\":\"%s\",\"metadata\":{}}}}', object, number, 1790000000 + number, object, number) AS payload"
        " FROM (SELECT n, " +
        object + " AS object, " + number + " AS number FROM generate_series(1, " + std::to_string(count) +
        ") AS n) rows) events ORDER BY n");
  }

  // cus_poison's actor fails on every one of its events, for what is stored of it cannot be read.
  void poison(const Scope& scope) {
    const auto key = "'" + scope.tenant.str() + "', '" + scope.environment.str() + "', ";
    sql("INSERT INTO customers VALUES (" + key +
        "'cust_poison', 'poison', '', '', '', '', '', '', '', '', '', '{}', 'published', 1, now(), now(), 'x', "
        "'x');"
        "INSERT INTO stripe_objects VALUES (" +
        key + "'customer', 'cus_poison', 'cust_poison', '{}', 'epoch', 'epoch', false, false, 1)");
  }

  std::string of(const Scope& scope, const std::string& object) const {
    return "i.tenant_id = '" + scope.tenant.str() + "' AND i.object_id LIKE '" + object + "'";
  }

  bool is_applied(const Scope& scope, const std::string& object) { return settled(of(scope, object)) > 0; }

  int settled(const std::string& where) {
    return std::stoi(
        value("SET LOCAL enable_nestloop = off; SELECT count(*) FROM inbox i JOIN inbox_outcomes o USING (tenant_id, "
              "environment_id, seq)"
              " WHERE o.outcome = 'applied' AND " +
              where));
  }

  // So many of these were applied before this one object's event was.
  int applied_before(const std::string& these, const Scope& scope, const std::string& object) {
    return settled(these +
                   " AND o.settled_at < (SELECT p.settled_at FROM inbox_outcomes p JOIN inbox i"
                   " USING (tenant_id, environment_id, seq) WHERE " +
                   of(scope, object) + ")");
  }

  SystemClock system_clock;
  actors::Engine engine{{}};
  store::Precedence precedence;
  NoStripe transport;
  store::ChangeWriter changes{{.url = database.url()}, metrics, precedence};
  store::SnapshotLoader snapshots{{.url = database.url()}, metrics};
  store::StoreInboxSource inbox{pool};
  store::StoreOutboxSource outbox{pool};
};

}  // namespace

TEST_CASE("a tenant 100,000 events behind, with a hot and a failing object, slows nobody", "[isolation]") {
  World world;
  const auto behind = world.new_scope("Behind");
  const auto other = world.new_scope("Other");
  world.poison(behind);
  world.put(behind, kPoison, "'cus_poison'");
  world.put(behind, kHot, "'cus_hot'");
  world.put(behind, 1, "'cus_beside'");
  world.put(behind, kBehind - kPoison - kHot - 1, "'cus_' || n % 1000", "n / 1000 + 1");
  world.engine.wake(behind);
  wait_until("the backlog to move", [&] { return world.settled(world.of(behind, "cus_%")) > 1'000; });
  const auto before = world.settled(world.of(behind, "cus_%"));
  world.put(other, 1, "'cus_other'");
  world.engine.wake(other);
  wait_until("the other tenant's event", [&] { return world.is_applied(other, "cus_other"); });
  wait_until("the one beside the hot object", [&] { return world.is_applied(behind, "cus_beside"); });
  world.engine.stop();
  CHECK(world.applied_before(world.of(behind, "cus_%"), other, "cus_other") - before < kBehind / 10);
  CHECK(world.applied_before(world.of(behind, "cus_hot"), behind, "cus_beside") < kHot / 10);
  CHECK(world.settled(world.of(behind, "cus_poison")) == 0);
  CHECK(world.metrics.actor_restarts("customer_sync").Value() >= 1);
}
