// The supervisor with the real entity actors and Stripe client, over the fakes: feeding, settling, failing.
// Passivation and random schedules are in engine_simulation_test.cpp.
#include "actors/tenant_supervisor.hpp"

#include <catch2/catch.hpp>

#include "tenant_supervisor_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Fixture : SupervisorFixture {
  // An event of customer N, `second` seconds into the story.
  std::int64_t update(int customer, std::int64_t second, const std::string& name) {
    const auto id = "cus_" + std::to_string(customer);
    const auto event = "evt_" + std::to_string(customer) + "_" + std::to_string(second);
    return deliver(event, "customer.updated", customer_state(id, name), kSecondZero + second);
  }

  std::string name(int customer) const {
    const auto* known = store.customer_of(kTenant, StripeId("cus_" + std::to_string(customer)));
    return known == nullptr ? "" : known->fields.name;
  }
};

}  // namespace

TEST_CASE("the supervisor takes the tenant over and feeds what waits, page by page") {
  Fixture f;
  f.config.page_rows_max = 3;
  for (int i = 1; i <= 10; ++i) {
    f.update(i, 0, "Ada");
  }
  f.start();
  CHECK(f.store.epoch(kTenant) == 1);
  CHECK(f.store.unsettled(kTenant) == 0);
  CHECK(f.store.customers() == 10);
  CHECK(f.inbox.page_requests.size() >= 4);
  f.update(11, 0, "Bob");
  f.wake();
  CHECK(f.name(11) == "Bob");
}

TEST_CASE("taking over is tried again until the store is there") {
  Fixture f;
  f.inbox.ownership.next(ReadFault::unavailable, 3);
  f.update(1, 0, "Ada");
  f.start();
  CHECK(f.name(1).empty());
  f.advance(f.config.tick * 4);
  CHECK(f.name(1) == "Ada");
}

TEST_CASE("a page that cannot be read is read again") {
  Fixture f;
  f.inbox.pages[kTenant].next(ReadFault::unavailable, 2);
  f.update(1, 0, "Ada");
  f.start();
  CHECK(f.name(1).empty());
  f.advance(f.config.tick * 4);
  CHECK(f.name(1) == "Ada");
}

TEST_CASE("a busy object is skipped and taken up again: nothing lost, nothing doubled, others not held up") {
  Fixture f;
  f.config.entity_queue_max = 4;
  f.config.page_rows_max = 8;
  f.held.hold.insert("change");
  for (int i = 0; i < 40; ++i) {
    f.update(1, i, "name " + std::to_string(i));
  }
  const auto other = f.update(2, 0, "Bob");
  f.start();
  for (int i = 0; i < 1'000 && f.held.waiting("change") > 0; ++i) {
    f.held.finish("change");
    f.run();
    if (i == 10) {
      CHECK(f.outcome(other) == InboxOutcome::applied);
    }
  }
  CHECK(f.store.unsettled(kTenant) == 0);
  for (const auto& [seq, row] : f.store.rows()) {
    CHECK(row.settlements == 1);
    CHECK(row.settlement->outcome == InboxOutcome::applied);  // in order: none was overtaken
  }
  CHECK(f.changes.submitted.size() == 41);
  CHECK(f.name(1) == "name 39");
}

TEST_CASE("what is in flight is bounded: the rest waits in the database") {
  Fixture f;
  f.config.in_flight_max = 10;
  f.config.page_rows_max = 5;
  f.held.hold.insert("change");
  for (int i = 1; i <= 60; ++i) {
    f.update(i, 0, "Ada");
  }
  f.start();
  f.advance(seconds{20});
  CHECK(f.held.waiting("change") >= 10);
  CHECK(f.held.waiting("change") < 15);
  while (f.held.waiting("change") > 0) {
    f.held.finish("change");
    f.run();
    CHECK(f.held.waiting("change") < 15);
  }
  CHECK(f.store.unsettled(kTenant) == 0);
}

