// A subscription's actor asks for its customer and its plans first. The supervisor between them is a fake; the real one
// is in tenant_supervisor_parents_test.cpp, those who are asked in entity_sync_parents_asked_test.cpp.
#include <catch2/catch.hpp>

#include "entity_sync_parents_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;

TEST_CASE("a subscription asks for its customer and each of its plans, and is written when all of them are there") {
  ParentsFixture f;
  f.start(kSubscription);
  const auto seq = f.subscribe({"prod_gold", "prod_extra", "prod_gold"});
  REQUIRE(f.log.parents.size() == 3);
  CHECK(f.log.parents[0]->question().parent == sync::Parent{kAda, {}});
  CHECK(f.log.parents[1]->question().parent == sync::Parent{kGold, kGold.id});
  CHECK(f.log.parents[2]->question().parent.object.id == StripeId("prod_extra"));
  f.put_customer();
  f.put_plan("plan_1");
  f.put_plan("plan_2");
  f.reply(2, std::string("plan_2"));
  f.reply(0, std::string("cust_1"));
  CHECK(f.changes.submitted.empty());
  f.reply(1, std::string("plan_1"));
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  const auto* subscription = f.store.subscription(kTenant, SubscriptionId("subs_1"));
  REQUIRE(subscription != nullptr);
  CHECK(subscription->terms.customer_id == CustomerId("cust_1"));
  CHECK(subscription->terms.plan_id == PlanId("plan_1"));
  CHECK(subscription->terms.addons.size() == 2);
  CHECK(f.transport.requests.empty());  // Stripe is asked by those who are asked
}

TEST_CASE("what is here already is not asked for; a second event asks for what is new to it alone") {
  ParentsFixture f;
  f.put_customer();
  f.put_plan("plan_1");
  f.put_plan("plan_2");
  Mapping mapping;
  mapping.id = MappingId("eim_1");
  mapping.entity_type = "customer";
  mapping.entity_id = "cust_1";
  mapping.provider_entity_id = "cus_1";
  f.store.put(kTenant, mapping);
  f.start(kSubscription);
  f.subscribe();
  REQUIRE(f.log.parents.size() == 1);
  f.reply(0, std::string("plan_1"));
  const auto upgraded = f.apply("evt_2", "customer.subscription.updated",
                                subscription_state("sub_1", "cus_1", {"prod_platinum"}), kSecondZero + 1);
  REQUIRE(f.log.parents.size() == 2);
  CHECK(f.log.parents[1]->question().parent.object.id == StripeId("prod_platinum"));
  f.reply(1, std::string("plan_2"));
  CHECK(f.outcome(upgraded) == InboxOutcome::applied);
  CHECK(f.store.subscription(kTenant, SubscriptionId("subs_1"))->terms.plan_id == PlanId("plan_2"));
}

TEST_CASE("whether a parent is to be made is a setting, of customers and of plans") {
  const bool customers = GENERATE(true, false);
  const bool plans = GENERATE(true, false);
  ParentsFixture f;
  f.config.sync.create_missing_customer = customers;
  f.config.sync.create_missing_plan = plans;
  f.start(kSubscription);
  f.subscribe();
  REQUIRE(f.log.parents.size() == 2);
  CHECK(f.log.parents[0]->question().create == customers);
  CHECK(f.log.parents[1]->question().create == plans);
}

TEST_CASE("a parent that is not here and not to be made blocks the event; one that failed has it tried again") {
  ParentsFixture f;
  f.start(kSubscription);
  const auto seq = f.subscribe({"prod_gold", "prod_extra"});
  f.reply(0, fail(ErrorCode::service_unavailable, "Stripe is slow"));
  f.reply(1, fail(ErrorCode::not_found, "not here"));
  CHECK_FALSE(f.outcome(seq).has_value());  // all are heard first
  SECTION("one that is not here decides") {
    f.reply(2, std::string("plan_2"));
    CHECK(f.parked(seq).state == ParkedState::blocked);
    CHECK(f.parked(seq).blocked_on == kGold);
    CHECK(f.parked(seq).attempts == 0);
  }
  SECTION("blocked for 7 days since it was parked first: for a person") {
    ParentsFixture late;
    late.parked_at = late.clock.now() - sync::kWaitMax;
    late.start(kSubscription);
    const auto old = late.subscribe();
    late.reply(0, std::string("cust_1"));
    late.reply(1, fail(ErrorCode::not_found, "not here"));
    CHECK(late.parked(old).state == ParkedState::dead);
    CHECK(late.parked(old).error_code == "blocked");
  }
}

