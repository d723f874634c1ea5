// A hot object, a failing object and a tenant that is far behind slow nobody else. Asserted by order: who was done
// before how much of whom. With a real store and 100,000 rows: tests/integration/isolation_test.cpp.
#include <algorithm>
#include <catch2/catch.hpp>

#include "actors/node_supervisor.hpp"
#include "support/actor_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::seconds;

namespace {

struct Fixture : ActorFixture {
  void start() {
    node = own(system.spawn(node_supervisor, services()));
    run();
  }

  std::int64_t update(const std::string& customer, std::int64_t second, const Scope& scope = kTenant) {
    const auto event = "evt_" + customer + "_" + std::to_string(second);
    return deliver(event, "customer.updated", customer_state(customer, event), kSecondZero + second, scope);
  }

  void update_many(const std::string& customer, int events) {
    for (int i = 0; i < events; ++i) {
      update(customer, i);
    }
  }

  // Its actor fails on every one of its events, for what is stored of it cannot be read.
  void poison(const std::string& customer) {
    Customer ours;
    ours.id = CustomerId("cust_" + customer);
    ours.external_id = customer;
    ours.version = 1;
    store.put(kTenant, ours);
    store.put(kTenant, StripeObject{"customer", StripeId(customer), ours.id.str(), "{", {}, false, false, 1});
  }

  // Every call that waits for the store is answered once: so much happens between one question and its answer.
  void turn() {
    held.hold_all = true;
    for (auto waiting = held.waiting(); waiting > 0; --waiting) {
      held.finish_first();
    }
    run();
  }

  std::size_t unsettled(const std::string& customer) const {
    return static_cast<std::size_t>(std::count_if(store.rows().begin(), store.rows().end(), [&](const auto& entry) {
      return entry.second.row.object_id == customer && !entry.second.settlement;
    }));
  }

  bool all_applied(const std::vector<std::int64_t>& seqs) const {
    return std::all_of(seqs.begin(), seqs.end(), [&](const auto seq) { return outcome(seq) == InboxOutcome::applied; });
  }

  // So many turns until these are applied.
  int turns_until(const std::vector<std::int64_t>& seqs) {
    int turns = 0;
    for (; !all_applied(seqs) && turns < 1'000; ++turns) {
      turn();
    }
    return turns;
  }

  node_supervisor_actor node;
};

constexpr int kTurnsAlone = 12;  // from "there is work" to "applied", for one event of one tenant, and some to spare

}  // namespace

TEST_CASE("a hot object: the others of its tenant are done before its first queue is") {
  Fixture f;
  f.update_many("cus_hot", 2'000);
  std::vector<std::int64_t> others;
  for (int i = 0; i < 50; ++i) {
    others.push_back(f.update("cus_" + std::to_string(i), 0));
  }
  f.held.hold_all = true;
  f.start();
  CHECK(f.turns_until(others) <= kTurnsAlone);
  CHECK(f.unsettled("cus_hot") > 2'000 - f.config.entity_queue_max);
  const auto skips = [](const auto& request) { return request.busy_objects == std::vector<std::string>{"cus_hot"}; };
  CHECK(std::any_of(f.inbox.page_requests.begin(), f.inbox.page_requests.end(), skips));

  const auto late = f.update("cus_late", 0);  // and one that comes now
  caf::anon_send(f.node, wake_atom::value, kTenant);
  f.run();
  CHECK(f.turns_until({late}) <= kTurnsAlone);
  CHECK(f.unsettled("cus_hot") > 1'900);

  f.held.hold_all = false;
  for (int i = 0; i < 5'000 && f.store.unsettled(kTenant) > 0; ++i) {
    f.held.finish_all();
    f.run();
  }
  CHECK(f.unsettled("cus_hot") == 0);
  for (const auto& [seq, row] : f.store.rows()) {
    CHECK(row.settlements == 1);
    CHECK(row.settlement->outcome == InboxOutcome::applied);  // in order: none was overtaken
  }
}

TEST_CASE("a failing object: the others are done before its actor is even started again") {
  Fixture f;
  f.poison("cus_poison");
  f.update_many("cus_poison", 300);
  std::vector<std::int64_t> others;
  for (int i = 0; i < 50; ++i) {
    others.push_back(f.update("cus_" + std::to_string(i), 0));
  }
  f.start();
  CHECK(f.all_applied(others));  // no time has passed
  CHECK(f.metrics.actor_restarts("customer_sync").Value() == 1);
  f.advance(seconds{30});
  const auto late = f.update("cus_late", 0);
  caf::anon_send(f.node, wake_atom::value, kTenant);
  f.run();
  CHECK(f.outcome(late) == InboxOutcome::applied);
  CHECK(f.unsettled("cus_poison") > 200);  // it goes on failing, ever more slowly
  CHECK(f.live("tenant_supervisor") == 1);
}

TEST_CASE("many failing objects: likewise, though they could fill all that may be in flight") {
  Fixture f;
  f.config.in_flight_max = 64;
  f.config.page_rows_max = 32;
  f.config.entity_queue_max = 8;
  for (int i = 0; i < 20; ++i) {
    f.poison("cus_poison" + std::to_string(i));
    f.update_many("cus_poison" + std::to_string(i), 30);
  }
  std::vector<std::int64_t> others;
  for (int i = 0; i < 100; ++i) {
    others.push_back(f.update("cus_" + std::to_string(i), 0));
  }
  f.start();
  CHECK(f.all_applied(others));
  CHECK(f.metrics.actor_restarts("customer_sync").Value() == 20);
}

TEST_CASE("a tenant far behind: another one's event takes no more turns than if it were alone") {
  const auto turns = [](int behind) {
    Fixture f;
    f.config.in_flight_max = 64;
    f.config.page_rows_max = 32;
    for (int i = 0; i < behind; ++i) {
      f.update("cus_" + std::to_string(i % 300), i);
    }
    f.held.hold_all = true;
    f.start();
    f.turn();
    f.turn();
    const auto other = f.update("cus_1", 0, kOtherTenant);
    caf::anon_send(f.node, wake_atom::value, kOtherTenant);
    f.run();
    const auto taken = f.turns_until({other});
    CHECK(f.store.unsettled(kTenant) >= static_cast<std::size_t>(behind) * 3 / 4);
    return taken;
  };
  CHECK(turns(3'000) == turns(0));
}