TEST_CASE("an object that metadata says is a customer of ours goes to that customer") {
  Fixture f;
  f.put_ours();
  for (const auto* claim : {"cust_ours", "our-7"}) {
    auto state = customer_state("cus_" + std::string(claim), "Ada");
    state.metadata["flexprice_customer_id"] = claim;
    f.deliver("evt_" + std::string(claim), "customer.created", state);
  }
  auto unknown = customer_state("cus_9", "Bob");
  unknown.metadata["flexprice_customer_id"] = "nobody";
  f.deliver("evt_9", "customer.created", unknown);
  f.inbox.claims.next(ReadFault::unavailable);
  f.start();
  f.advance(seconds{2});
  CHECK(f.mapped("cus_cust_ours") == "cust_ours");
  CHECK(f.outcome(1) == InboxOutcome::applied);
  CHECK(f.parked(2).error_code == "conflict");  // the second one that claims it
  CHECK(f.outcome(3) == InboxOutcome::applied);
  CHECK(f.store.customers() == 2);
}

TEST_CASE("claims that cannot be looked up for many sweeps lose nothing") {
  Fixture f;
  auto state = customer_state("cus_1", "Ada");
  state.metadata["flexprice_customer_id"] = "nobody";
  const auto seq = f.deliver("evt_1", "customer.created", state);
  f.inbox.claims.next(ReadFault::unavailable, 200);
  f.start();
  f.advance(seconds{30});
  CHECK_FALSE(f.outcome(seq).has_value());
  CHECK(f.store.watermark(kTenant) < seq);
  f.inbox.claims.clear();
  f.advance(seconds{10});
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.inbox.watermark_violations == 0);
}

TEST_CASE("what needs no entity actor is settled with its reason") {
  Fixture f;
  auto elsewhere = customer_state("cus_1", "Ada");
  elsewhere.metadata["flexprice_environment"] = "env_2";
  const auto foreign = f.deliver("evt_1", "customer.created", elsewhere);
  const auto later = f.deliver_other("evt_2", "invoice.paid", "{}");
  const auto unreadable = f.deliver_other("evt_3", "customer.updated", "{");
  f.start();
  CHECK(f.outcome(foreign) == InboxOutcome::ignored);
  CHECK(f.outcome(later) == InboxOutcome::deferred);
  CHECK(f.outcome(unreadable) == InboxOutcome::parked);
  CHECK(f.parked(unreadable).state == ParkedState::dead);
  CHECK(f.parked(unreadable).error_code == "unreadable");
  CHECK(f.store.customers() == 0);
}

TEST_CASE("an event that could not be settled for many sweeps is settled in the end; the watermark waits for it") {
  Fixture f;
  f.changes.script.next({ChangeResult::unavailable}, 6);
  const auto seq = f.deliver_other("evt_1", "invoice.paid", "{}");
  f.start();
  f.update(1, 0, "Ada");
  f.wake();
  f.advance(f.config.sweep_interval * 12);
  CHECK(f.outcome(seq) == InboxOutcome::deferred);
  CHECK(f.inbox.watermark_violations == 0);
}

TEST_CASE("a crash of an entity actor: the blamed event is parked, the rest sent again after a back-off") {
  Fixture f;
  f.held.hold.insert("change");
  const auto first = f.update(1, 0, "zero");
  f.start();
  f.changes.script.next({ChangeResult::committed, false, true});
  const auto blamed = f.update(1, 1, "one");
  const auto rest = f.update(1, 2, "two");
  f.wake();
  f.held.finish_all();
  f.run();
  f.held.hold.clear();
  f.held.finish_all();
  f.run();
  CHECK(f.outcome(first) == InboxOutcome::applied);
  CHECK_FALSE(f.outcome(rest).has_value());
  f.advance(f.config.restart_base * 2);
  CHECK(f.outcome(rest) == InboxOutcome::applied);
  CHECK(f.name(1) == "two");
  f.advance(seconds{5});
  CHECK(f.store.unsettled(kTenant) == 0);
  CHECK(f.store.row(blamed).settlements == 1);
}

