// Events that only name their object (thin ones, and the comparison's): Stripe is asked, and its answer taken.
#include <catch2/catch.hpp>

#include "sync/event.hpp"
#include "sync/identity.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

constexpr std::int64_t kSecond = 1'790'000'000;
const ObjectKey kProduct{"product", StripeId("prod_1")};

EventTask task(std::string_view type, stripe::ObjectState state, std::int64_t second = kSecond) {
  EventTask task;
  task.scope = {TenantId("tenant_1"), EnvironmentId("env_1")};
  task.epoch = 3;
  task.entity = {EntityKind::plan, "plan_01ARZ3NDEKTSV4RRFFQ69G5FAV"};
  task.event = {StripeEventId("evt_" + std::to_string(second)),
                std::string(type),
                from_unix_seconds(second),
                {},
                std::move(state)};
  task.seq = 7;
  task.now = from_unix_seconds(second + 1);
  return task;
}

EventTask hint(std::string_view type, bool deleted = false) {
  auto state = stripe::bare_object(kProduct, {});
  std::visit([&](auto& object) { object.deleted = deleted; }, state);
  auto hinted = task(type, std::move(state), kSecond + 100);
  hinted.event.hint = true;
  return hinted;
}

stripe::ProductState product(const std::string& name) {
  stripe::ProductState state;
  state.id = kProduct.id;
  state.name = name;
  return state;
}

ChangeSet change_of(const Decision& decision) {
  REQUIRE(std::holds_alternative<ChangeSet>(decision));
  return std::get<ChangeSet>(decision);
}

EntitySnapshot created(const std::string& name) {
  EntitySnapshot snapshot;
  absorb(change_of(decide(task("product.created", product(name)), {}, {})), {}, snapshot);
  return snapshot;
}

EntitySnapshot after(const ChangeSet& change, EntitySnapshot snapshot) {
  absorb(change, {}, snapshot);
  return snapshot;
}

Fetched fetched(stripe::ObjectState state) {
  return {std::move(state), {from_unix_seconds(kSecond + 101), from_unix_seconds(kSecond + 102)}};
}

}  // namespace

TEST_CASE("a hint asks Stripe, and what Stripe says is taken", "[hint]") {
  for (const auto type : {stripe::kReconcileEvent, std::string_view("v1.product.updated")}) {
    for (const auto& snapshot : {EntitySnapshot{}, created("Gold")}) {
      CHECK(std::holds_alternative<Refetch>(decide(hint(type), snapshot, {})));
      const auto change = change_of(decide_fetched(hint(type), snapshot, {}, fetched(product("Platinum"))));
      CHECK(change.settlement->outcome == InboxOutcome::applied);
      REQUIRE(change.plan);
      CHECK(change.plan->fields.name == "Platinum");
      CHECK(change.stripe_object->true_during.from == from_unix_seconds(kSecond + 101));
    }
  }
}

TEST_CASE("a hint of what is as Stripe has it changes nothing and clears the mark", "[hint]") {
  auto snapshot = created("Gold");
  snapshot.shadow->needs_reconcile = true;
  const auto change = change_of(decide_fetched(hint(stripe::kReconcileEvent), snapshot, {}, fetched(product("Gold"))));
  CHECK(change.settlement->outcome == InboxOutcome::unchanged);
  CHECK_FALSE(change.plan);
  REQUIRE(change.stripe_object);
  CHECK_FALSE(change.stripe_object->needs_reconcile);
}

TEST_CASE("a hint that waited while Stripe was asked is answered with it", "[hint]") {
  auto late = hint(stripe::kReconcileEvent);
  late.before_fetch = true;
  CHECK(change_of(decide(late, created("Gold"), {})).settlement->outcome == InboxOutcome::superseded);
}