TEST_CASE("a parent that could not be had is an attempt; a question that nobody answers, too") {
  ParentsFixture f;
  f.start(kSubscription);
  const auto seq = f.subscribe();
  f.reply(0, std::string("cust_1"));
  SECTION("it failed") {
    f.reply(1, fail(ErrorCode::invalid_operation, "it cannot be read"));
    CHECK(f.parked(seq).error_message == "it cannot be read");
  }
  SECTION("whoever had the question fell") {
    f.log.parents.clear();
    f.run();
    CHECK(f.parked(seq).error_message == "nobody answered for prod_gold");
  }
  CHECK(f.parked(seq).state == ParkedState::retrying);
  CHECK(f.parked(seq).error_code == "parents");
  CHECK(f.parked(seq).attempts == 1);
  CHECK(f.log.parked == std::vector{seq});
}

TEST_CASE("a parent that Stripe does not answer for is waited for, seven days at most; that is no attempt") {
  const bool too_long = GENERATE(false, true);
  ParentsFixture f;
  f.parked_at = f.clock.now() - sync::kWaitMax + std::chrono::seconds{too_long ? 0 : 1};
  f.start(kSubscription);
  const auto seq = f.subscribe();
  f.reply(0, std::string("cust_1"));
  f.reply(1, fail(kStripeIsSilent, "Stripe is slow"));
  CHECK(f.parked(seq).state == (too_long ? ParkedState::dead : ParkedState::retrying));
  CHECK(f.parked(seq).error_code == "stripe_unavailable");
  CHECK(f.parked(seq).attempts == (too_long ? 1 : 0));
}

TEST_CASE("an answer to a question of another step counts no more") {
  ParentsFixture f;
  f.start(kSubscription);
  const auto seq = f.subscribe();
  const auto stale = std::make_shared<const FoundParent>(FoundParent{kGold, std::string("plan_9")});
  for (const std::uint64_t step : {0, 2, 3}) {
    caf::anon_send(f.actor, parent_atom::value, step, stale);
  }
  f.run();
  f.reply(0, std::string("cust_1"));
  CHECK(f.changes.submitted.empty());
  f.put_customer();
  f.put_plan("plan_1");
  f.reply(1, std::string("plan_1"));
  CHECK(f.outcome(seq) == InboxOutcome::applied);
}

TEST_CASE("where Stripe has to be asked, its answer's parents are asked for, and its answer stands") {
  ParentsFixture f;
  f.put_customer();
  f.put_plan("plan_1");
  f.put_plan("plan_2");
  f.start(kSubscription);
  f.subscribe();
  f.reply(0, std::string("cust_1"));
  f.reply(1, std::string("plan_1"));
  f.transport.objects["sub_1"] = to_object_json(subscription_state("sub_1", "cus_1", {"prod_platinum"}));
  auto past_due = subscription_state("sub_1", "cus_1", {"prod_gold"});
  past_due.status = "past_due";
  const auto tied = f.apply("evt_tied", "customer.subscription.updated", past_due);
  REQUIRE(f.log.parents.size() == 3);
  CHECK(f.log.parents[2]->question().parent.object.id == StripeId("prod_platinum"));
  f.reply(2, std::string("plan_2"));
  CHECK(f.outcome(tied) == InboxOutcome::applied);
  const auto* subscription = f.store.subscription(kTenant, SubscriptionId("subs_1"));
  CHECK(subscription->terms.plan_id == PlanId("plan_2"));
  CHECK(subscription->terms.subscription_status == SubscriptionStatus::active);
  CHECK(f.transport.requests.size() == 1);
}

TEST_CASE("a subscription that shows its first items only is fetched with all of them") {
  ParentsFixture f;
  f.put_customer();
  f.put_plan("plan_1");
  f.put_plan("plan_2");
  auto whole = subscription_state("sub_1", "cus_1", {"prod_extra", "prod_gold"});
  auto shown = whole;
  shown.items.resize(1);
  shown.has_more_items = true;
  f.transport.objects["sub_1"] = to_object_json(shown);
  f.start(kSubscription);
  SECTION("its items are listed") {
    f.transport.objects["subscription_items"] = to_item_list_json(whole.items);
    const auto seq = f.apply("evt_1", "customer.subscription.created", shown);
    REQUIRE(f.log.parents.size() == 3);
    f.reply(0, std::string("cust_1"));
    f.reply(1, std::string("plan_1"));
    f.reply(2, std::string("plan_2"));
    CHECK(f.outcome(seq) == InboxOutcome::applied);
    CHECK(f.store.subscription(kTenant, SubscriptionId("subs_1"))->terms.addons.size() == 1);
    CHECK(f.transport.requests.size() == 2);
  }
  SECTION("they cannot be: it is tried again") {
    const auto seq = f.apply("evt_1", "customer.subscription.created", shown);
    CHECK(f.parked(seq).state == ParkedState::retrying);
    CHECK(f.parked(seq).error_code == "stripe_unavailable");
    CHECK(f.log.parents.empty());
  }
}
