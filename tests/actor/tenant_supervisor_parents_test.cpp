// The supervisor between a subscription's actor and those of its customer and its plans, with all of them real: who is
// asked, who is made, what blocks and what wakes.
#include <catch2/catch.hpp>

#include "tenant_supervisor_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

struct Fixture : SupervisorFixture {
  std::int64_t subscribe(const std::string& id = "sub_1", const std::vector<std::string>& products = {"prod_gold"}) {
    return put_subscription(id, "cus_1", products);
  }

  void stripe_has_all() {
    transport.states["cus_1"] = customer_state("cus_1", "Ada");
    stripe_has(product_state("prod_gold", "Gold"));
  }

  const Customer& customer() const {
    const auto* known = store.customer_of(kTenant, StripeId("cus_1"));
    REQUIRE(known != nullptr);
    return *known;
  }

  const Plan& gold() const {
    const auto* known = store.plan(kTenant, PlanId(mapped("prod_gold", "plan")));
    REQUIRE(known != nullptr);
    return *known;
  }
};

}  // namespace

TEST_CASE("a subscription whose customer and plan nobody knows: both are fetched from Stripe and made before it") {
  Fixture f;
  f.stripe_has_all();
  const auto seq = f.subscribe();
  f.start();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.customer().fields.name == "Ada");
  CHECK(f.gold().fields.name == "Gold");
  CHECK(f.subscription().terms.customer_id == f.customer().id);
  CHECK(f.subscription().terms.plan_id == f.gold().id);
  REQUIRE(f.changes.submitted.size() == 3);
  CHECK(f.changes.submitted.back().subscription.has_value());
  CHECK(f.transport.requests.size() == 2);
}

TEST_CASE("many subscriptions of one customer and product that nobody knows: each is fetched once, and made once") {
  Fixture f;
  f.stripe_has_all();
  f.held.hold = {"stripe"};
  for (int i = 1; i <= 10; ++i) {
    f.subscribe("sub_" + std::to_string(i));
  }
  f.start();
  f.subscribe("sub_11");  // while Stripe is being asked
  f.wake();
  CHECK(f.store.unsettled(kTenant) == 11);
  f.held.hold.clear();
  f.held.finish_all();
  f.run();
  f.held.finish_all();
  f.run();
  CHECK(f.store.unsettled(kTenant) == 0);
  CHECK(f.store.customers() == 1);
  CHECK(f.asked_for("/v1/customers/cus_1") == 1);
  CHECK(f.asked_for("/v1/products/prod_gold") == 1);
  for (int i = 1; i <= 11; ++i) {
    CHECK(f.subscription("sub_" + std::to_string(i)).terms.customer_id == f.customer().id);
    CHECK(f.subscription("sub_" + std::to_string(i)).terms.plan_id == f.gold().id);
  }
}

TEST_CASE("Stripe unavailable while a customer is looked up: tried again for all who wait, once each time") {
  Fixture f;
  f.stripe_has_all();
  f.config.stripe_retries.same_again_max = 0;
  const auto first = f.subscribe("sub_1");
  const auto second = f.subscribe("sub_2");
  f.transport.script.next(503);  // for the customer
  f.start();
  for (const auto seq : {first, second}) {
    CHECK(f.outcome(seq) == InboxOutcome::parked);
    CHECK(f.parked(seq).error_code == "stripe_unavailable");
  }
  f.advance(seconds{10});
  CHECK(f.outcome(first) == InboxOutcome::applied);
  CHECK(f.outcome(second) == InboxOutcome::applied);
  CHECK(f.store.customers() == 1);
}

TEST_CASE("Stripe is down for longer than an event has attempts: a subscription's customer and plan are waited for") {
  Fixture f;
  f.stripe_has_all();
  f.transport.script.next(503, 10'000);
  const auto seq = f.subscribe();
  f.start();
  f.pass(minutes{10});
  CHECK(f.parked(seq).state == ParkedState::retrying);
  CHECK(f.parked(seq).attempts == 0);
  CHECK(f.store.customers() == 0);
  f.transport.script = {};
  f.pass(minutes{6});
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.customer().fields.name == "Ada");
}

TEST_CASE("its customer's and product's own events are on their way: they are waited for, Stripe is not asked") {
  Fixture f;
  f.put("evt_cus", "customer.created", customer_state("cus_1", "Ada"));
  f.put("evt_prod", "product.created", product_state("prod_gold", "Gold"));
  const auto seq = f.subscribe();
  f.held.hold = {"change"};
  f.start();
  CHECK_FALSE(f.outcome(seq).has_value());
  f.held.hold.clear();
  f.held.finish_all();
  f.run();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.subscription().terms.customer_id == f.customer().id);
  CHECK(f.transport.requests.empty());
}