TEST_CASE("what Stripe knows no more is deleted where the hint says so, else it is for a person", "[hint]") {
  const auto snapshot = created("Gold");
  const auto deleted = change_of(decide_gone(hint(stripe::kReconcileEvent, true), snapshot, {}, "No such product"));
  CHECK(deleted.plan->status == Status::deleted);
  CHECK(deleted.stripe_object->deleted);
  CHECK(stripe::product_from_canonical(deleted.stripe_object->state).name == "Gold");

  const auto refused = decide_gone(hint("v1.product.updated"), snapshot, {}, "No such product");
  REQUIRE(std::holds_alternative<Conflict>(refused));
  CHECK_THAT(std::get<Conflict>(refused).message, Contains("No such product"));

  // Deletion is final, for hints, too.
  const auto again = change_of(decide(hint(stripe::kReconcileEvent), after(deleted, snapshot), {}));
  CHECK(again.settlement->outcome == InboxOutcome::superseded);
  CHECK_FALSE(again.plan);
}

TEST_CASE("what was listed no more and is there all the same is not deleted", "[hint]") {
  const auto change =
      change_of(decide_fetched(hint(stripe::kReconcileEvent, true), created("Gold"), {}, fetched(product("Gold"))));
  CHECK(change.settlement->outcome == InboxOutcome::unchanged);
  CHECK_FALSE(change.stripe_object->deleted);
}

TEST_CASE("what turns out to be of another environment is ignored", "[hint]") {
  auto theirs = product("Gold");
  theirs.metadata["flexprice_environment"] = "env_2";
  const auto change = change_of(decide_fetched(hint("v1.product.created"), {}, {}, fetched(theirs)));
  CHECK(change.settlement->outcome == InboxOutcome::ignored);
  CHECK_FALSE(change.plan);
  CHECK_FALSE(change.stripe_object);

  auto marked = created("Gold");
  marked.shadow->needs_reconcile = true;
  const auto asked = change_of(decide_fetched(hint(stripe::kReconcileEvent), marked, {}, fetched(theirs)));
  REQUIRE(asked.stripe_object);
  CHECK_FALSE(asked.stripe_object->needs_reconcile);
  CHECK(asked.stripe_object->state == marked.shadow->state);
  CHECK(asked.stripe_object->version == marked.shadow->version + 1);
}

TEST_CASE("whose a thin event is only Stripe knows, if it is of a price or of a stranger", "[hint]") {
  auto price = hint("v1.price.updated");
  price.event.state = stripe::bare_object({"price", StripeId("price_1")}, {});
  CHECK(must_be_looked_up(price.event, true));
  price.event.state = stripe::bare_object({"price", StripeId("price_1")}, kProduct.id);
  CHECK_FALSE(must_be_looked_up(price.event, false));
  CHECK_FALSE(must_be_looked_up(hint("v1.product.created").event, false));

  auto customer = hint("v1.customer.created");
  customer.event.state = stripe::bare_object({"customer", StripeId("cus_1")}, {});
  CHECK(must_be_looked_up(customer.event, false));
  CHECK_FALSE(must_be_looked_up(customer.event, true));
  customer.event.hint = false;
  CHECK_FALSE(must_be_looked_up(customer.event, false));
}

TEST_CASE("a subscription of which nothing is known, and that is gone, is nothing", "[hint]") {
  auto gone = hint(stripe::kReconcileEvent);
  stripe::SubscriptionState state;
  state.id = StripeId("sub_1");
  state.deleted = true;
  gone.event.state = state;
  gone.entity.kind = EntityKind::subscription;
  CHECK(change_of(decide_gone(gone, {}, {}, "No such subscription")).settlement->outcome == InboxOutcome::ignored);
}

TEST_CASE("without Stripe, the comparison's hint waits for the next comparison, a thin event for a person", "[hint]") {
  const auto snapshot = created("Gold");
  const auto ignored = change_of(decide_unanswered(hint(stripe::kReconcileEvent), snapshot, {}, "no key"));
  CHECK(ignored.settlement->outcome == InboxOutcome::ignored);
  CHECK_FALSE(ignored.plan);
  const auto conflict = decide_unanswered(hint("v1.product.updated"), snapshot, {}, "no key");
  REQUIRE(std::holds_alternative<Conflict>(conflict));
  CHECK(std::get<Conflict>(conflict).code == "stripe_unavailable");
}
