// One customer's actor: one change at a time, and what it makes of every answer of the store and of Stripe.
#include "actors/entity_sync.hpp"

#include <catch2/catch.hpp>

#include "actors/stripe_client.hpp"
#include "support/actor_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::milliseconds;

namespace {

struct Fixture : ActorFixture {
  Fixture() { store.take_ownership(kTenant); }

  void start() {
    supervisor = fake_supervisor(*this, log);
    client = own(system.spawn(stripe_client, services(), kTenant));
    actor = own(system.spawn(
        entity_sync,
        EntitySyncArgs{
            services(), kTenant, store.epoch(kTenant), {EntityKind::customer, "cust_1"}, supervisor, client}));
  }

  std::int64_t apply(const std::string& event, const std::string& name, std::int64_t second = kSecondZero,
                     const std::string& type = "customer.updated") {
    const auto seq = deliver(event, type, customer_state("cus_1", name), second);
    send_again(seq, 0, false);
    return seq;
  }

  void send_again(std::int64_t seq, int attempts, bool was_parked) {
    const auto& row = store.row(seq).row;
    auto routed = std::make_shared<RoutedEvent>();
    routed->event = *stripe::parse_object_event(row.payload);
    routed->seq = seq;
    routed->attempts = attempts;
    routed->was_parked = was_parked;
    caf::anon_send(actor, apply_atom::value, RoutedEventPtr(std::move(routed)));
    run();
  }

  std::string name() const { return store.customer(kTenant, CustomerId("cust_1"))->fields.name; }

  SupervisorLog log;
  tenant_supervisor_actor supervisor;
  stripe_client_actor client;
  entity_sync_actor actor;
};

}  // namespace

TEST_CASE("customer_sync applies an event and says so") {
  Fixture f;
  f.start();
  const auto seq = f.apply("evt_1", "Ada");
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.name() == "Ada");
  CHECK(f.log.finished == std::vector<std::int64_t>{seq});
}

TEST_CASE("two events of one customer never overlap") {
  Fixture f;
  f.held.hold_all = true;
  f.start();
  f.apply("evt_1", "Ada", kSecondZero);
  f.apply("evt_2", "Bob", kSecondZero + 1);
  f.apply("evt_3", "Cleo", kSecondZero + 2);
  for (int i = 0; i < 100 && f.held.waiting() > 0; ++i) {
    CHECK(f.held.waiting() == 1);
    std::mt19937_64 random(static_cast<std::uint64_t>(i));
    f.held.step(random);
    f.run();
  }
  CHECK(f.log.finished == std::vector<std::int64_t>{1, 2, 3});
  CHECK(f.name() == "Cleo");
  CHECK(f.snapshots.loads == 1);  // what it wrote itself it need not read
}

TEST_CASE("a tie asks Stripe once, for all that wait") {
  Fixture f;
  f.held.hold = {"load", "stripe"};
  f.start();
  f.transport.states["cus_1"] = customer_state("cus_1", "Eve");
  for (const auto* event : {"evt_1", "evt_2", "evt_3", "evt_4"}) {
    f.apply(event, std::string("called ") + event);
  }
  f.held.finish("load");
  f.run();
  CHECK(f.outcome(1) == InboxOutcome::applied);
  CHECK(f.transport.requests.size() == 1);
  f.apply("evt_5", "Ada");  // comes after Stripe was asked: may be younger than the answer
  f.held.finish("stripe");
  f.run();
  CHECK(f.log.finished == std::vector<std::int64_t>{1, 2, 3, 4});
  CHECK(f.outcome(3) == InboxOutcome::superseded);
  CHECK(f.outcome(4) == InboxOutcome::superseded);
  CHECK(f.name() == "Eve");
  CHECK(f.transport.requests.size() == 2);
  f.transport.states["cus_1"] = customer_state("cus_1", "Ada");
  f.held.finish("stripe");
  f.run();
  CHECK(f.name() == "Ada");
  CHECK(f.transport.requests.size() == 2);
}

TEST_CASE("an answer of Stripe's that was not stored covers nobody") {
  Fixture f;
  f.held.hold = {"load", "stripe"};
  f.start();
  f.transport.states["cus_1"] = customer_state("cus_1", "Eve");
  f.apply("evt_1", "Ada");
  f.apply("evt_2", "Bob");
  f.apply("evt_3", "Cleo");
  f.held.finish("load");
  f.run();
  f.changes.script.next({ChangeResult::rejected});
  f.held.finish("stripe");
  f.run();
  CHECK(f.log.parked == std::vector<std::int64_t>{2});
  CHECK(f.transport.requests.size() == 2);
}

TEST_CASE("the store unavailable: tried again until it is back, and no attempt is counted") {
  Fixture f;
  f.start();
  f.snapshots.script.next(ReadFault::unavailable, 3);
  f.changes.script.next({ChangeResult::unavailable}, 3);
  const auto seq = f.apply("evt_1", "Ada");
  CHECK(f.log.finished.empty());
  f.advance(f.config.store_retry * 7);
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK_FALSE(f.store.row(seq).parked.has_value());
}

TEST_CASE("a commit whose answer was lost is not done twice") {
  Fixture f;
  f.start();
  f.changes.script.next({ChangeResult::unavailable, true});
  const auto seq = f.apply("evt_1", "Ada");
  f.advance(f.config.store_retry * 2);
  CHECK(f.store.row(seq).settlements == 1);
  CHECK(f.log.finished == std::vector<std::int64_t>{seq});
  CHECK(f.store.customer(kTenant, CustomerId("cust_1"))->version == 1);
}