TEST_CASE("a poison event ends as a dead letter, and its object goes on") {
  Fixture f;
  f.config.retry = {3, milliseconds{100}, milliseconds{200}};
  f.snapshots.script.next(ReadFault::throws, 3);
  auto state = customer_state("cus_1", "poison");
  f.store.put(kTenant, StripeObject{"customer",
                                    StripeId("cus_1"),
                                    "cust_1",
                                    stripe::to_canonical(state),
                                    {from_unix_seconds(0), from_unix_seconds(0)},
                                    false,
                                    false,
                                    1});
  const auto poison = f.update(1, 1, "poison");
  f.start();
  f.advance(seconds{10});
  CHECK(f.parked(poison).state == ParkedState::dead);
  CHECK(f.parked(poison).attempts == 3);
  CHECK(f.parked(poison).error_code == "actor_failed");
  f.update(1, 2, "fine");
  f.wake();
  CHECK(f.name(1) == "fine");
}

TEST_CASE("a deposed supervisor quits, with all it started") {
  Fixture f;
  f.update(1, 0, "Ada");
  f.start();
  CHECK(f.live("customer_sync") == 1);
  f.store.take_ownership(kTenant);
  const auto seq = f.update(1, 1, "Bob");
  f.wake();
  CHECK_FALSE(f.outcome(seq).has_value());
  CHECK(f.live("tenant_supervisor") == 0);
  CHECK(f.live("customer_sync") == 0);
  CHECK(f.live("stripe_client") == 0);
}

TEST_CASE("deposed while settling without an actor: likewise") {
  Fixture f;
  f.start();
  f.store.take_ownership(kTenant);
  f.deliver_other("evt_1", "invoice.paid", "{}");
  f.wake();
  CHECK(f.live("tenant_supervisor") == 0);
}

TEST_CASE("redriven events are taken up when announced, more than a page of them too") {
  Fixture f;
  f.config.page_rows_max = 4;
  f.start();
  f.advance(seconds{90});
  for (int i = 1; i <= 12; ++i) {
    const auto seq = f.update(i, 0, "Ada");
    auto& row = f.store.row(seq);
    row.settlement = InboxSettlement{seq, row.row.event_id, InboxOutcome::parked, "dead before", false, f.clock.now()};
    row.parked = ParkedEvent{ParkedState::redriven, 8, f.clock.now(), "conflict", "dead before"};
  }
  f.wake();
  f.advance(seconds{1});
  CHECK(f.store.customers() == 0);  // the inbox itself does not show them
  caf::anon_send(f.supervisor, due_atom::value);
  f.run();
  CHECK(f.store.customers() == 4);
  f.advance(seconds{5});
  CHECK(f.store.unsettled(kTenant) == 0);
  CHECK(f.store.customers() == 12);
}

TEST_CASE("rows that commit behind the cursor are found, and the watermark does not pass them before") {
  Fixture f;
  f.start();
  const auto hidden = f.update(1, 0, "late");
  f.store.row(hidden).visible = false;
  f.update(2, 0, "Ada");
  f.wake();
  f.advance(f.config.sweep_interval - milliseconds{300});
  f.store.row(hidden).visible = true;
  f.advance(f.config.sweep_interval * 3);
  CHECK(f.name(1) == "late");
  CHECK(f.inbox.watermark_violations == 0);
}

TEST_CASE("idle entities stop after a while, and come back with what is stored") {
  Fixture f;
  f.update(1, 0, "Ada");
  f.start();
  CHECK(f.live("customer_sync") == 1);
  f.advance(f.config.entity_idle + f.config.sweep_interval * 2 + seconds{1});
  CHECK(f.live("customer_sync") == 0);
  f.update(1, 1, "Bob");
  f.wake();
  CHECK(f.name(1) == "Bob");
  CHECK(f.store.customers() == 1);
}
