// DESIGN section 5, effects: a Stripe event while a local change waits to be told, and our own change coming back.
#include <catch2/catch.hpp>

#include "support/customer_snapshots.hpp"
#include "sync/customer_fields.hpp"
#include "sync/event.hpp"
#include "sync/intents.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using namespace flexsync::test;
using Catch::Matchers::Contains;

namespace {

const IntentOrigin kOrigin{kOwner, kCustomer, at(1), "req_1"};

EventTask event(const std::string& type, std::int64_t second, stripe::CustomerState state,
                const std::string& key = "") {
  EventTask task;
  task.scope = kOwner;
  task.epoch = 3;
  task.entity = {EntityKind::customer, kCustomer.str()};
  state.deleted = type == "customer.deleted";
  task.event = {StripeEventId("evt_" + std::to_string(second)), type, at(second), key, std::move(state)};
  task.seq = 7;
  task.now = at(second + 1);
  return task;
}

Settings stripe_wins() {
  Settings settings;
  settings.conflict = FieldConflict::stripe;
  return settings;
}

ChangeSet decided(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings = {}) {
  const auto decision = decide(task, snapshot, settings);
  REQUIRE(std::holds_alternative<ChangeSet>(decision));
  return std::get<ChangeSet>(decision);
}

// Ours is `fields`, of which these names wait to be told; Stripe was last seen as Ada.
EntitySnapshot waiting(CustomerFields fields, const std::vector<std::string>& names) {
  auto snapshot = mapped(ada_in_stripe(), 0);
  fields.metadata[kStripeCustomerIdKey] = kStripe.str();
  snapshot.customer->fields = fields;
  return with(std::move(snapshot), update(kOrigin, fields, names));
}

CustomerFields called(const std::string& name) {
  CustomerFields fields;
  fields.name = name;
  fields.email = "ada@example.com";
  return fields;
}

}  // namespace

TEST_CASE("conflict = local: the field that waits keeps our value, the others take Stripe's") {
  auto state = renamed(ada_in_stripe(), "Eve");
  state.email = "eve@example.com";
  const auto snapshot = waiting(called("Bob"), {"name"});
  const auto change = decided(event("customer.updated", 5, state), snapshot);
  CHECK(change.customer->fields.name == "Bob");
  CHECK(change.customer->fields.email == "eve@example.com");
  CHECK(change.stripe_object->state == stripe::to_canonical(state));
  CHECK(change.intents.empty());
  CHECK(change.new_intents.empty());
  CHECK(change.settlement->outcome == InboxOutcome::applied);
}

TEST_CASE("conflict = stripe: the intent goes, what is left of it is told anew") {
  auto fields = called("Bob");
  fields.email = "bob@example.com";
  fields.metadata["tier"] = "gold";
  const auto snapshot = waiting(fields, {"name", "email", "metadata.tier"});
  const auto change = decided(event("customer.updated", 5, renamed(ada_in_stripe(), "Eve")), snapshot, stripe_wins());
  CHECK(change.customer->fields.name == "Eve");
  CHECK(change.customer->fields.email == "bob@example.com");
  REQUIRE(change.intents.size() == 1);
  CHECK(change.intents[0].state == IntentState::superseded);
  REQUIRE(change.new_intents.size() == 1);
  CHECK(change.new_intents[0].body == "email=bob%40example.com&metadata[tier]=gold");
  CHECK(change.new_intents[0].request_id == "req_1");
}

TEST_CASE("conflict = stripe: nothing left of the intent, nothing told") {
  const auto change = decided(event("customer.updated", 5, renamed(ada_in_stripe(), "Eve")),
                              waiting(called("Bob"), {"name"}), stripe_wins());
  CHECK(change.customer->fields.name == "Eve");
  CHECK(change.intents.at(0).state == IntentState::superseded);
  CHECK(change.new_intents.empty());
}

TEST_CASE("conflict = stripe: the rest of an address goes with Stripe's part of it, not without") {
  auto fields = called("Ada");
  fields.address_line1 = "1 Rue";
  auto state = ada_in_stripe();
  state.city = "Bern";
  const auto change = decided(event("customer.updated", 5, state), waiting(fields, {"address_line1"}), stripe_wins());
  CHECK(change.customer->fields.address_line1 == "1 Rue");
  CHECK(change.customer->fields.address_city == "Bern");
  CHECK_THAT(change.new_intents.at(0).body, Contains("address[line1]=1%20Rue") && Contains("address[city]=Bern"));
}

TEST_CASE("conflict = local: an address that waits is kept as a whole") {
  auto fields = called("Ada");
  fields.address_line1 = "1 Rue";
  auto state = ada_in_stripe();
  state.city = "Bern";
  const auto snapshot = waiting(fields, {"address_line1"});
  const auto change = decided(event("customer.updated", 5, state), snapshot);
  CHECK_FALSE(change.customer);
  CHECK(change.settlement->outcome == InboxOutcome::unchanged);
}

TEST_CASE("conflict = stripe: what may be on its way cannot be called back, and a creation is the customer itself") {
  auto snapshot = waiting(called("Bob"), {"name"});
  snapshot.intents[0].attempts = 1;
  const auto kept = decided(event("customer.updated", 5, renamed(ada_in_stripe(), "Eve")), snapshot, stripe_wins());
  CHECK_FALSE(kept.customer);
  CHECK(kept.intents.empty());

  const auto creating = with(only_ours(), creation(kOrigin, only_ours().customer->fields));
  const auto change = decided(event("customer.created", 5, renamed(ada_in_stripe(), "Eve")), creating, stripe_wins());
  CHECK(change.customer->fields.name == "Ada");
  CHECK(change.mapping);
  CHECK(change.intents.empty());
}

