// DESIGN section 5, subscriptions: each rule as an example. Which item is the plan is subscription_items_test.cpp's,
// that all orders end alike catalog_order_test.cpp's.
#include "sync/subscription.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sync/event.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using Catch::Matchers::Contains;

namespace {

const EntityKey kEntity{EntityKind::subscription, "subs_1"};
constexpr std::int64_t kSecond = 1'790'000'000;

stripe::SubscriptionItem item(const std::string& id, const std::string& product, std::int64_t created,
                              std::int64_t quantity = 1) {
  return {StripeId(id), StripeId("price_" + product), StripeId("prod_" + product), "month", 1,
          quantity,     from_unix_seconds(created)};
}

stripe::SubscriptionState active(std::vector<stripe::SubscriptionItem> items) {
  stripe::SubscriptionState state;
  state.id = StripeId("sub_1");
  state.customer = StripeId("cus_1");
  state.status = "active";
  state.currency = "usd";
  state.items = std::move(items);
  state.current_period_start = from_unix_seconds(kSecond);
  state.current_period_end = from_unix_seconds(kSecond + 30 * 86'400);
  return state;
}

EventTask task(const std::string& type, std::int64_t second, stripe::SubscriptionState state) {
  EventTask task;
  task.scope = {TenantId("tenant_1"), EnvironmentId("env_1")};
  task.epoch = 3;
  task.entity = kEntity;
  state.deleted = type == "deleted" || stripe::is_final_status(state.status);
  task.event = {StripeEventId("evt_" + std::to_string(second)),
                "customer.subscription." + type,
                from_unix_seconds(second),
                {},
                std::move(state)};
  task.seq = 7;
  task.now = from_unix_seconds(second + 1);
  return task;
}

// Its customer and the plans of gold, silver and the addon's product are here.
EntitySnapshot with_parents() {
  EntitySnapshot snapshot;
  snapshot.parents[{"customer", StripeId("cus_1")}] = "cust_1";
  for (const std::string name : {"gold", "silver", "extra"}) {
    snapshot.parents[{"product", StripeId("prod_" + name)}] = "plan_" + name;
  }
  return snapshot;
}

ChangeSet decided(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings = {}) {
  const auto decision = decide(task, snapshot, settings);
  REQUIRE(std::holds_alternative<ChangeSet>(decision));
  return std::get<ChangeSet>(decision);
}

EntitySnapshot after(const ChangeSet& change, EntitySnapshot snapshot = with_parents()) {
  absorb(change, {}, snapshot);
  return snapshot;
}

const auto kPlan = item("si_1", "gold", kSecond);
const auto kExtra = item("si_2", "extra", kSecond + 10, 5);

EntitySnapshot created() {
  return after(decided(task("created", kSecond, active({kPlan})), with_parents()));
}

}  // namespace

TEST_CASE("customer.subscription.created: a subscription with its customer and plan, and its mapping") {
  const auto change = decided(task("created", kSecond, active({kPlan})), with_parents());
  CHECK(change.settlement->outcome == InboxOutcome::applied);
  REQUIRE(change.subscription);
  const auto& terms = change.subscription->terms;
  CHECK(terms.customer_id.str() == "cust_1");
  CHECK(terms.plan_id.str() == "plan_gold");
  CHECK(terms.plan_item_id.str() == "si_1");
  CHECK(terms.price_id.str() == "price_gold");
  CHECK(terms.quantity == 1);
  CHECK(terms.subscription_status == SubscriptionStatus::active);
  CHECK(terms.billing_period == BillingPeriod::monthly);
  CHECK(terms.current_period_end == from_unix_seconds(kSecond + 30 * 86'400));
  CHECK(terms.addons.empty());
  REQUIRE(change.mapping);
  CHECK(change.mapping->entity_type == "subscription");
  CHECK(change.mapping->provider_entity_id == "sub_1");
}

TEST_CASE("what is missing is asked for first, each once") {
  const auto decision = decide(task("created", kSecond, active({kPlan, kExtra, kPlan})), {}, {});
  REQUIRE(std::holds_alternative<Missing>(decision));
  CHECK(std::get<Missing>(decision).parents ==
        std::vector<Parent>{{{"customer", StripeId("cus_1")}, {}},
                            {{"product", StripeId("prod_gold")}, StripeId("prod_gold")},
                            {{"product", StripeId("prod_extra")}, StripeId("prod_extra")}});
}

TEST_CASE("an upgrade changes the plan in place: the subscription keeps its id, the change is recorded") {
  auto silver = kPlan;
  silver.product = StripeId("prod_silver");
  silver.price = StripeId("price_silver");
  const auto change = decided(task("updated", kSecond + 5, active({silver})), created());
  CHECK(change.subscription->id.str() == kEntity.id);
  CHECK(change.subscription->terms.plan_id.str() == "plan_silver");
  CHECK(change.subscription->terms.plan_item_id.str() == "si_1");
  const auto before = nlohmann::json::parse(change.audit.front().before);
  CHECK(before == nlohmann::json{{"plan_id", "plan_gold"}, {"price_id", "price_gold"}});
}

TEST_CASE("a new item attaches the addon of its product, whatever the order of the list; a gone one detaches it") {
  const auto attached = decided(task("updated", kSecond + 10, active({kExtra, kPlan})), created());
  CHECK(attached.subscription->terms.plan_id.str() == "plan_gold");
  REQUIRE(attached.subscription->terms.addons.size() == 1);
  const auto& addon = attached.subscription->terms.addons.front();
  CHECK(addon.addon_id.str() == "addon_extra");
  CHECK(addon.item_id.str() == "si_2");
  CHECK(addon.quantity == 5);
  const auto detached = decided(task("updated", kSecond + 20, active({kPlan})), after(attached, created()));
  CHECK(detached.subscription->terms.addons.empty());
}

TEST_CASE("every status has its word; a lapsed payer is never active; an unknown one is for a person") {
  const std::vector<std::pair<std::string, SubscriptionStatus>> words{
      {"past_due", SubscriptionStatus::past_due},     {"unpaid", SubscriptionStatus::unpaid},
      {"trialing", SubscriptionStatus::trialing},     {"paused", SubscriptionStatus::paused},
      {"incomplete", SubscriptionStatus::incomplete}, {"incomplete_expired", SubscriptionStatus::inactive},
      {"canceled", SubscriptionStatus::cancelled}};
  for (const auto& [word, status] : words) {
    auto state = active({kPlan});
    state.status = word;
    CHECK(decided(task("updated", kSecond + 1, state), created()).subscription->terms.subscription_status == status);
  }
  auto state = active({kPlan});
  state.status = "hibernating";
  const auto decision = decide(task("updated", kSecond + 1, state), created(), {});
  REQUIRE(std::holds_alternative<Conflict>(decision));
  CHECK_THAT(std::get<Conflict>(decision).message, Contains("hibernating"));
}

TEST_CASE("a subscription of which Stripe says that it has no items is for a person, and no update is waited for") {
  const auto state = active({});
  const auto at = from_unix_seconds(kSecond + 1);
  const auto decision = decide_fetched(task("updated", kSecond + 1, state), created(), {}, {state, {at, at}});
  REQUIRE(std::holds_alternative<Conflict>(decision));
  CHECK(std::get<Conflict>(decision).code == "conflict");
  CHECK_THAT(std::get<Conflict>(decision).message, Contains("give it one in Stripe"));
}

TEST_CASE("cancelling at the period's end, and undoing it") {
  auto state = active({kPlan});
  state.cancel_at_period_end = true;
  state.cancel_at = state.current_period_end;
  const auto cancelling = decided(task("updated", kSecond + 1, state), created());
  CHECK(cancelling.subscription->terms.cancel_at_period_end);
  CHECK(cancelling.subscription->terms.cancel_at == state.current_period_end);
  const auto undone = decided(task("updated", kSecond + 2, active({kPlan})), after(cancelling, created()));
  CHECK_FALSE(undone.subscription->terms.cancel_at_period_end);
  CHECK_FALSE(undone.subscription->terms.cancel_at);
}

TEST_CASE("customer.subscription.deleted is final; the mapping stays") {
  auto state = active({kPlan});
  state.status = "canceled";
  const auto change = decided(task("deleted", kSecond + 9, state), created());
  CHECK(change.subscription->terms.subscription_status == SubscriptionStatus::cancelled);
  CHECK(change.stripe_object->deleted);
  const auto late = decided(task("updated", kSecond + 99, active({kPlan})), after(change, created()));
  CHECK(late.settlement->outcome == InboxOutcome::superseded);
  CHECK_FALSE(late.stripe_object);
}

TEST_CASE("what has ended may change, and nothing else comes of it") {
  auto state = active({kPlan});
  stripe::mark_ended(state);
  const auto ended = after(decided(task("deleted", kSecond + 9, state), created()), created());
  state.metadata["note"] = "moved away";
  const auto noted = decided(task("updated", kSecond + 10, state), ended);
  CHECK(noted.settlement->outcome == InboxOutcome::applied);
  CHECK(noted.subscription->terms.metadata.at("note") == "moved away");
  CHECK(noted.subscription->terms.subscription_status == SubscriptionStatus::cancelled);
  CHECK(noted.stripe_object->deleted);

  // In whatever order they come.
  const auto before = after(decided(task("updated", kSecond + 10, state), created()), created());
  state.metadata.clear();
  const auto late = decided(task("deleted", kSecond + 9, state), before);
  CHECK(late.settlement->outcome == InboxOutcome::superseded);
  CHECK_FALSE(late.stripe_object);

  // Of the same second only Stripe can tell, also for a hint.
  CHECK(std::holds_alternative<Refetch>(decide(task("updated", kSecond + 10, state), before, {})));
  auto hint = task("updated", kSecond + 11, state);
  hint.event.hint = true;
  CHECK(std::holds_alternative<Refetch>(decide(hint, before, {})));
  CHECK(std::get<ChangeSet>(decide_gone(hint, before, {}, "No such subscription")).settlement->outcome ==
        InboxOutcome::superseded);
}

TEST_CASE("an older event changes nothing but what is known of the items") {
  const auto newest = after(
      decided(task("updated", kSecond + 30, active({kExtra, item("si_3", "silver", kSecond + 30)})), with_parents()));
  CHECK(newest.subscription->terms.plan_id.str() == "plan_extra");
  const auto change = decided(task("updated", kSecond + 10, active({kPlan, kExtra})), newest);
  CHECK(change.settlement->outcome == InboxOutcome::superseded);
  REQUIRE(change.subscription);
  CHECK(change.subscription->terms.plan_id.str() == "plan_silver");  // it took the place of si_1
  CHECK_FALSE(change.stripe_object);
}

TEST_CASE("a payload that shows the first items only is no reason to detach: all are fetched") {
  const auto snapshot = after(decided(task("updated", kSecond + 10, active({kPlan, kExtra})), created()));
  auto state = active({kPlan});
  state.has_more_items = true;
  const auto event = task("updated", kSecond + 20, state);
  CHECK(std::holds_alternative<Refetch>(decide(event, snapshot, {})));
  const auto unanswered = decide_unanswered(event, snapshot, {}, "no key");
  const auto& change = std::get<ChangeSet>(unanswered);
  CHECK(change.stripe_object->needs_reconcile);
  CHECK_FALSE(change.subscription->terms.addons.empty());
}

TEST_CASE("a cancellation that shows the first items only is fetched, and final all the same") {
  auto state = active({kPlan});
  state.status = "canceled";
  state.deleted = true;
  state.has_more_items = true;
  const auto event = task("deleted", kSecond + 20, state);
  CHECK(std::holds_alternative<Refetch>(decide(event, created(), {})));

  auto whole = active({kPlan, kExtra});
  whole.status = "canceled";
  const Fetched fetched{whole, {from_unix_seconds(kSecond + 25), from_unix_seconds(kSecond + 26)}};
  const auto change = std::get<ChangeSet>(decide_fetched(event, created(), {}, fetched));
  CHECK(change.stripe_object->deleted);
  CHECK_FALSE(change.stripe_object->needs_reconcile);
  CHECK(change.subscription->terms.subscription_status == SubscriptionStatus::cancelled);
  CHECK(change.subscription->terms.addons.size() == 1);

  const auto unanswered = std::get<ChangeSet>(decide_unanswered(event, created(), {}, "no key"));
  CHECK(unanswered.stripe_object->deleted);
  CHECK(unanswered.stripe_object->needs_reconcile);
}

TEST_CASE("plan_source = price: items lead to plans by their price") {
  Settings settings;
  settings.plan_source = PlanSource::price;
  const auto decision = decide(task("created", kSecond, active({kPlan})), {}, settings);
  REQUIRE(std::holds_alternative<Missing>(decision));
  CHECK(std::get<Missing>(decision).parents.at(1) == Parent{{"price", StripeId("price_gold")}, StripeId("prod_gold")});
}
