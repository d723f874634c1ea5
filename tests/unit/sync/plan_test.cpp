// DESIGN section 5, products: a plan and its twin addon, each rule as an example. That all orders end alike is
// catalog_order_test.cpp's.
#include "sync/plan.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sync/event.hpp"
#include "sync/parent.hpp"

using namespace flexsync;
using namespace flexsync::sync;
using Catch::Matchers::Contains;

namespace {

const EntityKey kEntity{EntityKind::plan, "plan_01ARZ3NDEKTSV4RRFFQ69G5FAV"};
constexpr std::int64_t kSecond = 1'790'000'000;

stripe::ProductState product(const std::string& name) {
  stripe::ProductState state;
  state.id = StripeId("prod_1");
  state.name = name;
  state.description = "For " + name;
  state.metadata = {{"tier", "1"}, {"flexprice_plan_id", "plan_x"}};
  return state;
}

EventTask task(const std::string& type, std::int64_t second, stripe::ProductState state) {
  EventTask task;
  task.scope = {TenantId("tenant_1"), EnvironmentId("env_1")};
  task.epoch = 3;
  task.entity = kEntity;
  state.deleted = type == "product.deleted";
  task.event = {StripeEventId("evt_" + std::to_string(second)), type, from_unix_seconds(second), {}, std::move(state)};
  task.seq = 7;
  task.now = from_unix_seconds(second + 1);
  return task;
}

ChangeSet decided(const EventTask& task, const EntitySnapshot& snapshot = {}, const Settings& settings = {}) {
  const auto decision = decide(task, snapshot, settings);
  REQUIRE(std::holds_alternative<ChangeSet>(decision));
  return std::get<ChangeSet>(decision);
}

EntitySnapshot after(const ChangeSet& change, EntitySnapshot snapshot = {}) {
  absorb(change, {}, snapshot);
  return snapshot;
}

EntitySnapshot created(const std::string& name) {
  return after(decided(task("product.created", kSecond, product(name))));
}

Settings by_price() {
  Settings settings;
  settings.plan_source = PlanSource::price;
  return settings;
}

}  // namespace

TEST_CASE("product.created makes a plan, its twin addon, and a mapping of each") {
  const auto change = decided(task("product.created", kSecond, product("Gold")));
  CHECK(change.settlement->outcome == InboxOutcome::applied);
  REQUIRE(change.plan);
  CHECK(change.plan->id.str() == kEntity.id);
  CHECK(change.plan->fields == PlanFields{"Gold", "For Gold", {{"tier", "1"}}});
  CHECK(change.plan->status == Status::published);
  CHECK(change.plan->version == 1);
  REQUIRE(change.addon);
  CHECK(change.addon->id.str() == "addon_01ARZ3NDEKTSV4RRFFQ69G5FAV");
  CHECK(change.addon->plan_id == change.plan->id);
  CHECK(change.addon->lookup_key == "prod_1");
  CHECK(change.addon->fields == change.plan->fields);
  REQUIRE(change.mapping);
  CHECK(change.mapping->entity_type == "plan");
  CHECK(change.mapping->provider_entity_id == "prod_1");
  REQUIRE(change.addon_mapping);
  CHECK(change.addon_mapping->entity_type == "addon");
  CHECK(change.addon_mapping->entity_id == change.addon->id.str());
  REQUIRE(change.stripe_object);
  CHECK(change.stripe_object->object_type == "product");
  CHECK(change.stripe_object->entity_id == kEntity.id);
  REQUIRE(change.audit.size() == 4);
  CHECK(change.audit[0].action == "create");
  CHECK(change.audit[1].entity_type == "addon");
}

TEST_CASE("a product without a name is named after its id") {
  CHECK(decided(task("product.created", kSecond, product(""))).plan->fields.name == "prod_1");
}

