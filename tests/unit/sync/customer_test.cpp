// DESIGN section 5, customers: each rule as an example. That all orders end alike is customer_order_test.cpp's.
#include "sync/event.hpp"
#include "sync/identity.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sync/customer_fields.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using Catch::Matchers::Contains;

namespace {

const Scope kOwner{TenantId("tenant_1"), EnvironmentId("env_1")};
const CustomerId kCustomer("cust_01ARZ3NDEKTSV4RRFFQ69G5FAV");
constexpr std::int64_t kSecond = 1'790'000'000;

stripe::CustomerState named(const std::string& name) {
  stripe::CustomerState state;
  state.id = StripeId("cus_1");
  state.name = name;
  state.email = "ada@example.com";
  return state;
}

EventTask task(const std::string& type, std::int64_t second, stripe::CustomerState state) {
  EventTask task;
  task.scope = kOwner;
  task.epoch = 3;
  task.entity = {EntityKind::customer, kCustomer.str()};
  state.deleted = type == "customer.deleted";
  task.event = {StripeEventId("evt_" + std::to_string(second)), type, from_unix_seconds(second), {}, std::move(state)};
  task.seq = 7;
  task.request_id = "req_1";
  task.now = from_unix_seconds(second + 1);
  return task;
}

ChangeSet change_of(const Decision& decision) {
  REQUIRE(std::holds_alternative<ChangeSet>(decision));
  return std::get<ChangeSet>(decision);
}

// What the store holds after this change.
EntitySnapshot after(const ChangeSet& change, EntitySnapshot snapshot = {}) {
  if (change.customer) {
    snapshot.customer = change.customer;
  }
  if (change.mapping) {
    snapshot.mapping = change.mapping->status == Status::published ? change.mapping : std::nullopt;
  }
  if (change.stripe_object) {
    snapshot.shadow = change.stripe_object;
  }
  return snapshot;
}

EntitySnapshot created(const std::string& name, std::int64_t second = kSecond) {
  return after(change_of(decide(task("customer.created", second, named(name)), {}, {})));
}

InboxOutcome outcome(const Decision& decision) {
  return change_of(decision).settlement->outcome;
}

}  // namespace

TEST_CASE("customer.created makes customer, mapping, shadow, audit and 'done' one change set") {
  const auto change = change_of(decide(task("customer.created", kSecond, named("Ada")), {}, {}));
  CHECK(change.scope == kOwner);
  CHECK(change.epoch == 3);
  REQUIRE(change.customer);
  CHECK(change.customer->id == kCustomer);
  CHECK(change.customer->external_id == "cus_1");
  CHECK(change.customer->fields.name == "Ada");
  CHECK(change.customer->fields.metadata.at("stripe_customer_id") == "cus_1");
  CHECK(change.customer->status == Status::published);
  CHECK(change.customer->version == 1);
  REQUIRE(change.mapping);
  CHECK(change.mapping->entity_id == kCustomer.str());
  CHECK(change.mapping->provider_entity_id == "cus_1");
  CHECK(change.mapping->metadata.at("sync_direction") == "inbound");
  CHECK(change.mapping->metadata.at("created_via") == "webhook");
  CHECK(change.mapping->metadata.at("webhook_event") == "customer.created");
  CHECK(change.mapping->metadata.at("last_webhook_id") == "evt_" + std::to_string(kSecond));
  REQUIRE(change.stripe_object);
  CHECK(change.stripe_object->true_during == TrueInterval{from_unix_seconds(kSecond), from_unix_seconds(kSecond)});
  CHECK(change.stripe_object->version == 1);
  CHECK(change.audit.size() == 2);
  CHECK(change.audit[0].action == "create");
  CHECK(change.audit[1].action == "map");
  CHECK(change.settlement->outcome == InboxOutcome::applied);
  CHECK(change.settlement->seq == 7);
}