TEST_CASE("a stale version: loaded and decided again") {
  Fixture f;
  f.start();
  f.apply("evt_1", "Ada");
  auto row = *f.store.customer(kTenant, CustomerId("cust_1"));
  row.version = 5;
  row.fields.contact = "ours";
  f.store.put(kTenant, row);
  const auto seq = f.apply("evt_2", "Bob", kSecondZero + 1);
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.name() == "Bob");
  CHECK(f.store.customer(kTenant, CustomerId("cust_1"))->fields.contact == "ours");
  CHECK(f.store.customer(kTenant, CustomerId("cust_1"))->version == 6);
}

TEST_CASE("a row that keeps changing under the decision parks the event") {
  Fixture f;
  f.start();
  f.changes.script.next({ChangeResult::stale_version}, f.config.stale_retries_max + 1);
  const auto seq = f.apply("evt_1", "Ada");
  CHECK(f.outcome(seq) == InboxOutcome::parked);
  CHECK(f.store.row(seq).parked->state == ParkedState::retrying);
  CHECK(f.store.row(seq).parked->error_code == "version_conflict");
  CHECK(f.log.parked == std::vector<std::int64_t>{seq});
}

TEST_CASE("a conflict that stays one is a dead letter; one that passes is not") {
  Fixture f;
  f.start();
  f.changes.script.next({ChangeResult::conflict}, 2);
  const auto lasting = f.apply("evt_1", "Ada");
  CHECK(f.outcome(lasting) == InboxOutcome::parked);
  CHECK(f.store.row(lasting).parked->state == ParkedState::dead);
  CHECK(f.store.row(lasting).parked->error_code == "conflict");
  f.changes.script.next({ChangeResult::conflict});
  const auto passing = f.apply("evt_2", "Bob");
  CHECK(f.outcome(passing) == InboxOutcome::applied);
}

TEST_CASE("a rejected change set is retried, and dies with its last attempt") {
  Fixture f;
  f.start();
  f.changes.script.next({ChangeResult::rejected});
  const auto first = f.apply("evt_1", "Ada");
  CHECK(f.store.row(first).parked->state == ParkedState::retrying);
  CHECK(f.store.row(first).parked->attempts == 1);
  f.changes.script.next({ChangeResult::rejected});
  f.send_again(first, f.config.retry.attempts_max - 1, true);
  CHECK(f.store.row(first).parked->state == ParkedState::dead);
}

TEST_CASE("what not even parking could settle is tried again") {
  Fixture f;
  f.start();
  f.changes.script.next({ChangeResult::rejected}, 2);
  const auto seq = f.apply("evt_1", "Ada");
  CHECK(f.log.parked.empty());
  f.advance(f.config.store_retry * 2);
  CHECK(f.outcome(seq) == InboxOutcome::applied);
}

TEST_CASE("an event that is settled already moves on") {
  Fixture f;
  f.start();
  const auto seq = f.apply("evt_1", "Ada");
  f.send_again(seq, 0, false);
  const auto next = f.apply("evt_2", "Bob", kSecondZero + 1);
  CHECK(f.log.finished == std::vector<std::int64_t>{seq, seq, next});
  CHECK(f.store.row(seq).settlements == 1);
}

TEST_CASE("another owner: the supervisor is told, nothing is written") {
  Fixture f;
  f.start();
  f.store.take_ownership(kTenant);
  const auto seq = f.apply("evt_1", "Ada");
  CHECK(f.log.deposed == 1);
  CHECK_FALSE(f.outcome(seq).has_value());
}

TEST_CASE("Stripe unavailable on a tie: parked, and after the last attempt the last arrival stands, marked") {
  Fixture f;
  f.config.stripe_retries.same_again_max = 0;
  f.start();
  f.apply("evt_1", "Ada");
  f.transport.script.next(503);
  const auto tied = f.apply("evt_2", "Bob");
  CHECK(f.outcome(tied) == InboxOutcome::parked);
  CHECK(f.store.row(tied).parked->error_code == "stripe_unavailable");
  CHECK(f.name() == "Ada");
  f.transport.script.next(0);
  f.send_again(tied, f.config.refetch_attempts_max - 1, true);
  CHECK(f.outcome(tied) == InboxOutcome::applied);
  CHECK(f.name() == "Bob");
  CHECK(f.store.object(kTenant, StripeId("cus_1"))->needs_reconcile);
}

TEST_CASE("without a key, the last arrival stands at once, marked") {
  Fixture f;
  f.key = Secret();
  f.start();
  f.apply("evt_1", "Ada");
  f.apply("evt_2", "Bob");
  CHECK(f.name() == "Bob");
  CHECK(f.store.object(kTenant, StripeId("cus_1"))->needs_reconcile);
  CHECK(f.transport.requests.empty());
}

TEST_CASE("a Stripe client that never answers costs a timeout, not the actor") {
  Fixture f;
  f.held.hold.insert("stripe");
  f.start();
  f.apply("evt_1", "Ada");
  const auto tied = f.apply("evt_2", "Bob");
  f.advance(f.config.stripe_answer_timeout + milliseconds{100});
  CHECK(f.outcome(tied) == InboxOutcome::parked);
  f.held.finish_all();  // too late
  f.run();
  const auto later = f.apply("evt_3", "Cleo", kSecondZero + 9);
  CHECK(f.outcome(later) == InboxOutcome::applied);
}
