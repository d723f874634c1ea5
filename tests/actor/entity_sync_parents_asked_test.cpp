// A customer's or a plan's actor is asked to exist: it names itself, or makes itself of what Stripe says.
#include <catch2/catch.hpp>

#include "entity_sync_parents_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;

namespace {

CallOutcomePtr answered(const stripe::ObjectState& state) {
  return std::make_shared<const stripe::CallOutcome>(
      stripe::Answered{to_object_json(state), {from_unix_seconds(kSecondZero), from_unix_seconds(kSecondZero)}});
}

}  // namespace

TEST_CASE("a plan that is here names itself; Stripe is not asked") {
  ParentsFixture f;
  f.put_plan("plan_1");
  f.start(kPlan);
  f.ask(kGold);
  f.ask(kGold, false);
  REQUIRE(f.answers.size() == 2);
  CHECK(f.answers[0] == ParentAnswer("plan_1"));
  CHECK(f.answers[1] == ParentAnswer("plan_1"));
  CHECK(f.log.parents_answered == 2);
  CHECK(f.transport.requests.empty());
  CHECK(f.changes.submitted.empty());
}

TEST_CASE("a plan that is not here is made of Stripe's product, once for all who ask") {
  ParentsFixture f;
  f.held.hold = {"load", "stripe", "change"};
  f.transport.objects["prod_gold"] = to_object_json(product_state("prod_gold", "Gold"));
  f.start(kPlan);
  for (int i = 0; i < 5; ++i) {
    f.ask(kGold);
  }
  for (const auto* step : {"load", "stripe", "change"}) {
    CHECK(f.answers.empty());
    CHECK(f.held.waiting() == 1);
    REQUIRE(f.held.finish(step));
    f.run();
  }
  CHECK(f.answers == std::vector<ParentAnswer>(5, ParentAnswer("plan_1")));
  CHECK(f.log.parents_answered == 5);
  CHECK(f.transport.requests.size() == 1);
  CHECK(f.changes.submitted.size() == 1);
  CHECK(f.store.plan(kTenant, PlanId("plan_1"))->fields.name == "Gold");
  CHECK(f.store.twin(kTenant, PlanId("plan_1")) != nullptr);
  CHECK(f.store.live_mapping(kTenant, kGold.id, "plan")->entity_id == "plan_1");
  CHECK(f.store.live_mapping(kTenant, kGold.id, "addon") != nullptr);
}

TEST_CASE("its own event, queued before the question, has made the plan already") {
  ParentsFixture f;
  f.held.hold = {"load"};
  f.start(kPlan);
  const auto seq = f.apply("evt_1", "product.created", product_state("prod_gold", "Gold"));
  f.ask(kGold);
  f.held.finish("load");
  f.run();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  REQUIRE(f.answers.size() == 1);
  CHECK(f.answers[0] == ParentAnswer("plan_1"));
  CHECK(f.transport.requests.empty());
}

TEST_CASE("a plan that is not to be made is not here") {
  ParentsFixture f;
  f.start(kPlan);
  f.ask(kGold, false);
  CHECK(f.refusal() == ErrorCode::not_found);
  CHECK(f.transport.requests.empty());
  CHECK(f.changes.submitted.empty());
}

TEST_CASE("what Stripe does not have, or may not be asked for, is an empty shell, older than any event") {
  ParentsFixture f;
  SECTION("Stripe does not have it") {}
  SECTION("Stripe refuses") {
    f.transport.script.next(403);
  }
  SECTION("there is no connection") {
    f.key = Secret();
  }
  f.start(kPlan);
  f.ask(kGold);
  REQUIRE(f.answers.size() == 1);
  CHECK(f.answers[0] == ParentAnswer("plan_1"));
  const auto* shadow = f.store.object(kTenant, kGold.id);
  REQUIRE(shadow != nullptr);
  CHECK(shadow->needs_reconcile);
  CHECK(shadow->state.empty());
  CHECK(f.store.plan(kTenant, PlanId("plan_1"))->fields.name == "prod_gold");
  const auto first = f.apply("evt_1", "product.created", product_state("prod_gold", "Gold"), kSecondZero - 10'000'000);
  CHECK(f.outcome(first) == InboxOutcome::applied);
  CHECK(f.store.plan(kTenant, PlanId("plan_1"))->fields.name == "Gold");
  CHECK_FALSE(f.store.object(kTenant, kGold.id)->needs_reconcile);
}