TEST_CASE("customer.updated without a known customer creates it") {
  const auto change = change_of(decide(task("customer.updated", kSecond, named("Ada")), {}, {}));
  REQUIRE(change.customer);
  CHECK(change.customer->version == 1);
  CHECK(change.mapping);
}

TEST_CASE("a newer event changes the fields in which it differs from the shadow, and says so") {
  auto snapshot = created("Ada");
  snapshot.customer->fields.contact = "ours";  // changed locally, unknown to Stripe
  const auto change = change_of(decide(task("customer.updated", kSecond + 1, named("Bob")), snapshot, {}));
  REQUIRE(change.customer);
  CHECK(change.customer->fields.name == "Bob");
  CHECK(change.customer->fields.contact == "ours");
  CHECK(change.customer->version == 2);
  CHECK(change.stripe_object->version == 2);
  REQUIRE(change.audit.size() == 1);
  CHECK(nlohmann::json::parse(change.audit[0].before) == nlohmann::json{{"name", "Ada"}});
  CHECK(nlohmann::json::parse(change.audit[0].after) == nlohmann::json{{"name", "Bob"}});
  CHECK(change.mapping->metadata.at("webhook_event") == "customer.created");
  CHECK(change.mapping->metadata.at("last_webhook_event") == "customer.updated");
}

TEST_CASE("a newer event that says what is known moves the shadow and nothing else") {
  const auto change = change_of(decide(task("customer.updated", kSecond + 5, named("Ada")), created("Ada"), {}));
  CHECK(change.settlement->outcome == InboxOutcome::unchanged);
  CHECK_FALSE(change.customer);
  CHECK_FALSE(change.mapping);
  CHECK(change.audit.empty());
  CHECK(change.stripe_object->true_during.to == from_unix_seconds(kSecond + 5));
}

TEST_CASE("an older event is superseded, recorded, not applied") {
  const auto change = change_of(decide(task("customer.updated", kSecond - 1, named("Old")), created("Ada"), {}));
  CHECK(change.settlement->outcome == InboxOutcome::superseded);
  CHECK_FALSE(change.settlement->reason.empty());
  CHECK_FALSE(change.customer);
  CHECK_FALSE(change.stripe_object);
}

TEST_CASE("a tie equal to the shadow is nothing to do; any other tie asks Stripe") {
  const auto snapshot = created("Ada");
  const auto equal = change_of(decide(task("customer.updated", kSecond, named("Ada")), snapshot, {}));
  CHECK(equal.settlement->outcome == InboxOutcome::unchanged);
  CHECK_FALSE(equal.stripe_object);
  CHECK(std::holds_alternative<Refetch>(decide(task("customer.updated", kSecond, named("Bob")), snapshot, {})));
}

TEST_CASE("what Stripe answers stands, and the interval in which it was true decides what comes later") {
  const auto snapshot = created("Ada");
  const auto event = task("customer.updated", kSecond, named("Bob"));
  const TrueInterval during{from_unix_seconds(kSecond - 1), from_unix_seconds(kSecond + 2)};
  const auto change = change_of(decide_fetched(event, snapshot, {}, {named("Cleo"), during}));
  CHECK(change.customer->fields.name == "Cleo");
  CHECK(change.stripe_object->true_during == TrueInterval{from_unix_seconds(kSecond), from_unix_seconds(kSecond + 2)});
  CHECK_FALSE(change.stripe_object->needs_reconcile);
  const auto next = after(change, snapshot);
  CHECK(outcome(decide(task("customer.updated", kSecond - 1, named("Old")), next, {})) == InboxOutcome::superseded);
  CHECK(std::holds_alternative<Refetch>(decide(task("customer.updated", kSecond + 2, named("Dan")), next, {})));
  CHECK(outcome(decide(task("customer.updated", kSecond + 3, named("Dan")), next, {})) == InboxOutcome::applied);
}

