#include "actors/node_supervisor.hpp"

#include <catch2/catch.hpp>

#include "support/actor_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Fixture : ActorFixture {
  void start() {
    node = own(system.spawn(node_supervisor, services()));
    run();
  }

  void wake(const Scope& scope) {
    caf::anon_send(node, wake_atom::value, scope);
    run();
  }

  std::int64_t update(const Scope& scope, std::int64_t second, const std::string& name) {
    return deliver("evt_" + std::to_string(second), "customer.updated", customer_state("cus_1", name),
                   kSecondZero + second, scope);
  }

  std::string name(const Scope& scope) const {
    const auto* known = store.customer_of(scope, StripeId("cus_1"));
    return known == nullptr ? "" : known->fields.name;
  }

  node_supervisor_actor node;
};

}  // namespace

TEST_CASE("a tenant is started when it is woken, and only then") {
  Fixture f;
  f.held.hold.insert("work");
  f.start();
  CHECK(f.live("tenant_supervisor") == 0);
  f.update(kTenant, 0, "Ada");
  f.wake(kTenant);
  CHECK(f.live("tenant_supervisor") == 1);
  CHECK(f.name(kTenant) == "Ada");
  f.update(kTenant, 1, "Bob");
  f.wake(kTenant);
  CHECK(f.live("tenant_supervisor") == 1);
  CHECK(f.name(kTenant) == "Bob");
}

TEST_CASE("work that nobody announced is found at the start and by the sweep") {
  Fixture f;
  f.update(kTenant, 0, "Ada");
  f.start();
  CHECK(f.name(kTenant) == "Ada");
  f.update(kOtherTenant, 0, "Bob");
  f.advance(f.config.node_sweep_interval + milliseconds{100});
  CHECK(f.name(kOtherTenant) == "Bob");
}

TEST_CASE("a tenant supervisor that crashes is started again after a back-off, and loses nothing") {
  Fixture f;
  f.held.hold.insert("work");
  f.inbox.pages[kTenant].next(ReadFault::throws, 2);
  f.start();
  f.update(kTenant, 0, "Ada");
  f.wake(kTenant);
  CHECK(f.live("tenant_supervisor") == 0);
  CHECK(f.name(kTenant).empty());
  f.wake(kTenant);  // does not shorten the back-off
  CHECK(f.live("tenant_supervisor") == 0);
  f.advance(f.config.restart_base * 4);
  CHECK(f.live("tenant_supervisor") == 1);
  CHECK(f.name(kTenant) == "Ada");
  CHECK(f.store.epoch(kTenant) == 3);
  CHECK(f.metrics.actor_restarts("tenant_supervisor").Value() == 2);
}

TEST_CASE("a tenant that keeps failing is started ever less often, and disturbs no other") {
  Fixture f;
  f.inbox.pages[kTenant].next(ReadFault::throws, 100'000);
  f.start();
  f.update(kTenant, 0, "Ada");
  f.wake(kTenant);
  for (int i = 0; i < 20; ++i) {
    f.update(kOtherTenant, i, "name " + std::to_string(i));
    f.wake(kOtherTenant);
    CHECK(f.name(kOtherTenant) == "name " + std::to_string(i));
    f.advance(seconds{3});
  }
  CHECK(f.store.epoch(kOtherTenant) == 1);  // never started again
  const auto restarts = f.metrics.actor_restarts("tenant_supervisor").Value();
  CHECK(restarts >= 6);
  CHECK(restarts <= 14);
  f.inbox.pages[kTenant].clear();
  f.advance(f.config.restart_cap + seconds{1});
  CHECK(f.name(kTenant) == "Ada");
}

TEST_CASE("one that lived long before it failed is started again soon") {
  Fixture f;
  f.held.hold.insert("work");
  f.start();
  for (int i = 0; i < 12; ++i) {
    f.inbox.pages[kTenant].next(ReadFault::throws);
    f.wake(kTenant);
    f.advance(f.config.restart_base * 2);
    CHECK(f.live("tenant_supervisor") == 1);
    f.advance(f.config.restart_cap + seconds{5});
  }
}

TEST_CASE("a deposed tenant is forgotten, and comes back when there is work for it here") {
  Fixture f;
  f.update(kTenant, 0, "Ada");
  f.start();
  f.store.take_ownership(kTenant);
  f.update(kTenant, 1, "Bob");
  f.wake(kTenant);
  CHECK(f.live("tenant_supervisor") == 0);
  CHECK(f.name(kTenant) == "Ada");
  f.advance(f.config.node_sweep_interval + milliseconds{100});
  CHECK(f.live("tenant_supervisor") == 1);
  CHECK(f.name(kTenant) == "Bob");
}

TEST_CASE("when the node stops, everything stops") {
  Fixture f;
  f.update(kTenant, 0, "Ada");
  f.update(kOtherTenant, 0, "Bob");
  f.start();
  CHECK(f.live("customer_sync") == 2);
  caf::anon_send_exit(f.node, caf::exit_reason::user_shutdown);
  f.run();
  for (const auto* kind : {"node_supervisor", "tenant_supervisor", "stripe_client", "customer_sync"}) {
    CHECK(f.live(kind) == 0);
  }
}