TEST_CASE("Stripe unavailable: whoever asks hears of it, nothing is made; asked again it is") {
  ParentsFixture f;
  f.config.stripe_retries.same_again_max = 0;
  f.transport.objects["prod_gold"] = to_object_json(product_state("prod_gold", "Gold"));
  f.transport.script.next(503);
  f.transport.script.next(0);
  f.start(kPlan);
  f.ask(kGold);
  f.ask(kGold);
  CHECK(f.refusal(0) == ErrorCode::service_unavailable);
  CHECK(f.refusal(1) == ErrorCode::service_unavailable);
  CHECK(f.changes.submitted.empty());
  f.ask(kGold);
  CHECK(f.answers.at(2) == ParentAnswer("plan_1"));
  CHECK(f.log.parents_answered == 3);
}

TEST_CASE("an answer of Stripe's that cannot be read makes nothing") {
  ParentsFixture f;
  f.transport.objects["prod_gold"] = R"({"id":"prod_gold","object":"product","name":7})";
  f.start(kPlan);
  f.ask(kGold);
  CHECK(f.refusal() == ErrorCode::validation_error);
  CHECK(f.changes.submitted.empty());
}

TEST_CASE("a product that Stripe has deleted is here as a deleted plan") {
  ParentsFixture f;
  auto gone = product_state("prod_gold", "");
  gone.deleted = true;
  f.transport.objects["prod_gold"] = to_object_json(gone);
  f.start(kPlan);
  f.ask(kGold);
  REQUIRE(f.answers.size() == 1);
  CHECK(f.answers[0] == ParentAnswer("plan_1"));
  CHECK(f.store.plan(kTenant, PlanId("plan_1"))->status == Status::deleted);
  CHECK(f.store.live_mapping(kTenant, kGold.id) == nullptr);
  CHECK(f.store.object(kTenant, kGold.id)->deleted);
}

TEST_CASE("with plan_source = price a recurring price is the plan; a one-time price is none") {
  const std::string interval = GENERATE("month", "");
  ParentsFixture f;
  f.config.sync.plan_source = sync::PlanSource::price;
  const ObjectKey price{"price", StripeId("price_1")};
  f.transport.objects["price_1"] = to_object_json(price_state("price_1", "prod_gold", interval));
  f.start(kPlan);
  f.ask(price, true, nullptr, "prod_gold");
  if (interval.empty()) {
    CHECK(f.refusal() == ErrorCode::invalid_operation);
    CHECK(f.store.live_mapping(kTenant, price.id) == nullptr);
  } else {
    REQUIRE(f.answers.size() == 1);
    REQUIRE(f.answers[0].has_value());
    CHECK(f.store.live_mapping(kTenant, price.id, "plan")->entity_id == *f.answers[0]);
  }
  CHECK(f.store.object(kTenant, kGold.id)->entity_id == "plan_1");  // its product leads to the same actor
}

