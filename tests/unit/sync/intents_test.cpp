// What goes into an intent: bytes in a fixed order, what is cleared, what is never said.
#include "sync/intents.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::sync;

namespace {

const Scope kOwner{TenantId("tenant_1"), EnvironmentId("env_1")};
const CustomerId kCustomer("cust_1");
const Timestamp kNow = from_unix_seconds(1'790'000'000);
const IntentOrigin kOrigin{kOwner, kCustomer, kNow, "req_1"};
constexpr const char* kOurs = "metadata[flexprice_customer_id]=cust_1&metadata[flexprice_environment]=env_1";

CustomerFields ada() {
  CustomerFields fields;
  fields.name = "Ada Lovelace";
  fields.email = "ada@example.com";
  return fields;
}

}  // namespace

TEST_CASE("a creation says the whole customer in a fixed order, then whose it is") {
  auto fields = ada();
  fields.contact = "+41 44";
  fields.address_country = "CH";
  fields.metadata = {{"tier", "gold"}, {"a b", "1&2"}};
  const auto intent = creation(kOrigin, fields);
  CHECK(intent.body ==
        "name=Ada%20Lovelace&email=ada%40example.com&phone=%2B41%2044"
        "&address[line1]=&address[line2]=&address[city]=&address[state]=&address[postal_code]=&address[country]=CH"
        "&metadata[a%20b]=1%262&metadata[tier]=gold&" +
            std::string(kOurs));
  CHECK(intent.body == creation(kOrigin, fields).body);
  CHECK(intent.operation == IntentOperation::create_customer);
  CHECK(intent.entity_type == "customer");
  CHECK(intent.entity_id == "cust_1");
  CHECK(intent.request_id == "req_1");
  CHECK(intent.state == IntentState::ready);
  CHECK(intent.next_attempt_at == kNow);
  CHECK(intent.keyed_at == kNow);
}

TEST_CASE("a customer with nothing but an id is created by its metadata alone") {
  CHECK(creation(kOrigin, {}).body == kOurs);
  CHECK(creation(kOrigin, {}).fields.empty());
}

TEST_CASE("reserved metadata is said once, and only by us") {
  auto fields = ada();
  fields.metadata = {
      {"flexprice_customer_id", "forged"}, {"flexprice_environment", "forged"}, {"stripe_customer_id", "cus_9"}};
  CHECK(creation(kOrigin, fields).body == "name=Ada%20Lovelace&email=ada%40example.com&" + std::string(kOurs));
  CHECK(creation(kOrigin, fields).fields == std::vector<std::string>{"name", "email"});
}

TEST_CASE("an update says what it names and nothing else; what is empty or gone is cleared") {
  auto fields = ada();
  fields.email.clear();
  fields.metadata = {{"tier", "gold"}, {"team", "blue"}};
  const auto intent = update(kOrigin, fields, {"email", "metadata.gone", "metadata.tier"});
  CHECK(intent.body == "email=&metadata[gone]=&metadata[tier]=gold");
  CHECK(intent.fields == std::vector<std::string>{"email", "metadata.gone", "metadata.tier"});
  CHECK(intent.operation == IntentOperation::update_customer);
}

TEST_CASE("an address is said as a whole, for Stripe replaces it as a whole") {
  auto fields = ada();
  fields.address_line1 = "1 Rue";
  fields.address_city = "Bern";
  const auto intent = update(kOrigin, fields, {"name", "address_city", "metadata.tier"});
  CHECK(intent.body ==
        "name=Ada%20Lovelace&address[line1]=1%20Rue&address[line2]=&address[city]=Bern&address[state]="
        "&address[postal_code]=&address[country]=&metadata[tier]=");
  CHECK(intent.fields == std::vector<std::string>{"name", "address_line1", "address_line2", "address_city",
                                                  "address_state", "address_postal_code", "address_country",
                                                  "metadata.tier"});
}

TEST_CASE("a deletion has no body; every intent has a key of its own") {
  const auto intent = deletion(kOrigin);
  CHECK(intent.operation == IntentOperation::delete_customer);
  CHECK(intent.body.empty());
  CHECK(intent.fields.empty());
  const auto other = deletion(kOrigin);
  CHECK(intent.id != other.id);
  CHECK(intent.idempotency_key != other.idempotency_key);
  CHECK_FALSE(intent.idempotency_key.empty());
  CHECK(intent.idempotency_key.size() <= 255);
}

TEST_CASE("an intent ends settled, superseded or refused, each with its time and its words") {
  const auto later = kNow + std::chrono::seconds{9};
  auto tried = update(kOrigin, ada(), {"name"});
  tried.error_code = "outcome_unknown";
  tried.error_message = "a timeout";
  const auto done = settled(tried, later);
  CHECK(done.state == IntentState::settled);
  CHECK(done.settled_at == later);
  CHECK(done.error_code.empty());
  CHECK(done.error_message.empty());
  const auto needless = superseded(tried, later, "why");
  CHECK(needless.state == IntentState::superseded);
  CHECK(needless.settled_at == later);
  CHECK(needless.error_message == "why");
  const auto no = refused(tried, later, "email_invalid", "Invalid email");
  CHECK(no.state == IntentState::refused);
  CHECK(no.settled_at == later);
  CHECK(no.error_code == "email_invalid");
  CHECK(no.error_message == "Invalid email");
}

TEST_CASE("a rekeyed intent is the same request under a key that Stripe has never heard of") {
  const auto later = kNow + std::chrono::hours{30};
  auto spent = creation(kOrigin, ada());
  spent.look_first = true;
  spent.attempts = 4;
  const auto intent = rekeyed(spent, later);
  CHECK(intent.id == spent.id);
  CHECK(intent.body == spent.body);
  CHECK(intent.idempotency_key != spent.idempotency_key);
  CHECK(intent.keyed_at == later);
  CHECK(intent.next_attempt_at == later);
  CHECK_FALSE(intent.look_first);
  CHECK(intent.attempts == 4);
  CHECK(intent.created_at == kNow);
  CHECK(intent.state == IntentState::ready);
}

TEST_CASE("which creation waits, and which intents a change says nothing about") {
  const auto first = creation(kOrigin, ada());
  const auto second = update(kOrigin, ada(), {"name"});
  CHECK(waiting_creation({second}) == nullptr);
  const std::vector<Intent> both{second, first};
  REQUIRE(waiting_creation(both) != nullptr);
  CHECK(waiting_creation(both)->id == first.id);
  ChangeSet change;
  change.intents = {settled(first, kNow)};
  CHECK(untouched(both, change) == std::vector<Intent>{second});
}
