// sync.match_email: a customer of Stripe's that is new here may be ours of the same e-mail; never a guess.
#include <catch2/catch.hpp>

#include "actors/tenant_supervisor.hpp"
#include "support/actor_fixture.hpp"
#include "support/catalog_objects.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kEmail = "ada@example.com";

struct Fixture : ActorFixture {
  Fixture() { config.sync.match_email = true; }

  void start() {
    supervisor = own(system.spawn(tenant_supervisor, services(), kTenant));
    run();
  }

  void wake() {
    caf::anon_send(supervisor, wake_atom::value);
    run();
  }

  void put_ours(const std::string& id, const std::string& email = kEmail, Status status = Status::published) {
    Customer ours;
    ours.id = CustomerId(id);
    ours.external_id = "our " + id;
    ours.fields.email = email;
    ours.status = status;
    ours.version = 1;
    store.put(kTenant, ours);
  }

  static stripe::CustomerState theirs(const std::string& id = "cus_1") {
    auto state = customer_state(id, "Ada");
    state.email = kEmail;
    return state;
  }

  std::string customer_of(const std::string& id = "cus_1") const {
    const auto* mapping = store.live_mapping(kTenant, StripeId(id));
    return mapping == nullptr ? "" : mapping->entity_id;
  }

  const ParkedEvent& parked(std::int64_t seq) const {
    REQUIRE(store.row(seq).parked.has_value());
    return *store.row(seq).parked;
  }

  tenant_supervisor_actor supervisor;
};

}  // namespace

TEST_CASE("a customer of the same e-mail is ours, if it may be", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  bool is_ours = true;
  auto state = Fixture::theirs();
  SECTION("it is") {}
  SECTION("the setting is off") {
    f.config.sync.match_email = false;
    is_ours = false;
  }
  SECTION("the e-mail is written in another way") {
    state.email = "Ada@example.com";
    is_ours = false;
  }
  SECTION("there is no e-mail") {
    f.put_ours("cust_nameless", "");
    state.email.clear();
    is_ours = false;
  }
  SECTION("the metadata claims nobody") {
    state.metadata["flexprice_customer_id"] = "nobody";
  }
  SECTION("others have it, too, but are deleted") {
    f.put_ours("cust_deleted", kEmail, Status::deleted);
  }
  const auto customers = f.store.customers();
  const auto seq = f.deliver("evt_1", "customer.updated", state);
  f.start();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK((f.customer_of() == "cust_ours") == is_ours);
  CHECK(f.store.customers() == customers + (is_ours ? 0 : 1));
}

TEST_CASE("the metadata's claim goes before the e-mail", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  f.put_ours("cust_named", "else@example.com");
  auto state = Fixture::theirs();
  state.metadata["flexprice_customer_id"] = "cust_named";
  f.deliver("evt_1", "customer.created", state);
  f.start();
  CHECK(f.customer_of() == "cust_named");
}

TEST_CASE("several of ours have the e-mail: for a person, who says in Stripe which one it is", "[email]") {
  Fixture f;
  f.put_ours("cust_a");
  f.put_ours("cust_b");
  const auto seq = f.deliver("evt_1", "customer.created", Fixture::theirs());
  f.start();
  CHECK(f.parked(seq).state == ParkedState::dead);
  CHECK(f.parked(seq).error_code == "conflict");
  CHECK_THAT(f.parked(seq).error_message, Contains("cust_a and cust_b") && Contains("cus_1"));
  CHECK_THAT(f.parked(seq).error_message, !Contains(kEmail));
  CHECK(f.store.customers() == 2);

  auto named = Fixture::theirs();
  named.metadata["flexprice_customer_id"] = "cust_b";
  const auto next = f.deliver("evt_2", "customer.updated", named, kSecondZero + 1);
  f.wake();
  CHECK(f.outcome(next) == InboxOutcome::applied);
  CHECK(f.outcome(seq) == InboxOutcome::superseded);
  CHECK(f.customer_of() == "cust_b");
}

TEST_CASE("ours is mapped already: the next of the same e-mail is a customer of its own", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  f.deliver("evt_1", "customer.created", Fixture::theirs("cus_1"));
  f.start();
  const auto seq = f.deliver("evt_2", "customer.created", Fixture::theirs("cus_2"));
  f.wake();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.customer_of("cus_1") == "cust_ours");
  CHECK(f.store.customers() == 2);
}

