// Thin events whose actor only Stripe can name: of prices, whose product they do not say, and of customers that nobody
// knows, whose metadata they do not show.
#include <catch2/catch.hpp>

#include "tenant_supervisor_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using Catch::Matchers::Contains;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

struct Fixture : SupervisorFixture {
  std::int64_t put_price(const std::string& event, const std::string& change = "updated") {
    return put_thin(event, "price." + change, "price", "price_1");
  }

  std::int64_t put_customer(const std::string& event) {
    return put_thin(event, "customer.updated", "customer", "cus_1");
  }

  void stripe_has_price(const std::string& name = "") {
    auto state = price_state("price_1", "prod_gold");
    state.nickname = name;
    stripe_has(state);
  }

  void gold_is_here() {
    put("evt_prod", "product.created", product_state("prod_gold", "Gold"));
    put("evt_price", "price.created", price_state("price_1", "prod_gold"));
  }

  std::string entity_of(const std::string& object) const {
    const auto* shadow = store.object(kTenant, StripeId(object));
    REQUIRE(shadow != nullptr);
    return shadow->entity_id;
  }
};

}  // namespace

TEST_CASE("a thin event of a price goes to its product's actor, whether that lives, sleeps or is still to be made") {
  Fixture f;
  f.stripe_has_price("new");
  SECTION("it lives") {
    f.gold_is_here();
    f.start();
  }
  SECTION("it sleeps") {
    f.config.entity_idle = seconds{0};
    f.gold_is_here();
    f.start();
    f.advance(minutes{2});
    REQUIRE(f.live("plan_sync") == 0);
  }
  SECTION("it is still to be made") {
    f.start();
  }
  const auto seq = f.put_price("evt_thin");
  f.wake();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.store.price(kTenant, StripeId("price_1"))->display_name == "new");
  f.put("evt_prod_2", "product.updated", product_state("prod_gold", "Gold"));
  f.wake();
  CHECK(f.entity_of("price_1") == f.entity_of("prod_gold"));
  CHECK(f.store.unsettled(kTenant) == 0);
}

TEST_CASE("the product's own event comes while Stripe is asked whose the price is: one plan all the same") {
  Fixture f;
  f.stripe_has_price();
  f.held.hold = {"stripe"};
  const auto seq = f.put_price("evt_thin");
  f.start();
  f.put("evt_prod", "product.created", product_state("prod_gold", "Gold"));
  f.wake();
  f.held.hold.clear();
  f.held.finish_all();
  f.run();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.entity_of("price_1") == f.entity_of("prod_gold"));
}

TEST_CASE("Stripe is asked once whose price it is, for all thin events that wait for it") {
  Fixture f;
  f.stripe_has_price();
  f.held.hold = {"stripe"};
  std::vector<std::int64_t> seqs;
  for (int i = 0; i < 10; ++i) {
    seqs.push_back(f.put_price("evt_" + std::to_string(i)));
  }
  f.start();
  CHECK(f.held.waiting("stripe") == 1);
  f.held.hold.clear();
  f.held.finish_all();
  f.run();
  CHECK(f.store.unsettled(kTenant) == 0);
  CHECK(f.asked_for("/v1/prices/price_1") <= 3);  // and then the actor
  for (const auto seq : seqs) {
    CHECK(f.store.row(seq).settlements == 1);
  }
}

TEST_CASE("a price that Stripe does not have any more was its product's, as far as is known here") {
  Fixture f;
  f.gold_is_here();
  f.start();
  const auto updated = f.put_price("evt_updated");
  f.wake();
  CHECK(f.parked(updated).state == ParkedState::dead);
  CHECK_THAT(f.parked(updated).error_message, Contains("Stripe does not know the price"));
  const auto deleted = f.put_price("evt_deleted", "deleted");
  f.wake();
  CHECK(f.outcome(deleted) == InboxOutcome::applied);
  CHECK(f.store.object(kTenant, StripeId("price_1"))->deleted);
  CHECK_FALSE(f.store.object(kTenant, StripeId("prod_gold"))->deleted);
  const auto late = f.put_price("evt_late");
  f.wake();
  CHECK(f.outcome(late) == InboxOutcome::superseded);
}

TEST_CASE("a price that nobody knows is for a person, unless it was deleted") {
  Fixture f;
  const auto updated = f.put_price("evt_updated");
  const auto deleted = f.put_price("evt_deleted", "deleted");
  f.start();
  CHECK(f.parked(updated).state == ParkedState::dead);
  CHECK_THAT(f.parked(updated).error_message, Contains("Stripe does not know the price"));
  CHECK(f.outcome(deleted) == InboxOutcome::ignored);
  CHECK(f.live("plan_sync") == 0);
}

