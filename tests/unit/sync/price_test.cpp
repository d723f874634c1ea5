// DESIGN section 5, prices and legacy plans: each rule as an example.
#include "sync/price.hpp"

#include <catch2/catch.hpp>

#include "sync/event.hpp"
#include "sync/parent.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using Catch::Matchers::Contains;

namespace {

const EntityKey kEntity{EntityKind::plan, "plan_01ARZ3NDEKTSV4RRFFQ69G5FAV"};
constexpr std::int64_t kSecond = 1'790'000'000;

stripe::PriceState monthly(const std::string& cents) {
  stripe::PriceState state;
  state.id = StripeId("price_1");
  state.product = StripeId("prod_1");
  state.currency = "usd";
  state.unit_amount = Decimal::parse(cents);
  state.interval = "month";
  state.interval_count = 3;
  state.usage_type = "licensed";
  state.billing_scheme = "per_unit";
  state.nickname = "Gold";
  return state;
}

stripe::PriceState tiered(bool with_tiers) {
  auto state = monthly("0");
  state.unit_amount.reset();
  state.billing_scheme = "tiered";
  state.tiers_mode = "graduated";
  if (with_tiers) {
    state.tiers = {{Decimal(10), Decimal(500), std::nullopt}, {std::nullopt, Decimal(250), Decimal(1000)}};
  }
  return state;
}

EventTask task(const std::string& type, std::int64_t second, stripe::PriceState state) {
  EventTask task;
  task.scope = {TenantId("tenant_1"), EnvironmentId("env_1")};
  task.epoch = 3;
  task.entity = kEntity;
  state.deleted = type.ends_with(".deleted");
  task.event = {StripeEventId("evt_" + std::to_string(second)), type, from_unix_seconds(second), {}, std::move(state)};
  task.seq = 7;
  task.now = from_unix_seconds(second + 1);
  return task;
}

ChangeSet change_in(const Decision& decision) {
  REQUIRE(std::holds_alternative<ChangeSet>(decision));
  return std::get<ChangeSet>(decision);
}

EntitySnapshot after(const ChangeSet& change, EntitySnapshot snapshot = {}) {
  absorb(change, {}, snapshot);
  return snapshot;
}

Settings by_price() {
  Settings settings;
  settings.plan_source = PlanSource::price;
  return settings;
}

}  // namespace

TEST_CASE("a price is remembered under its product's plan, in the currency's main unit") {
  const auto change = change_in(decide(task("price.created", kSecond, monthly("1999.5")), {}, {}));
  REQUIRE(change.price);
  CHECK(change.price->plan_id.str() == kEntity.id);
  CHECK(change.price->amount == Decimal::parse("19.995"));
  CHECK(change.price->billing_period == BillingPeriod::monthly);
  CHECK(change.price->billing_period_count == 3);
  CHECK_FALSE(change.price->metered);
  CHECK_FALSE(change.plan);
  CHECK(change.settlement->outcome == InboxOutcome::applied);
}

TEST_CASE("currencies without decimals, and with three") {
  auto yen = monthly("500");
  yen.currency = "jpy";
  CHECK(change_in(decide(task("price.created", kSecond, yen), {}, {})).price->amount == Decimal(500));
  auto shilling = monthly("500");
  shilling.currency = GENERATE("ugx", "isk");  // whole ones, but written with two decimals
  CHECK(change_in(decide(task("price.created", kSecond, shilling), {}, {})).price->amount == Decimal(5));
  auto dinar = monthly("1500");
  dinar.currency = "kwd";
  CHECK(change_in(decide(task("price.created", kSecond, dinar), {}, {})).price->amount == Decimal::parse("1.5"));
}

TEST_CASE("a price that comes before its product leads the product to the same plan") {
  const auto change = change_in(decide(task("price.created", kSecond, monthly("100")), {}, {}));
  REQUIRE(change.product);
  CHECK(change.product->stripe_id.str() == "prod_1");
  CHECK(change.product->entity_id == kEntity.id);
  CHECK(change.product->state.empty());
  CHECK(change.product->needs_reconcile);
  const auto again = change_in(decide(task("price.updated", kSecond + 1, monthly("200")), after(change), {}));
  CHECK_FALSE(again.product);
}