TEST_CASE("an event that waited while Stripe was asked needs no asking of its own") {
  auto event = task("customer.updated", kSecond, named("Bob"));
  event.before_fetch = true;
  const auto change = change_of(decide(event, created("Ada"), {}));
  CHECK(change.settlement->outcome == InboxOutcome::superseded);
  CHECK_FALSE(change.stripe_object);
  std::get<stripe::CustomerState>(event.event.state).deleted = true;
  CHECK(change_of(decide(event, created("Ada"), {})).stripe_object->deleted);  // a deletion is final all the same
}

TEST_CASE("only where Stripe cannot be asked the last arrival stands, and the object is marked for reconcile") {
  const auto snapshot = created("Ada");
  const auto event = task("customer.updated", kSecond, named("Bob"));
  const auto change = change_of(decide_unanswered(event, snapshot, {}, "no key"));
  CHECK(change.customer->fields.name == "Bob");
  CHECK(change.stripe_object->needs_reconcile);
  CHECK_THAT(change.settlement->reason, Contains("no key"));
  const auto newer =
      change_of(decide(task("customer.updated", kSecond + 1, named("Cleo")), after(change, snapshot), {}));
  CHECK_FALSE(newer.stripe_object->needs_reconcile);
}

TEST_CASE("with ordering = refetch every event is a mere hint") {
  const Settings refetch{CustomerDeleted::log, Ordering::refetch};
  const auto hint = task("customer.created", kSecond, named("Ada"));
  CHECK(std::holds_alternative<Refetch>(decide(hint, {}, refetch)));
  CHECK(std::holds_alternative<Refetch>(
      decide(task("customer.updated", kSecond - 9, named("Old")), created("Ada"), refetch)));
  CHECK(outcome(decide_unanswered(task("customer.updated", kSecond - 9, named("Old")), created("Ada"), refetch, "")) ==
        InboxOutcome::superseded);
}

TEST_CASE("customer.deleted ends the mapping and leaves a tombstone; the setting decides about our customer") {
  const auto deleted = [](CustomerDeleted setting) {
    return change_of(decide(task("customer.deleted", kSecond + 1, named("Ada")), created("Ada"), {setting, {}}));
  };
  const auto logged = deleted(CustomerDeleted::log);
  CHECK(logged.mapping->status == Status::deleted);
  CHECK(logged.stripe_object->deleted);
  CHECK_FALSE(logged.customer);
  CHECK(logged.audit.at(0).action == "unmap");
  CHECK(deleted(CustomerDeleted::archive).customer->status == Status::archived);
  CHECK(deleted(CustomerDeleted::remove).customer->status == Status::deleted);
}

TEST_CASE("a deletion that comes first is a deletion, and no late event revives") {
  const auto first =
      change_of(decide(task("customer.deleted", kSecond, named("Ada")), {}, {CustomerDeleted::archive, {}}));
  CHECK_FALSE(first.mapping);
  CHECK(first.customer->status == Status::archived);
  const auto snapshot = after(first);
  for (const auto second : {kSecond - 5, kSecond, kSecond + 5}) {
    const auto late = change_of(decide(task("customer.updated", second, named("Bob")), snapshot, {}));
    CHECK(late.settlement->outcome == InboxOutcome::superseded);
    CHECK_FALSE(late.customer);
    CHECK_FALSE(late.stripe_object);
  }
  CHECK(outcome(decide(task("customer.deleted", kSecond, named("Ada")), snapshot, {})) == InboxOutcome::unchanged);
}

TEST_CASE("a deletion is final even when a younger state is known") {
  const auto change = change_of(decide(task("customer.deleted", kSecond - 9, named("Ada")), created("Ada"), {}));
  CHECK(change.stripe_object->deleted);
  CHECK(change.mapping->status == Status::deleted);
}