TEST_CASE("a customer of Stripe's whose metadata claims one of ours is that one") {
  const std::string claim = GENERATE("cust_ours", "our-7");
  Fixture f;
  f.put_ours();
  f.stripe_has_all();
  auto& state = f.transport.states["cus_1"];
  state.metadata["flexprice_customer_id"] = claim;
  const auto seq = f.subscribe();
  f.start();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.subscription().terms.customer_id.str() == "cust_ours");
  f.put("evt_cus", "customer.updated", state);
  f.wake();
  CHECK(f.mapped("cus_1") == "cust_ours");
  CHECK(f.store.customers() == 1);
}

TEST_CASE("a claim that Stripe could not show at first is found when it can") {
  Fixture f;
  f.put_ours();
  f.stripe_has_all();
  f.transport.states["cus_1"].metadata["flexprice_customer_id"] = "our-7";
  f.config.stripe_retries.same_again_max = 0;
  f.transport.script.next(GENERATE(503, 429));
  const auto seq = f.subscribe();
  f.start();
  f.put("evt_cus", "customer.updated", f.transport.states["cus_1"]);
  f.wake();
  f.advance(seconds{10});
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.subscription().terms.customer_id.str() == "cust_ours");
  CHECK(f.mapped("cus_1") == "cust_ours");
  CHECK(f.store.customers() == 1);
}

TEST_CASE("plan_source = price: a subscription keeps the plan of a price that was deleted") {
  Fixture f;
  f.config.sync.plan_source = sync::PlanSource::price;
  f.config.entity_idle = seconds{0};
  f.transport.states["cus_1"] = customer_state("cus_1", "Ada");
  f.put("evt_price", "price.created", price_state("price_prod_gold", "prod_gold"));
  f.subscribe();
  f.start();
  const auto plan = f.subscription().terms.plan_id;
  auto gone = price_state("price_prod_gold", "prod_gold");
  gone.deleted = true;
  f.put("evt_gone", "price.deleted", gone, kSecondZero + 1);
  f.wake();
  f.advance(std::chrono::minutes{2});
  auto more = subscription_state("sub_1", "cus_1", {"prod_gold"});
  more.items.front().quantity = 7;
  const auto seq = f.put("evt_more", "customer.subscription.updated", more, kSecondZero + 2);
  f.wake();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.subscription().terms.plan_id == plan);
  CHECK(f.store.object(kTenant, StripeId("price_prod_gold"))->deleted);
}

TEST_CASE("a product of another environment is no plan here") {
  Fixture f;
  f.stripe_has_all();
  auto theirs = product_state("prod_gold", "Gold");
  theirs.metadata["flexprice_environment"] = "env_2";
  f.stripe_has(theirs);
  f.config.retry.attempts_max = 2;
  const auto seq = f.subscribe();
  f.start();
  f.advance(seconds{5});
  CHECK(f.parked(seq).state == ParkedState::dead);
  CHECK(f.parked(seq).error_message == "prod_gold belongs to another environment");
  CHECK(f.mapped("prod_gold", "plan").empty());
}

TEST_CASE("a claim that fits nobody is no claim; a customer of another environment is not made here") {
  Fixture f;
  f.stripe_has_all();
  auto& metadata = f.transport.states["cus_1"].metadata;
  SECTION("nobody") {
    metadata["flexprice_customer_id"] = "nobody";
    const auto seq = f.subscribe();
    f.start();
    CHECK(f.outcome(seq) == InboxOutcome::applied);
    CHECK(f.subscription().terms.customer_id == f.customer().id);
    CHECK(f.asked_for("/v1/customers/cus_1") == 1);
  }
  SECTION("another environment") {
    metadata["flexprice_environment"] = "env_2";
    f.config.retry.attempts_max = 2;
    const auto seq = f.subscribe();
    f.start();
    f.advance(seconds{5});
    CHECK(f.parked(seq).state == ParkedState::dead);
    CHECK(f.parked(seq).error_message == "cus_1 belongs to another environment");
    CHECK(f.store.customers() == 0);
  }
}

TEST_CASE("a customer that Stripe does not have is an empty shell, which its own event fills") {
  Fixture f;
  const auto seq = f.subscribe();
  f.start();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.customer().fields.name == "cus_1");
  CHECK(f.store.object(kTenant, StripeId("cus_1"))->needs_reconcile);
  f.put("evt_cus", "customer.created", customer_state("cus_1", "Ada"), kSecondZero - 1'000);
  f.put("evt_prod", "product.created", product_state("prod_gold", "Gold"), kSecondZero - 1'000);
  f.wake();
  CHECK(f.customer().fields.name == "Ada");
  CHECK(f.gold().fields.name == "Gold");
  CHECK(f.subscription().terms.customer_id == f.customer().id);
  CHECK(f.subscription().terms.plan_id == f.gold().id);
  CHECK(f.store.customers() == 1);
}

TEST_CASE("not to be made: blocked, woken when the one it waits for appears, blocked by the next, woken again") {
  Fixture f;
  f.stripe_has_all();
  f.config.sync.create_missing_customer = false;
  f.config.sync.create_missing_plan = false;
  const auto seq = f.subscribe();
  const auto begin = f.clock.now();
  f.start();
  CHECK(f.parked(seq).state == ParkedState::blocked);
  f.advance(seconds{20});
  CHECK(f.parked(seq).state == ParkedState::blocked);
  CHECK(f.parked(seq).attempts == 0);
  CHECK(f.transport.requests.empty());
  const std::array<std::pair<const char*, stripe::ObjectState>, 2> parents = {{
      {"product.created", product_state("prod_gold", "Gold")},
      {"customer.created", customer_state("cus_1", "Ada")},
  }};
  const bool customer_first = GENERATE(true, false);
  for (const std::size_t i : {customer_first ? 1U : 0U, customer_first ? 0U : 1U}) {
    CHECK(f.outcome(seq) == InboxOutcome::parked);
    f.put("evt_parent" + std::to_string(i), parents.at(i).first, parents.at(i).second);
    f.wake();
    f.advance(seconds{3});
  }
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.clock.now() - begin < sync::kWaitRecheck);  // woken, not found by the recheck
  CHECK(f.store.row(seq).settlements == 1);
  CHECK(f.transport.requests.empty());
}