TEST_CASE("an inactive price is archived, a deleted one deleted for good") {
  auto state = monthly("100");
  const auto snapshot = after(change_in(decide(task("price.created", kSecond, state), {}, {})));
  state.active = false;
  CHECK(change_in(decide(task("price.updated", kSecond + 1, state), snapshot, {})).price->status == Status::archived);
  const auto deleted = change_in(decide(task("plan.deleted", kSecond + 2, state), snapshot, {}));
  CHECK(deleted.price->status == Status::deleted);
  CHECK(deleted.stripe_object->deleted);
  const auto late = change_in(decide(task("price.updated", kSecond + 3, monthly("1")), after(deleted, snapshot), {}));
  CHECK(late.settlement->outcome == InboxOutcome::superseded);
}

TEST_CASE("a price that is fetched with another product than its event's is left to that product's plan") {
  const auto snapshot = after(change_in(decide(task("price.created", kSecond, monthly("5")), {}, {})));
  const auto event = task("price.updated", kSecond, monthly("6"));
  CHECK(std::holds_alternative<Refetch>(decide(event, snapshot, {})));
  auto moved = monthly("6");
  moved.product = StripeId("prod_2");
  const TrueInterval now{from_unix_seconds(kSecond), from_unix_seconds(kSecond + 2)};
  const auto change = change_in(decide_fetched(event, snapshot, {}, Fetched{moved, now}));
  CHECK_FALSE(change.price);
  CHECK_FALSE(change.stripe_object);
  CHECK(change.settlement->outcome == InboxOutcome::superseded);
  CHECK_THAT(change.settlement->reason, Contains("prod_2"));
  CHECK(change_in(decide_fetched(event, snapshot, {}, Fetched{monthly("6"), now})).price);
}

TEST_CASE("tiers are left out of events: they are fetched once, and known from then on") {
  const auto event = task("price.created", kSecond, tiered(false));
  CHECK(std::holds_alternative<Refetch>(decide(event, {}, {})));
  const Fetched fetched{tiered(true), {from_unix_seconds(kSecond), from_unix_seconds(kSecond + 2)}};
  const auto change = change_in(decide_fetched(event, {}, {}, fetched));
  REQUIRE(change.price);
  CHECK(change.price->tier_mode == "SLAB");
  CHECK(change.price->tiers == std::vector<PriceTier>{{Decimal(10), Decimal(5), std::nullopt},
                                                      {std::nullopt, Decimal::parse("2.5"), Decimal(10)}});
  auto renamed = tiered(false);
  renamed.nickname = "Silver";
  const auto next = change_in(decide(task("price.updated", kSecond + 5, renamed), after(change), {}));
  CHECK(next.price->display_name == "Silver");
  CHECK(next.price->tiers == change.price->tiers);
}

TEST_CASE("words of Stripe's that are new to us are for a person") {
  auto state = monthly("100");
  state.interval = "fortnight";
  auto decision = decide(task("price.created", kSecond, state), {}, {});
  REQUIRE(std::holds_alternative<Conflict>(decision));
  CHECK(std::get<Conflict>(decision).code == "unknown_value");
  CHECK_THAT(std::get<Conflict>(decision).message, Contains("fortnight"));
  state = monthly("100");
  state.usage_type = "estimated";
  CHECK(std::holds_alternative<Conflict>(decide(task("price.created", kSecond, state), {}, {})));
  state = monthly("100");
  state.transform_quantity = QuantityTransform{10, "nearest"};
  decision = decide(task("price.created", kSecond, state), {}, {});
  REQUIRE(std::holds_alternative<Conflict>(decision));
  CHECK_THAT(std::get<Conflict>(decision).message, Contains("nearest"));
}