TEST_CASE("product.updated changes what differs in Stripe and leaves what was changed here") {
  auto snapshot = created("Gold");
  snapshot.plan->fields.description = "ours";
  auto state = product("Gold");
  state.name = "Platinum";
  const auto change = decided(task("product.updated", kSecond + 5, state), snapshot);
  REQUIRE(change.plan);
  CHECK(change.plan->fields.name == "Platinum");
  CHECK(change.plan->fields.description == "ours");
  CHECK(change.plan->version == 2);
  CHECK(change.addon->fields.name == "Platinum");
  CHECK(nlohmann::json::parse(change.audit[0].before) == nlohmann::json{{"name", "Gold"}});
  CHECK(nlohmann::json::parse(change.audit[0].after) == nlohmann::json{{"name", "Platinum"}});
}

TEST_CASE("an inactive product is an archived plan, and comes back") {
  auto state = product("Gold");
  state.active = false;
  const auto snapshot = created("Gold");
  const auto archived = decided(task("product.updated", kSecond + 1, state), snapshot);
  CHECK(archived.plan->status == Status::archived);
  CHECK(archived.addon->status == Status::archived);
  const auto back = decided(task("product.updated", kSecond + 2, product("Gold")), after(archived, snapshot));
  CHECK(back.plan->status == Status::published);
}

TEST_CASE("product.deleted deletes plan and addon, ends both mappings, and is final") {
  const auto snapshot = created("Gold");
  const auto change = decided(task("product.deleted", kSecond + 9, product("Last")), snapshot);
  CHECK(change.plan->status == Status::deleted);
  CHECK(change.plan->fields.name == "Last");
  CHECK(change.addon->status == Status::deleted);
  CHECK(change.mapping->status == Status::deleted);
  CHECK(change.addon_mapping->status == Status::deleted);
  CHECK(change.stripe_object->deleted);
  const auto late = decided(task("product.updated", kSecond + 99, product("Late")), after(change, snapshot));
  CHECK(late.settlement->outcome == InboxOutcome::superseded);
  CHECK_THAT(late.settlement->reason, Contains("deleted"));
  CHECK_FALSE(late.plan);
}

TEST_CASE("a deletion that comes first leaves the deleted plan that it would have left last") {
  const auto first = after(decided(task("product.deleted", kSecond + 9, product("Gold"))));
  const auto last =
      after(decided(task("product.deleted", kSecond + 9, product("Gold")), created("Gold")), created("Gold"));
  CHECK(first.plan->fields == last.plan->fields);
  CHECK(first.plan->status == last.plan->status);
  CHECK_FALSE(first.mapping);
  CHECK_FALSE(last.mapping);
}

TEST_CASE("plan_source = price: a product is remembered, no plan") {
  const auto decision = decide(task("product.created", kSecond, product("Gold")), {}, by_price());
  const auto& change = std::get<ChangeSet>(decision);
  CHECK_FALSE(change.plan);
  CHECK_FALSE(change.mapping);
  REQUIRE(change.stripe_object);
  CHECK(change.settlement->outcome == InboxOutcome::applied);
}

TEST_CASE("a parent that Stripe cannot be asked about is a shell, older than any event") {
  const Parent parent{{"product", StripeId("prod_1")}, {}};
  const ParentTask wanted{task("", kSecond, {}).scope, 3, kEntity, parent, "req_1", from_unix_seconds(kSecond)};
  const auto decision = decide_parent(wanted, {}, {}, std::nullopt);
  const auto& shell = std::get<ChangeSet>(decision);
  REQUIRE(shell.plan);
  CHECK(shell.plan->fields.name == "prod_1");
  CHECK(shell.stripe_object->needs_reconcile);
  CHECK_FALSE(shell.settlement);
  const auto snapshot = after(shell);
  CHECK(existing_parent(wanted, snapshot) == kEntity.id);
  const auto change = decided(task("product.created", 1, product("Gold")), snapshot);
  CHECK(change.plan->fields == PlanFields{"Gold", "For Gold", {{"tier", "1"}}});
  CHECK_FALSE(change.stripe_object->needs_reconcile);
}
