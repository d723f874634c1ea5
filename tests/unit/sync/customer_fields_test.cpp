#include "sync/customer_fields.hpp"
#include "sync/origin.hpp"

#include <rapidcheck/catch.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace flexsync;
using namespace flexsync::sync;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

stripe::CustomerState ada() {
  stripe::CustomerState state;
  state.id = StripeId("cus_1");
  state.name = "Ada";
  state.email = "ada@example.com";
  state.phone = "+41 44 000 00 00";
  state.line1 = "Bahnhofstrasse 1";
  state.line2 = "2. Stock";
  state.city = "Zürich";
  state.state = "ZH";
  state.postal_code = "8001";
  state.country = "CH";
  state.metadata = {{"team", "blue"}};
  return state;
}

rc::Gen<std::string> few_values() {
  return rc::gen::element<std::string>("", "a", "b");
}

const std::vector<Metadata> kFewMetadata = {{}, {{"k", "a"}}, {{"k", "b"}}, {{"l", ""}}, {{"k", "a"}, {"l", "b"}}};

rc::Gen<CustomerFields> any_fields() {
  return rc::gen::build<CustomerFields>(
      rc::gen::set(&CustomerFields::name, few_values()), rc::gen::set(&CustomerFields::email, few_values()),
      rc::gen::set(&CustomerFields::contact, few_values()), rc::gen::set(&CustomerFields::address_city, few_values()),
      rc::gen::set(&CustomerFields::address_country, few_values()),
      rc::gen::set(&CustomerFields::metadata, rc::gen::elementOf(kFewMetadata)));
}

}  // namespace

TEST_CASE("every mirrored field has its counterpart") {
  const auto mapped = to_customer_fields(ada());
  CustomerFields expected;
  expected.name = "Ada";
  expected.email = "ada@example.com";
  expected.contact = "+41 44 000 00 00";
  expected.address_line1 = "Bahnhofstrasse 1";
  expected.address_line2 = "2. Stock";
  expected.address_city = "Zürich";
  expected.address_state = "ZH";
  expected.address_postal_code = "8001";
  expected.address_country = "CH";
  expected.metadata = {{"team", "blue"}};
  CHECK(mapped.fields == expected);
  CHECK(mapped.note.empty());
}

TEST_CASE("a customer without a name is called by the e-mail, without that by the Stripe id") {
  auto state = ada();
  state.name.clear();
  CHECK(to_customer_fields(state).fields.name == "ada@example.com");
  state.email.clear();
  CHECK(to_customer_fields(state).fields.name == "cus_1");
  CHECK(to_customer_fields(state).fields.email.empty());
}

TEST_CASE("an invalid country is kept out and noted, never fatal") {
  auto state = ada();
  for (const auto* invalid : {"Switzerland", "XX", "C", "CHE", "ZZ", "C\xC3"}) {
    state.country = invalid;
    const auto mapped = to_customer_fields(state);
    CHECK(mapped.fields.address_country.empty());
    CHECK_THAT(mapped.note, Contains("address.country") && Contains(invalid));
  }
  state.country = "ch";
  CHECK(to_customer_fields(state).fields.address_country == "CH");
  state.country = "";
  CHECK(to_customer_fields(state).note.empty());
}

TEST_CASE("our reserved metadata keys do not travel inwards") {
  auto state = ada();
  state.metadata = {{"flexprice_customer_id", "cust_1"},
                    {"flexprice_environment", "env_1"},
                    {"stripe_customer_id", "cus_forged"},
                    {"team", "blue"}};
  CHECK(to_customer_fields(state).fields.metadata == Metadata{{"team", "blue"}});
}

TEST_CASE("NUL characters, which PostgreSQL cannot hold, become U+FFFD") {
  auto state = ada();
  state.name = std::string("A\0da", 4);
  CHECK(to_customer_fields(state).fields.name ==
        "A\xEF\xBF\xBD"
        "da");
}

TEST_CASE("only what differs between two Stripe states is taken over; local changes stay") {
  auto before = to_customer_fields(ada()).fields;
  auto changed = ada();
  changed.phone = "+1";
  changed.metadata = {{"plan", "gold"}};
  auto local = before;
  local.name = "Ada, as we call her";
  local.metadata["note"] = "ours";
  apply_difference(before, to_customer_fields(changed).fields, local);
  CHECK(local.name == "Ada, as we call her");
  CHECK(local.contact == "+1");
  CHECK(local.metadata == Metadata{{"note", "ours"}, {"plan", "gold"}});
}

TEST_CASE("apply_difference: properties") {
  rc::prop("without local changes the result is the new state", [] {
    const auto from = *any_fields();
    const auto to = *any_fields();
    auto fields = from;
    apply_difference(from, to, fields);
    RC_ASSERT(fields == to);
  });
  rc::prop("the same state twice changes nothing", [] {
    const auto state = *any_fields();
    const auto local = *any_fields();
    auto fields = local;
    apply_difference(state, state, fields);
    RC_ASSERT(fields == local);
  });
}

TEST_CASE("external_id: metadata.external_id, else flexprice_customer_id unless it is ours, else the Stripe id") {
  auto state = ada();
  CHECK(external_id_for(state) == "cus_1");
  state.metadata["flexprice_customer_id"] = "their-own-7";
  CHECK(external_id_for(state) == "their-own-7");
  state.metadata["flexprice_customer_id"] = "cust_01ARZ3NDEKTSV4RRFFQ69G5FAV";
  CHECK(external_id_for(state) == "cus_1");
  state.metadata["external_id"] = "ext-7";
  CHECK(external_id_for(state) == "ext-7");
  state.metadata["external_id"] = "";
  CHECK(external_id_for(state) == "cus_1");
}

TEST_CASE("an audit row holds only the fields that differ") {
  Customer before;
  before.external_id = "ext-1";
  before.fields = to_customer_fields(ada()).fields;
  auto after = before;
  after.fields.contact = "+1";
  after.fields.metadata = {{"plan", "gold"}};
  after.status = Status::archived;
  const auto was = field_map(before);
  const auto change = describe(&was, field_map(after));
  CHECK(json::parse(change.before) ==
        json{{"contact", "+41 44 000 00 00"}, {"metadata.team", "blue"}, {"status", "published"}});
  CHECK(json::parse(change.after) == json{{"contact", "+1"}, {"metadata.plan", "gold"}, {"status", "archived"}});
}

TEST_CASE("a new customer's audit row has no before and leaves empty fields out") {
  Customer after;
  after.external_id = "ext-1";
  after.fields.name = "Ada";
  const auto change = describe(nullptr, field_map(after));
  CHECK(change.before == "{}");
  CHECK(json::parse(change.after) == json{{"external_id", "ext-1"}, {"name", "Ada"}, {"status", "published"}});
}