TEST_CASE("an object that Stripe shows as deleted is deleted, with the fields of the event at hand") {
  stripe::CustomerState gone;
  gone.id = StripeId("cus_1");
  gone.deleted = true;
  const TrueInterval during{from_unix_seconds(kSecond), from_unix_seconds(kSecond + 2)};
  const auto event = task("customer.updated", kSecond, named("Bob"));
  const auto change = change_of(decide_fetched(event, created("Ada"), {}, {gone, during}));
  CHECK(change.stripe_object->deleted);
  CHECK(change.mapping->status == Status::deleted);
  CHECK(change.customer->fields.name == "Bob");
}

TEST_CASE("metadata that names a customer of another Stripe customer is a conflict, never a guess") {
  auto other = named("Ada");
  other.id = StripeId("cus_2");
  other.metadata["flexprice_customer_id"] = kCustomer.str();
  auto snapshot = created("Ada");
  snapshot.shadow.reset();  // of cus_2: nothing is known
  const auto decision = decide(task("customer.created", kSecond, other), snapshot, {});
  REQUIRE(std::holds_alternative<Conflict>(decision));
  CHECK_THAT(std::get<Conflict>(decision).message, Contains("cus_1") && Contains("cus_2") && Contains(kCustomer.str()));
  // Its deletion concerns nobody else's mapping.
  const auto change =
      change_of(decide(task("customer.deleted", kSecond, other), snapshot, {CustomerDeleted::remove, {}}));
  CHECK(change.stripe_object->stripe_id == StripeId("cus_2"));
  CHECK_FALSE(change.mapping);
  CHECK_FALSE(change.customer);
}

TEST_CASE("a customer of ours that Stripe's metadata names is mapped and keeps its external_id") {
  Customer ours;
  ours.id = kCustomer;
  ours.external_id = "our-7";
  ours.version = 4;
  auto state = named("Ada");
  state.metadata = {{"flexprice_customer_id", kCustomer.str()}, {"external_id", "another"}};
  EntitySnapshot known;
  known.customer = ours;
  const auto change = change_of(decide(task("customer.created", kSecond, state), known, {}));
  CHECK(change.customer->external_id == "our-7");
  CHECK(change.customer->version == 5);
  CHECK(change.mapping->entity_id == kCustomer.str());
}

TEST_CASE("an invalid country is noted on the event and does not stop it") {
  auto state = named("Ada");
  state.country = "Atlantis";
  const auto change = change_of(decide(task("customer.created", kSecond, state), {}, {}));
  CHECK(change.settlement->outcome == InboxOutcome::applied);
  CHECK_THAT(change.settlement->reason, Contains("Atlantis"));
  CHECK(change.customer->fields.address_country.empty());
}

TEST_CASE("what metadata claims, and whether the object is another environment's") {
  auto state = named("Ada");
  CHECK_FALSE(claimed_entity(state));
  CHECK_FALSE(belongs_elsewhere(state, kOwner));
  state.metadata = {{"flexprice_customer_id", "ext-7"}, {"flexprice_environment", "env_1"}};
  CHECK(claimed_entity(state) == "ext-7");
  CHECK_FALSE(belongs_elsewhere(state, kOwner));
  state.metadata = {{"flexprice_customer_id", ""}, {"flexprice_environment", "env_2"}};
  CHECK_FALSE(claimed_entity(state));
  CHECK(belongs_elsewhere(state, kOwner));
}

TEST_CASE("what Stripe has of a customer that was deleted here is known, and revives nothing") {
  auto snapshot = created("Ada");
  snapshot.customer->status = Status::deleted;
  snapshot.customer->updated_by = "api_key:secret_1";
  snapshot.mapping.reset();
  const auto change = change_of(decide(task("customer.updated", kSecond + 5, named("Eve")), snapshot, {}));
  CHECK(change.settlement->outcome == InboxOutcome::ignored);
  CHECK_FALSE(change.customer);
  CHECK_FALSE(change.mapping);
  REQUIRE(change.stripe_object);
  CHECK(stripe::from_canonical(change.stripe_object->state).name == "Eve");
}
