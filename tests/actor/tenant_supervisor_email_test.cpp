// sync.match_email: a customer of Stripe's that is new here may be ours of the same e-mail; never a guess.
#include <catch2/catch.hpp>

#include "tenant_supervisor_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kEmail = "ada@example.com";

struct Fixture : SupervisorFixture {
  Fixture() { config.sync.match_email = true; }

  void put_ours(const std::string& id, const std::string& email = kEmail, Status status = Status::published) {
    SupervisorFixture::put_ours(id, "our " + id, email, status);
  }

  static stripe::CustomerState theirs(const std::string& id = "cus_1") {
    auto state = customer_state(id, "Ada");
    state.email = kEmail;
    return state;
  }
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
  CHECK((f.mapped("cus_1") == "cust_ours") == is_ours);
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
  CHECK(f.mapped("cus_1") == "cust_named");
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
  CHECK(f.mapped("cus_1") == "cust_b");
}

TEST_CASE("ours is mapped already: the next of the same e-mail is a customer of its own", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  f.deliver("evt_1", "customer.created", Fixture::theirs("cus_1"));
  f.start();
  const auto seq = f.deliver("evt_2", "customer.created", Fixture::theirs("cus_2"));
  f.wake();
  CHECK(f.outcome(seq) == InboxOutcome::applied);
  CHECK(f.mapped("cus_1") == "cust_ours");
  CHECK(f.store.customers() == 2);
}

TEST_CASE("two of Stripe's of that e-mail at once: one is ours, the other for a person", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  f.deliver("evt_1", "customer.created", Fixture::theirs("cus_1"));
  const auto seq = f.deliver("evt_2", "customer.created", Fixture::theirs("cus_2"));
  f.start();
  CHECK(f.mapped("cus_1") == "cust_ours");
  CHECK(f.parked(seq).state == ParkedState::dead);
  CHECK_THAT(f.parked(seq).error_message, Contains("redrive"));
  CHECK(f.store.customers() == 1);
}

TEST_CASE("a subscription's customer and a thin event's are found by their e-mail, too", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  f.transport.states["cus_1"] = Fixture::theirs();
  SECTION("a subscription") {
    f.stripe_has(product_state("prod_gold", "Gold"));
    const auto seq = f.put_subscription("sub_1", "cus_1");
    f.start();
    CHECK(f.outcome(seq) == InboxOutcome::applied);
    CHECK(f.subscription().terms.customer_id.str() == "cust_ours");
  }
  SECTION("a thin event") {
    const auto seq = f.put_thin("evt_thin", "customer.updated", "customer", "cus_1");
    f.start();
    CHECK(f.outcome(seq) == InboxOutcome::applied);
    CHECK(f.mapped("cus_1") == "cust_ours");
  }
  CHECK(f.store.customers() == 1);
}

TEST_CASE("a subscription is never written under a customer of ours that is another one of Stripe's", "[email]") {
  Fixture f;
  f.put_ours("cust_ours");
  f.transport.states["cus_2"] = Fixture::theirs("cus_2");
  f.stripe_has(product_state("prod_gold", "Gold"));
  f.config.retry.attempts_max = 1;
  SECTION("it comes first: ours is mapped to its customer, and another one of the same e-mail is new") {
    const auto seq = f.put_subscription("sub_2", "cus_2");
    f.start();
    CHECK(f.outcome(seq) == InboxOutcome::applied);
    CHECK(f.mapped("cus_2") == "cust_ours");
    f.deliver("evt_1", "customer.created", Fixture::theirs("cus_1"));
    f.wake();
    CHECK(f.mapped("cus_1") != "cust_ours");
    CHECK_FALSE(f.mapped("cus_1").empty());
  }
  SECTION("its customer claims one that is another's") {
    f.transport.states["cus_2"].metadata["flexprice_customer_id"] = "cust_ours";
    f.deliver("evt_1", "customer.created", Fixture::theirs("cus_1"));
    f.start();
    const auto seq = f.put_subscription("sub_2", "cus_2");
    f.wake();
    CHECK(f.mapped("cus_1") == "cust_ours");
    CHECK(f.parked(seq).state == ParkedState::dead);
    CHECK_THAT(f.parked(seq).error_message, Contains("already mapped to cus_1"));
  }
}