TEST_CASE("a parent that appears while the event that waits for it is being parked wakes it all the same") {
  Fixture f;
  f.config.sync.create_missing_customer = false;
  f.stripe_has_all();
  const auto seq = f.subscribe();
  f.held.hold = {"change"};
  f.start();
  f.put("evt_cus", "customer.created", customer_state("cus_1", "Ada"));
  f.wake();
  REQUIRE(f.held.waiting("change") >= 2);
  f.held.hold.clear();
  std::mt19937_64 random(GENERATE(range(1U, 9U)));
  while (f.held.step(random)) {
    f.run();
  }
  f.advance(seconds{3});
  CHECK(f.outcome(seq) == InboxOutcome::applied);
}

TEST_CASE("a product that only its price has named leads to the same plan, also when its actor has stopped meanwhile") {
  Fixture f;
  f.stripe_has_all();
  f.put("evt_price", "price.created", price_state("price_prod_gold", "prod_gold"));
  f.start();
  f.advance(f.config.entity_idle + f.config.sweep_interval * 2 + seconds{1});
  REQUIRE(f.live("plan_sync") == 0);
  const auto seq = f.subscribe();
  f.wake();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.gold().fields.name == "Gold");
  CHECK(f.store.price(kTenant, StripeId("price_prod_gold"))->plan_id == f.gold().id);
  CHECK(f.subscription().terms.plan_id == f.gold().id);
}

TEST_CASE("parents that have stopped are found in the store") {
  Fixture f;
  f.stripe_has_all();
  f.subscribe("sub_1");
  f.start();
  f.advance(f.config.entity_idle + f.config.sweep_interval * 2 + seconds{1});
  REQUIRE(f.live("plan_sync") + f.live("customer_sync") + f.live("subscription_sync") == 0);
  const auto seq = f.subscribe("sub_2");
  f.wake();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.subscription("sub_2").terms.customer_id == f.subscription("sub_1").terms.customer_id);
  CHECK(f.live("plan_sync") + f.live("customer_sync") == 0);
  CHECK(f.transport.requests.size() == 2);
}

TEST_CASE("parents are looked for however much is in flight, and with no room for more actors") {
  Fixture f;
  f.stripe_has_all();
  f.config.in_flight_max = 1;
  f.config.page_rows_max = 1;
  f.config.live_entities_max = 1;
  for (int i = 1; i <= 5; ++i) {
    f.subscribe("sub_" + std::to_string(i));
  }
  f.start();
  f.advance(seconds{30});
  CHECK(f.store.unsettled(kTenant) == 0);
  CHECK(f.store.customers() == 1);
}

TEST_CASE("the store cannot say who the parents are: the event is tried again") {
  Fixture f;
  f.stripe_has_all();
  f.inbox.claims.next(ReadFault::unavailable);
  const auto seq = f.subscribe();
  f.start();
  CHECK(f.parked(seq).error_code == "parents");
  f.advance(seconds{5});
  CHECK(f.outcome(seq) == InboxOutcome::applied);
}

TEST_CASE("a parent's actor that falls while it is asked: its question is answered, the event tried again") {
  Fixture f;
  f.stripe_has_all();
  f.changes.script.next({ChangeResult::committed, false, true});  // the first parent is made, its actor falls
  const auto seq = f.subscribe();
  f.start();
  CHECK(f.parked(seq).error_code == "parents");
  f.advance(seconds{5});
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.store.row(seq).settlements == 1);
  CHECK(f.store.customers() == 1);
  CHECK(f.live("subscription_sync") == 1);
}

TEST_CASE("a subscription's actor that falls while its parents are made: they stay, and it finds them") {
  Fixture f;
  f.stripe_has_all();
  f.snapshots.script.next(ReadFault::throws);
  const auto seq = f.subscribe();
  f.start();
  CHECK(f.parked(seq).error_code == "actor_failed");
  f.advance(seconds{5});
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.store.customers() == 1);
}