TEST_CASE("our own change comes back: by its key it settles, and changes nothing else") {
  const auto snapshot = waiting(called("Bob"), {"name"});
  const auto echo = event("customer.updated", 5, renamed(ada_in_stripe(), "Bob"), snapshot.intents[0].idempotency_key);
  const auto change = decided(echo, snapshot);
  CHECK(change.settlement->outcome == InboxOutcome::unchanged);
  CHECK_FALSE(change.customer);
  CHECK_FALSE(change.mapping);
  CHECK(change.intents.at(0).state == IntentState::settled);
  CHECK(change.stripe_object->true_during == TrueInterval{at(5), at(5)});
  CHECK(audited(change).empty());
}

TEST_CASE("the echo of a creation maps; a second change that waits is not undone by the echo of the first") {
  auto creating = with(only_ours(), creation(kOrigin, only_ours().customer->fields));
  const auto key = creating.intents[0].idempotency_key;
  creating = with(creating, update(kOrigin, called("Bob"), {"name"}));
  creating.customer->fields.name = "Bob";
  for (const auto& settings : {Settings{}, stripe_wins()}) {
    const auto change = decided(event("customer.created", 5, ada_in_stripe(), key), creating, settings);
    CHECK(change.mapping->provider_entity_id == "cus_1");
    CHECK(change.customer->fields.name == "Bob");
    REQUIRE(change.intents.size() == 1);
    CHECK(change.intents[0].state == IntentState::settled);
    CHECK(after(change, creating).intents.at(0).body == "name=Bob");
  }
}

TEST_CASE("an echo without its key (an older API version) is known by its content") {
  const auto change =
      decided(event("customer.updated", 5, renamed(ada_in_stripe(), "Bob")), waiting(called("Bob"), {"name"}));
  CHECK_FALSE(change.customer);
  CHECK(change.intents.empty());  // Stripe's answer settles it
  CHECK(change.settlement->outcome == InboxOutcome::unchanged);
}

TEST_CASE("an echo that comes late still settles; what Stripe changed since stands") {
  auto snapshot = waiting(called("Bob"), {"name"});
  snapshot = after(decided(event("customer.updated", 9, renamed(ada_in_stripe(), "Eve")), snapshot), snapshot);
  CHECK(snapshot.customer->fields.name == "Bob");  // for all we know ours is still on its way
  const auto echo = event("customer.updated", 5, renamed(ada_in_stripe(), "Bob"), snapshot.intents[0].idempotency_key);
  const auto change = decided(echo, snapshot);
  CHECK(change.settlement->outcome == InboxOutcome::superseded);
  CHECK(change.intents.at(0).state == IntentState::settled);
  CHECK(change.customer->fields.name == "Eve");
  CHECK_FALSE(change.stripe_object);
}

TEST_CASE("deleted here: nothing of Stripe's revives it, whether its deletion waits or not") {
  auto snapshot = mapped(ada_in_stripe(), 0);
  snapshot.customer->status = Status::deleted;
  auto forgotten = snapshot;
  forgotten.mapping.reset();
  const auto ignored = decided(event("customer.updated", 5, renamed(ada_in_stripe(), "Eve")), forgotten);
  CHECK(ignored.settlement->outcome == InboxOutcome::ignored);
  CHECK_FALSE(ignored.customer);
  CHECK_FALSE(ignored.mapping);
  REQUIRE(ignored.stripe_object);  // what Stripe has is known, or comparing would find it again and again
  CHECK(ignored.stripe_object->state == stripe::to_canonical(renamed(ada_in_stripe(), "Eve")));

  const auto leaving = with(snapshot, deletion(kOrigin));
  const auto seen = decided(event("customer.updated", 5, renamed(ada_in_stripe(), "Eve")), leaving);
  CHECK_FALSE(seen.customer);
  CHECK_FALSE(seen.mapping);
  CHECK(seen.stripe_object);
  CHECK(seen.intents.empty());
}

TEST_CASE("the echo of our deletion settles it, and the mapping ends") {
  auto snapshot = with(mapped(ada_in_stripe(), 0), deletion(kOrigin));
  snapshot.customer->status = Status::deleted;
  const auto change = decided(event("customer.deleted", 5, ada_in_stripe()), snapshot);
  CHECK(change.intents.at(0).state == IntentState::settled);
  CHECK(change.mapping->status == Status::deleted);
  CHECK(change.stripe_object->deleted);
  CHECK_FALSE(change.customer);
}

TEST_CASE("deleted in Stripe while a change waits: there is nobody left to tell, and our value stays") {
  const auto change = decided(event("customer.deleted", 5, ada_in_stripe()), waiting(called("Bob"), {"name"}));
  CHECK(change.mapping->status == Status::deleted);
  CHECK(change.intents.at(0).state == IntentState::superseded);
  CHECK_THAT(change.intents.at(0).error_message, Contains("deleted in Stripe"));
  CHECK(change.new_intents.empty());
  CHECK_FALSE(change.customer);
}

TEST_CASE("deleted in Stripe while the creation's answer is on its way: it will find the tombstone") {
  const auto creating = with(only_ours(), creation(kOrigin, only_ours().customer->fields));
  const auto change = decided(event("customer.deleted", 5, ada_in_stripe()), creating);
  CHECK(change.stripe_object->deleted);
  CHECK(change.intents.empty());
  CHECK_FALSE(change.mapping);
}
