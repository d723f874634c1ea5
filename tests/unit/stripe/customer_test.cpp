#include "stripe/customer.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <stdexcept>

#include "events.hpp"
#include "states.hpp"

using namespace flexsync;
using namespace flexsync::stripe;
using namespace flexsync::stripe::test;

namespace {

std::string customer_with(const std::string& fields) {
  return R"({"id":"cus_1","object":"customer",)" + fields + "}";
}

rc::Gen<CustomerState> any_state() {
  return rc::gen::build<CustomerState>(
      rc::gen::set(&CustomerState::id, any_id("cus_")), rc::gen::set(&CustomerState::deleted),
      rc::gen::set(&CustomerState::name, any_text()), rc::gen::set(&CustomerState::email, any_text()),
      rc::gen::set(&CustomerState::phone, any_text()), rc::gen::set(&CustomerState::line1, any_text()),
      rc::gen::set(&CustomerState::line2, any_text()), rc::gen::set(&CustomerState::city, any_text()),
      rc::gen::set(&CustomerState::state, any_text()), rc::gen::set(&CustomerState::postal_code, any_text()),
      rc::gen::set(&CustomerState::country, any_text()), rc::gen::set(&CustomerState::metadata, any_metadata()));
}

}  // namespace

TEST_CASE("a customer with all its fields is read") {
  const auto event = parse_customer_event(kCustomerCreated);
  REQUIRE(event.has_value());
  CHECK(event->id == StripeEventId("evt_2"));
  CHECK(event->type == "customer.created");
  CHECK(event->created == from_unix_seconds(1'795'228'680));
  CustomerState expected;
  expected.id = StripeId("cus_2");
  expected.name = "Ada Lovelace";
  expected.email = "ada@example.com";
  expected.phone = "+41 44 000 00 00";
  expected.line1 = "Bahnhofstrasse 1";
  expected.line2 = "2. Stock";
  expected.city = "Zürich";
  expected.state = "ZH";
  expected.postal_code = "8001";
  expected.country = "CH";
  expected.metadata = {{"external_id", "ext-7"}, {"team", "blue"}};
  CHECK(event->state == expected);
}

TEST_CASE("a payload of 2020 reads null as empty and does not take shipping for the address") {
  const auto event = parse_customer_event(kCustomerUpdated2020);
  REQUIRE(event.has_value());
  CustomerState expected;
  expected.id = StripeId("cus_LOAQ");
  CHECK(event->state == expected);
}

TEST_CASE("null, empty and absent read alike") {
  const auto bare = parse_customer(R"({"id":"cus_1","object":"customer"})");
  REQUIRE(bare.has_value());
  const auto* fields = GENERATE(R"("name":null,"email":null,"phone":null,"address":null,"metadata":null)",
                                R"("address":{},"metadata":{})", R"("name":"","address":{"city":null,"line1":""})",
                                R"("deleted":false)", R"("deleted":null)");
  CAPTURE(fields);
  CHECK(parse_customer(customer_with(fields)) == bare);
}

TEST_CASE("customer.deleted carries the last state") {
  const auto event = parse_customer_event(with(kCustomerCreated, "customer.created", "customer.deleted"));
  REQUIRE(event.has_value());
  CHECK(event->state.deleted);
  CHECK(event->state.name == "Ada Lovelace");
}

TEST_CASE("a deleted customer that was fetched is a stub") {
  const auto state = parse_customer(R"({"id":"cus_1","object":"customer","deleted":true})");
  REQUIRE(state.has_value());
  CHECK(state->deleted);
  CHECK(state->id == StripeId("cus_1"));
}

TEST_CASE("a wrong field is named") {
  CHECK(refused_field(parse_customer("")) == "body");
  CHECK(refused_field(parse_customer("[]")) == "body");
  CHECK(refused_field(parse_customer("{\"id\":")) == "body");
  CHECK(refused_field(parse_customer(R"({"object":"customer"})")) == "id");
  CHECK(refused_field(parse_customer(R"({"object":"customer","id":5})")) == "id");
  CHECK(refused_field(parse_customer(R"({"object":"customer","id":""})")) == "id");
  CHECK(refused_field(parse_customer(R"({"id":"cus_1"})")) == "object");
  CHECK(refused_field(parse_customer(R"({"id":"sub_1","object":"subscription"})")) == "object");
  CHECK(refused_field(parse_customer(customer_with(R"("name":5)"))) == "name");
  CHECK(refused_field(parse_customer(customer_with(R"("email":["a"])"))) == "email");
  CHECK(refused_field(parse_customer(customer_with(R"("address":"here")"))) == "address");
  CHECK(refused_field(parse_customer(customer_with(R"("address":{"postal_code":8001})"))) == "address.postal_code");
  CHECK(refused_field(parse_customer(customer_with(R"("metadata":[])"))) == "metadata");
  CHECK(refused_field(parse_customer(customer_with(R"("metadata":{"seats":5})"))) == "metadata.seats");
  CHECK(refused_field(parse_customer(customer_with(R"("deleted":"yes")"))) == "deleted");
}

TEST_CASE("text that PostgreSQL cannot store is refused, wherever it is mirrored") {
  CHECK(refused_field(parse_customer(customer_with(R"("name":"A\u0000B")"))) == "name");
  CHECK(refused_field(parse_customer(customer_with(R"("address":{"city":"\u0000"})"))) == "address.city");
  CHECK(refused_field(parse_customer(customer_with(R"("metadata":{"a":"\u0000"})"))) == "metadata.a");
  CHECK(refused_field(parse_customer(customer_with(R"("metadata":{"\u0000":"a"})"))) == "metadata (a key)");
  CHECK(parse_customer(customer_with(R"("description":"\u0000")")).has_value());
}

TEST_CASE("an event that carries no customer is refused by the field that says so") {
  const auto field = [](const std::string& payload) {
    const auto event = parse_customer_event(payload);
    REQUIRE_FALSE(event.has_value());
    return event.error().details.begin()->first;
  };
  CHECK(field(kMeterError) == "object");
  CHECK(field(kPriceUpdated) == "type");
  CHECK(field(with(kCustomerCreated, "customer.created", "customer.subscription.created")) == "type");
  CHECK(field(with(kPriceUpdated, "price.updated", "customer.updated")) == "data.object.object");
  CHECK(field(with(kCustomerCreated, R"("Ada Lovelace")", "5")) == "data.object.name");
  CHECK(field("{") == "body");
}

TEST_CASE("the canonical form is sorted JSON of what is mirrored, without what is empty") {
  CustomerState state;
  state.id = StripeId("cus_1");
  CHECK(to_canonical(state) == R"({"id":"cus_1"})");
  state.name = "Ada";
  state.city = "Zürich";
  state.deleted = true;
  state.metadata = {{"b", "2"}, {"a", ""}};
  CHECK(to_canonical(state) ==
        R"({"city":"Zürich","deleted":true,"id":"cus_1","metadata":{"a":"","b":"2"},"name":"Ada"})");
}

TEST_CASE("the canonical form gives the state back, and equal text only for equal states") {
  rc::prop("from_canonical(to_canonical(s)) == s", [] {
    const auto state = *any_state();
    RC_ASSERT(from_canonical(to_canonical(state)) == state);
  });
  rc::prop("different states have different text", [] {
    const auto one = *any_state();
    const auto two = *any_state();
    RC_ASSERT((to_canonical(one) == to_canonical(two)) == (one == two));
  });
}

TEST_CASE("a stored state that is broken is an error, not a guess") {
  const auto* text = GENERATE("", "{", "[]", "{}", R"({"id":5})", R"({"id":"cus_1","name":5})",
                              R"({"id":"cus_1","metadata":{"a":1}})", R"({"id":"cus_1","deleted":"x"})");
  CAPTURE(text);
  CHECK_THROWS_AS(from_canonical(text), std::runtime_error);
}
