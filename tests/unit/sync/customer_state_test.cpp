// A shell: a customer that a subscription needed before anything was known of it. Whatever comes next fills it, as if
// it had been the creation.
#include "sync/customer_state.hpp"

#include <catch2/catch.hpp>

#include "support/customer_snapshots.hpp"
#include "sync/customer_command.hpp"
#include "sync/event.hpp"
#include "sync/parent.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using namespace flexsync::test;

namespace {

const EntityKey kEntity{EntityKind::customer, kCustomer.str()};

ChangeSet change_of(const Decision& decision) {
  REQUIRE(std::holds_alternative<ChangeSet>(decision));
  return std::get<ChangeSet>(decision);
}

EntitySnapshot shell() {
  const ParentTask wanted{kOwner, 3, kEntity, {{"customer", kStripe}, {}}, "req_1", at(0)};
  return after(change_of(decide_parent(wanted, {}, {}, std::nullopt)), {});
}

EventTask event_of(const std::string& type, stripe::CustomerState state) {
  EventTask task;
  task.scope = kOwner;
  task.epoch = 3;
  task.entity = kEntity;
  state.deleted = type == "customer.deleted";
  task.event = {StripeEventId("evt_1"), type, at(-100), {}, std::move(state)};
  task.seq = 7;
  task.now = at(1);
  return task;
}

}  // namespace

TEST_CASE("a shell has no more than the Stripe id, and is marked") {
  const auto snapshot = shell();
  REQUIRE(snapshot.customer);
  CHECK(snapshot.customer->fields.name == "cus_1");
  CHECK(snapshot.customer->external_id == "cus_1");
  CHECK(snapshot.mapping);
  CHECK(snapshot.shadow->state.empty());
  CHECK(snapshot.shadow->needs_reconcile);
  CHECK(known_fields(snapshot).name == "cus_1");
  CHECK(last_state(*snapshot.shadow).id == kStripe);
}

TEST_CASE("the first event of a shell fills it, however old it is, with its external_id") {
  const std::string type = GENERATE("customer.created", "customer.updated", "customer.deleted");
  auto state = ada_in_stripe();
  state.metadata["external_id"] = "our-7";
  const auto change = change_of(decide(event_of(type, state), shell(), {}));
  CHECK(change.settlement->outcome == InboxOutcome::applied);
  CHECK_FALSE(change.stripe_object->needs_reconcile);
  REQUIRE(change.customer);
  CHECK(change.customer->fields.name == "Ada");
  CHECK(change.customer->fields.email == "ada@example.com");
  CHECK(change.customer->external_id == "our-7");
}

TEST_CASE("what was changed here in a shell stays") {
  auto snapshot = shell();
  snapshot.customer->external_id = "given-here";
  snapshot.customer->fields.contact = "+41";
  auto state = ada_in_stripe();
  state.metadata["external_id"] = "our-7";
  const auto change = change_of(decide(event_of("customer.updated", state), snapshot, {}));
  REQUIRE(change.customer);
  CHECK(change.customer->external_id == "given-here");
  CHECK(change.customer->fields.contact == "+41");
}

TEST_CASE("a shell's name that is only the Stripe id is not told to Stripe") {
  CustomerCommand wanted;
  wanted.scope = kOwner;
  wanted.customer_id = kCustomer;
  wanted.action = SyncCustomerToStripe{};
  wanted.push = true;
  CHECK(std::holds_alternative<Unchanged>(decide_command({3, wanted, at(100)}, shell())));
}
