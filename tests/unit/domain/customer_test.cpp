#include "domain/customer.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "domain/inbox.hpp"

using namespace flexsync;

TEST_CASE("the keys that link a customer to Stripe are reserved") {
  CHECK(is_reserved_metadata("flexprice_customer_id"));
  CHECK(is_reserved_metadata("flexprice_environment"));
  CHECK(is_reserved_metadata("stripe_customer_id"));
  CHECK_FALSE(is_reserved_metadata("external_id"));
  CHECK_FALSE(is_reserved_metadata("tier"));
}

TEST_CASE("a status survives being printed and read") {
  const auto status = GENERATE(Status::published, Status::archived, Status::deleted);
  CHECK(parse_status(to_string(status)) == status);
}

TEST_CASE("an unknown status is refused") {
  const auto* text = GENERATE("", "Published", "active", "deleted ");
  CHECK_THROWS_AS(parse_status(text), std::invalid_argument);
}

TEST_CASE("customers are equal when all their fields are") {
  Customer one;
  one.id = CustomerId("cust_1");
  one.fields.metadata = {{"plan", "gold"}};
  Customer two = one;
  CHECK(one == two);
  two.fields.metadata["plan"] = "silver";
  CHECK(one != two);
  two = one;
  two.version = 1;
  CHECK(one != two);
}

TEST_CASE("every inbox outcome and parked state has its name") {
  CHECK(to_string(InboxOutcome::applied) == "applied");
  CHECK(to_string(InboxOutcome::unchanged) == "unchanged");
  CHECK(to_string(InboxOutcome::superseded) == "superseded");
  CHECK(to_string(InboxOutcome::ignored) == "ignored");
  CHECK(to_string(InboxOutcome::deferred) == "deferred");
  CHECK(to_string(InboxOutcome::parked) == "parked");
  CHECK(to_string(InboxOutcome::discarded) == "discarded");
  CHECK(to_string(ParkedState::retrying) == "retrying");
  CHECK(to_string(ParkedState::blocked) == "blocked");
  CHECK(to_string(ParkedState::dead) == "dead");
  CHECK(to_string(ParkedState::redriven) == "redriven");
}