TEST_CASE("the price of a package says how many it holds") {
  auto state = monthly("100");
  state.transform_quantity = QuantityTransform{1000, "up"};
  const auto change = change_in(decide(task("price.created", kSecond, state), {}, {}));
  CHECK(change.price->transform_quantity == QuantityTransform{1000, "up"});
  REQUIRE_FALSE(change.audit.empty());
  CHECK_THAT(change.audit.front().after, Contains("divide by 1000, round up"));
}

TEST_CASE("plan_source = price: a recurring price is a plan and an addon of its own") {
  const auto change = change_in(decide(task("price.created", kSecond, monthly("100")), {}, by_price()));
  REQUIRE(change.plan);
  CHECK(change.plan->id.str() != kEntity.id);
  CHECK(change.plan->fields.name == "Gold");
  CHECK(change.addon->plan_id == change.plan->id);
  CHECK(change.price->plan_id == change.plan->id);
  CHECK(change.mapping->provider_entity_id == "price_1");
  CHECK(change.stripe_object->entity_id == kEntity.id);
  const auto deleted = change_in(decide(task("plan.deleted", kSecond + 1, monthly("100")), after(change), by_price()));
  CHECK(deleted.plan->status == Status::deleted);
  CHECK(deleted.mapping->status == Status::deleted);
}

TEST_CASE("plan_source = price: a one-time price is no plan") {
  auto state = monthly("100");
  state.interval.clear();
  state.usage_type.clear();
  const auto change = change_in(decide(task("price.created", kSecond, state), {}, by_price()));
  CHECK_FALSE(change.plan);
  CHECK(change.price->billing_period == BillingPeriod::onetime);
}

TEST_CASE("plan_source = price: the shell of a price that Stripe could not be asked about ends with it") {
  const Parent parent{{"price", StripeId("price_1")}, StripeId("prod_1")};
  const ParentTask wanted{task("", kSecond, {}).scope, 3, kEntity, parent, "req_1", from_unix_seconds(kSecond)};
  const auto shell = change_in(decide_parent(wanted, {}, by_price(), std::nullopt));
  REQUIRE(shell.plan);
  CHECK_FALSE(shell.price);
  CHECK(shell.stripe_object->needs_reconcile);
  const auto snapshot = after(shell);
  CHECK(existing_parent(wanted, snapshot) == shell.plan->id.str());

  SECTION("as a hint says") {
    stripe::PriceState bare;
    bare.id = StripeId("price_1");
    bare.product = StripeId("prod_1");
    auto hint = task("price.deleted", kSecond + 1, bare);
    hint.event.hint = true;
    const auto ended = change_in(decide_gone(hint, snapshot, by_price(), "No such price"));
    CHECK(ended.plan->status == Status::deleted);
    CHECK(ended.mapping->status == Status::deleted);
    CHECK(ended.stripe_object->deleted);
    CHECK(ended.price->plan_id == shell.plan->id);
    auto later = after(ended, snapshot);
    later.plan.reset();  // no mapping leads to it any more
    CHECK(existing_parent(wanted, later) == shell.plan->id.str());
  }
  SECTION("as its own event says") {
    const auto ended = change_in(decide(task("price.deleted", kSecond + 1, monthly("900")), snapshot, by_price()));
    CHECK(ended.plan->status == Status::deleted);
    CHECK(ended.price->plan_id == shell.plan->id);
    CHECK(existing_parent(wanted, after(ended, snapshot)) == shell.plan->id.str());
  }
}

TEST_CASE("plan_source = price, changed from product: a price that is known needs nobody to be a plan") {
  const auto known = after(change_in(decide(task("price.created", kSecond, monthly("900")), {}, {})));
  const Parent parent{{"price", StripeId("price_1")}, StripeId("prod_1")};
  const ParentTask wanted{task("", kSecond, {}).scope, 3, kEntity, parent, "req_1", from_unix_seconds(kSecond)};
  const auto change = change_in(decide_parent(wanted, known, by_price(), std::nullopt));
  REQUIRE(change.plan);
  CHECK(change.plan->fields.name == "Gold");
  CHECK(change.stripe_object->state == known.shadow->state);
  CHECK_FALSE(change.stripe_object->needs_reconcile);
}