TEST_CASE("two of Stripe's of that e-mail at once: one is ours, the other for a person", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  f.deliver("evt_1", "customer.created", Fixture::theirs("cus_1"));
  const auto seq = f.deliver("evt_2", "customer.created", Fixture::theirs("cus_2"));
  f.start();
  CHECK(f.customer_of("cus_1") == "cust_ours");
  CHECK(f.parked(seq).state == ParkedState::dead);
  CHECK_THAT(f.parked(seq).error_message, Contains("redrive"));
  CHECK(f.store.customers() == 1);
}

TEST_CASE("a subscription's customer and a thin event's are found by their e-mail, too", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  f.transport.states["cus_1"] = Fixture::theirs();
  SECTION("a subscription") {
    f.transport.objects["prod_gold"] = to_object_json(product_state("prod_gold", "Gold"));
    const stripe::ObjectEvent created{StripeEventId("evt_sub"),
                                      "customer.subscription.created",
                                      from_unix_seconds(kSecondZero),
                                      {},
                                      subscription_state("sub_1", "cus_1", {"prod_gold"})};
    const auto seq = *f.store.deliver(kTenant, "evt_sub", created.type, "sub_1", to_event_json(created), f.clock.now());
    f.start();
    CHECK(f.outcome(seq) == InboxOutcome::applied);
    const auto* mapping = f.store.live_mapping(kTenant, StripeId("sub_1"), "subscription");
    REQUIRE(mapping != nullptr);
    CHECK(f.store.subscription(kTenant, SubscriptionId(mapping->entity_id))->terms.customer_id.str() == "cust_ours");
  }
  SECTION("a thin event") {
    const auto payload = R"({"id":"evt_thin","object":"v2.core.event","type":"v1.customer.updated",)"
                         R"("created":"2026-11-21T12:00:00Z","related_object":{"id":"cus_1","type":"customer"}})";
    const auto seq = *f.store.deliver(kTenant, "evt_thin", "v1.customer.updated", "cus_1", payload, f.clock.now());
    f.start();
    CHECK(f.outcome(seq) == InboxOutcome::applied);
    CHECK(f.customer_of() == "cust_ours");
  }
  CHECK(f.store.customers() == 1);
}

TEST_CASE("a subscription is never written under a customer of ours that is another one of Stripe's", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  f.transport.states["cus_2"] = Fixture::theirs("cus_2");
  f.transport.objects["prod_gold"] = to_object_json(product_state("prod_gold", "Gold"));
  f.config.retry.attempts_max = 1;
  const auto subscribe = [&] {
    const stripe::ObjectEvent created{StripeEventId("evt_sub"),
                                      "customer.subscription.created",
                                      from_unix_seconds(kSecondZero),
                                      {},
                                      subscription_state("sub_2", "cus_2", {"prod_gold"})};
    return *f.store.deliver(kTenant, "evt_sub", created.type, "sub_2", to_event_json(created), f.clock.now());
  };
  SECTION("it comes first: ours is mapped to its customer, and another one of the same e-mail is new") {
    const auto seq = subscribe();
    f.start();
    CHECK(f.outcome(seq) == InboxOutcome::applied);
    CHECK(f.customer_of("cus_2") == "cust_ours");
    f.deliver("evt_1", "customer.created", Fixture::theirs("cus_1"));
    f.wake();
    CHECK(f.customer_of("cus_1") != "cust_ours");
    CHECK_FALSE(f.customer_of("cus_1").empty());
  }
  SECTION("its customer claims one that is another's") {
    f.transport.states["cus_2"].metadata["flexprice_customer_id"] = "cust_ours";
    f.deliver("evt_1", "customer.created", Fixture::theirs("cus_1"));
    f.start();
    const auto seq = subscribe();
    f.wake();
    CHECK(f.customer_of("cus_1") == "cust_ours");
    CHECK(f.parked(seq).state == ParkedState::dead);
    CHECK_THAT(f.parked(seq).error_message, Contains("already mapped to cus_1"));
  }
}