TEST_CASE("a price that Stripe does not have is a plan without anything, which its own event fills") {
  ParentsFixture f;
  f.config.sync.plan_source = sync::PlanSource::price;
  f.start(kPlan);
  f.ask({"price", StripeId("price_1")}, true, nullptr, "prod_gold");
  REQUIRE(f.answers.size() == 1);
  REQUIRE(f.answers[0].has_value());
  const PlanId plan(*f.answers[0]);
  CHECK(f.store.plan(kTenant, plan)->fields.name == "price_1");
  CHECK(f.store.price(kTenant, StripeId("price_1")) == nullptr);
  CHECK(f.store.object(kTenant, StripeId("price_1"))->needs_reconcile);
  CHECK(f.store.object(kTenant, kGold.id)->entity_id == "plan_1");

  auto state = price_state("price_1", "prod_gold");
  state.nickname = "Gold, monthly";
  const auto seq = f.apply("evt_1", "price.created", state, kSecondZero - 10'000'000);
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.store.plan(kTenant, plan)->fields.name == "Gold, monthly");
  CHECK(f.store.price(kTenant, StripeId("price_1"))->plan_id == plan);
  CHECK_FALSE(f.store.object(kTenant, StripeId("price_1"))->needs_reconcile);
}

TEST_CASE("a customer that the supervisor has looked up in Stripe is made of that answer") {
  ParentsFixture f;
  f.start(kCustomer);
  f.ask(kAda, true, answered(customer_state("cus_1", "Ada")));
  REQUIRE(f.answers.size() == 1);
  CHECK(f.answers[0] == ParentAnswer("cust_1"));
  CHECK(f.store.customer(kTenant, CustomerId("cust_1"))->fields.name == "Ada");
  CHECK(f.store.live_mapping(kTenant, kAda.id)->entity_id == "cust_1");
  CHECK(f.transport.requests.empty());
}

TEST_CASE("the store unavailable while a parent is made: tried again until it is back") {
  ParentsFixture f;
  f.transport.objects["prod_gold"] = to_object_json(product_state("prod_gold", "Gold"));
  f.snapshots.script.next(ReadFault::unavailable, 2);
  f.changes.script.next({ChangeResult::unavailable});
  f.changes.script.next({ChangeResult::unavailable, true});  // the commit happened, its answer was lost
  f.start(kPlan);
  f.ask(kGold);
  CHECK(f.answers.empty());
  f.advance(f.config.store_retry * 5);
  REQUIRE(f.answers.size() == 1);
  CHECK(f.answers[0] == ParentAnswer("plan_1"));
  CHECK(f.store.plan(kTenant, PlanId("plan_1"))->version == 1);
}

TEST_CASE("a parent whose row keeps changing, or that the database refuses, is refused; one that passes is not") {
  ParentsFixture f;
  f.transport.objects["prod_gold"] = to_object_json(product_state("prod_gold", "Gold"));
  SECTION("stale versions") {
    f.changes.script.next({ChangeResult::stale_version}, f.config.stale_retries_max + 1);
    f.start(kPlan);
    f.ask(kGold);
    f.advance(std::chrono::seconds{5});  // Stripe is asked anew each time, within its limits
    CHECK(f.refusal() == ErrorCode::version_conflict);
  }
  SECTION("refused") {
    f.changes.script.next({ChangeResult::rejected});
    f.start(kPlan);
    f.ask(kGold);
    CHECK(f.refusal() == ErrorCode::database_error);
  }
  SECTION("a conflict that stays one") {
    f.changes.script.next({ChangeResult::conflict}, 2);
    f.start(kPlan);
    f.ask(kGold);
    CHECK(f.refusal() == ErrorCode::database_error);
  }
  CHECK(f.store.plan(kTenant, PlanId("plan_1")) == nullptr);
  f.changes.script.next({ChangeResult::stale_version});
  f.changes.script.next({ChangeResult::conflict});
  f.ask(kGold);
  CHECK(f.answers.at(1) == ParentAnswer("plan_1"));
}

TEST_CASE("another owner: the supervisor is told, nothing is made") {
  ParentsFixture f;
  f.transport.objects["prod_gold"] = to_object_json(product_state("prod_gold", "Gold"));
  f.start(kPlan);
  f.store.take_ownership(kTenant);
  f.ask(kGold);
  CHECK(f.log.deposed == 1);
  CHECK(f.answers.empty());
}