TEST_CASE("Stripe unavailable while whose it is is looked up: waited for; refused: for a person") {
  Fixture f;
  f.config.stripe_retries.same_again_max = 0;
  f.stripe_has_price();
  f.transport.states["cus_1"] = customer_state("cus_1", "Ada");
  const bool is_price = GENERATE(true, false);
  const auto put_thin = [&] { return is_price ? f.put_price("evt_thin") : f.put_customer("evt_thin"); };
  SECTION("unavailable") {
    f.transport.script.next(503);
    const auto seq = put_thin();
    f.start();
    CHECK(f.parked(seq).state == ParkedState::retrying);
    CHECK(f.parked(seq).error_code == "stripe_unavailable");
    f.advance(seconds{10});
    CHECK(f.outcome(seq) == InboxOutcome::applied);
    CHECK(f.store.row(seq).settlements == 1);
  }
  SECTION("for longer than an event has attempts") {
    f.transport.script.next(503, 10'000);
    const auto seq = put_thin();
    f.start();
    f.pass(minutes{10});
    CHECK(f.parked(seq).state == ParkedState::retrying);
    f.transport.script = {};
    f.pass(minutes{6});
    CHECK(f.outcome(seq) == InboxOutcome::applied);
  }
  SECTION("refused") {
    f.transport.script.next(403);
    const auto seq = put_thin();
    f.start();
    CHECK(f.parked(seq).state == ParkedState::dead);
    CHECK_THAT(f.parked(seq).error_message, Contains("only names the object"));
  }
  SECTION("there is no connection") {
    f.key = Secret();
    const auto seq = put_thin();
    f.start();
    f.pass(minutes{10});
    CHECK(f.parked(seq).state == ParkedState::retrying);
    f.key = Secret("sk_test_1");
    f.pass(minutes{6});
    CHECK(f.outcome(seq) == InboxOutcome::applied);
  }
}

TEST_CASE("a thin event of a customer whose metadata claims one of ours is that one's") {
  const std::string claim = GENERATE("cust_ours", "our-7");
  Fixture f;
  f.put_ours();
  f.transport.states["cus_1"] = customer_state("cus_1", "Ada");
  f.transport.states["cus_1"].metadata["flexprice_customer_id"] = claim;
  const auto seq = f.put_customer("evt_thin");
  f.start();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.mapped("cus_1") == "cust_ours");
  CHECK(f.store.customers() == 1);
}

TEST_CASE("a thin event of an object of another environment is ignored") {
  Fixture f;
  auto& metadata = f.transport.states["cus_1"].metadata;
  f.transport.states["cus_1"].id = StripeId("cus_1");
  metadata["flexprice_environment"] = "env_2";
  auto product = product_state("prod_gold", "Gold");
  product.metadata["flexprice_environment"] = "env_2";
  f.stripe_has(product);
  const auto customer = f.put_customer("evt_cus");
  const auto plan = f.put_thin("evt_prod", "product.created", "product", "prod_gold");
  f.start();
  CHECK(f.outcome(customer) == InboxOutcome::ignored);
  CHECK(f.outcome(plan) == InboxOutcome::ignored);
  CHECK(f.store.customers() == 0);
  CHECK(f.store.object(kTenant, StripeId("prod_gold")) == nullptr);
}

TEST_CASE("a price that has moved to a product that is new here does not take its first plan along") {
  Fixture f;
  f.gold_is_here();
  f.start();
  auto moved = price_state("price_1", "prod_new");
  f.stripe_has(moved);
  const auto seq = f.put_price("evt_thin");
  f.wake();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  f.put("evt_new", "product.created", product_state("prod_new", "New"));
  f.wake();
  CHECK(f.entity_of("prod_new") != f.entity_of("prod_gold"));
  CHECK(f.store.plan(kTenant, PlanId(f.entity_of("prod_gold")))->fields.name == "Gold");
  CHECK(f.store.plan(kTenant, PlanId(f.entity_of("prod_new")))->fields.name == "New");
}

TEST_CASE("many thin events of one price come through short queues") {
  Fixture f;
  f.stripe_has_price();
  f.config.entity_queue_max = 4;
  f.config.in_flight_max = 16;
  f.config.stripe_retries.same_again_max = 0;
  for (int i = 0; i < 60; ++i) {
    f.put_price("evt_" + std::to_string(i));
  }
  f.start();
  f.advance(minutes{5});
  CHECK(f.store.unsettled(kTenant) == 0);
}

TEST_CASE("the comparison's own repair of a price without a product waits for the next one where there is no key") {
  Fixture f;
  f.key = Secret();
  const auto payload = R"({"id":"reconcile_1","object":"event","type":"flexsync.reconcile","created":1790000000,)"
                       R"("data":{"object":{"id":"price_1","object":"price"}}})";
  const auto seq = *f.store.deliver(kTenant, "reconcile_1", "flexsync.reconcile", "price_1", payload, f.clock.now());
  f.start();
  CHECK(f.outcome(seq) == InboxOutcome::ignored);
}
