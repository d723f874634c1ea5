#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const std::string kKeyHeader = std::string("x-api-key: ") + kApiKey + "\r\n";

CustomerReply jane() {
  CustomerReply reply;
  reply.customer.external_id = "ext_1";
  reply.customer.fields.name = "Jane";
  reply.customer.created_at = reply.customer.updated_at = kNow;
  return reply;
}

Intent intent(IntentState state) {
  Intent intent;
  intent.id = IntentId("intent_01");
  intent.entity_type = "customer";
  intent.entity_id = "cust_01";
  intent.operation = IntentOperation::create_customer;
  intent.state = state;
  intent.attempts = 1;
  intent.body = "name=Jane";
  intent.idempotency_key = "the-key";
  intent.next_attempt_at = intent.created_at = kNow;
  return intent;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "a customer is created with all its fields", "[http][customers]") {
  customer_commands.answer = jane();
  const auto reply = as_key("POST", "/v1/customers", R"({"external_id":"ext_1","name":"Jane","email":"jane@example.com",
      "contact":"+49 1","address_line1":"a","address_line2":"b","address_city":"c","address_state":"d",
      "address_postal_code":"e","address_country":"DE","metadata":{"tier":"gold"},"unknown":{"is":"ignored"}})");
  REQUIRE(reply.status == 201);
  CHECK(reply.json()["external_id"] == "ext_1");
  CHECK(reply.json()["name"] == "Jane");
  CHECK(reply.header("preference-applied").empty());
  const auto& command = customer_commands.commands.at(0);
  CHECK(reply.json()["id"] == command.customer_id.str());
  CHECK(command.customer_id.str().starts_with("cust_"));
  CHECK(command.scope == kScope);
  CHECK(command.by.label == "api_key:secret_01");
  CHECK(command.by.request_id == reply.header("x-request-id"));
  CHECK_FALSE(command.push);
  CHECK_FALSE(command.wait);
  const auto& wanted = std::get<CreateCustomer>(command.action);
  CHECK(wanted.external_id == "ext_1");
  CHECK(wanted.fields ==
        CustomerFields{"Jane", "jane@example.com", "+49 1", "a", "b", "c", "d", "e", "DE", {{"tier", "gold"}}});
}

TEST_CASE_METHOD(HttpFixture, "only the external id is required", "[http][customers]") {
  CHECK(as_key("POST", "/v1/customers", R"({"external_id":"ext_1"})").status == 201);
  const auto reply = as_key("POST", "/v1/customers", "{}");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"] == json{{"external_id", "is required"}});
  CHECK(customer_commands.commands.size() == 1);
}

TEST_CASE_METHOD(HttpFixture, "what is wrong with a customer is named, all at once", "[http][customers]") {
  json body = {{"external_id", std::string(256, 'x')},
               {"name", std::string(256, 'x')},
               {"email", "jane at example.com"},
               {"contact", std::string(21, '1')},
               {"address_line1", 7},
               {"address_city", std::string(101, 'x')},
               {"address_postal_code", std::string(21, '1')},
               {"address_country", "XX"},
               {"metadata", {{"stripe_customer_id", "cus_1"}, {"ok", "yes"}}}};
  const auto reply = as_key("POST", "/v1/customers", body.dump());
  REQUIRE(reply.status == 400);
  CHECK(reply.error()["details"] == json{{"external_id", "must not be longer than 255 characters"},
                                         {"name", "must not be longer than 255 characters"},
                                         {"email", "must be an e-mail address such as jane@example.com"},
                                         {"contact", "must not be longer than 20 characters"},
                                         {"address_line1", "must be a string"},
                                         {"address_city", "must not be longer than 100 characters"},
                                         {"address_postal_code", "must not be longer than 20 characters"},
                                         {"address_country", "must be an ISO 3166-1 alpha-2 code such as DE"},
                                         {"metadata.stripe_customer_id", "is a reserved key: Flexsync writes it"}});
  CHECK(as_key("POST", "/v1/customers", "[]").status == 400);
  CHECK(as_key("POST", "/v1/customers", R"({"external_id":"a\u0000b"})").error()["details"].contains("external_id"));
  CHECK(customer_commands.commands.empty());
}

TEST_CASE_METHOD(HttpFixture, "lengths are counted in characters", "[http][customers]") {
  std::string name;
  for (int i = 0; i < 255; ++i) {
    name += "ü";
  }
  CHECK(as_key("POST", "/v1/customers", json{{"external_id", "e"}, {"name", name}}.dump()).status == 201);
}

TEST_CASE_METHOD(HttpFixture, "e-mail addresses are plausible or refused", "[http][customers]") {
  const auto status = [&](const std::string& email) {
    return as_key("POST", "/v1/customers", json{{"external_id", "e"}, {"email", email}}.dump()).status;
  };
  for (const auto* good : {"", "a@b.c", "jane+tag@mail.example.com", "ü@exämple.com"}) {
    INFO(good);
    CHECK(status(good) == 201);
  }
  for (const auto* bad : {"jane", "@b.c", "a@", "a@b", "a@b.", "a@.b", "a@b..c", "a b@c.d", "a@b@c.d", "a@b.c\n"}) {
    INFO(bad);
    CHECK(status(bad) == 400);
  }
}

TEST_CASE_METHOD(HttpFixture, "metadata keeps Stripe's limits", "[http][customers]") {
  const auto error_of = [&](const json& metadata) {
    const auto reply = as_key("POST", "/v1/customers", json{{"external_id", "e"}, {"metadata", metadata}}.dump());
    return reply.status == 201 ? json() : reply.error()["details"];
  };
  auto many = json::object();
  for (int i = 0; i < 48; ++i) {
    many["k" + std::to_string(i)] = "v";
  }
  CHECK(error_of(many).is_null());
  many["one more"] = "v";
  CHECK(error_of(many)["metadata"] == "must not have more than 48 entries");
  CHECK(error_of({{std::string(40, 'k'), std::string(500, 'v')}}).is_null());
  CHECK(error_of({{std::string(41, 'k'), "v"}}).contains("metadata"));
  CHECK(error_of({{"", "v"}}).contains("metadata"));
  CHECK(error_of({{"k", std::string(501, 'v')}})["metadata.k"] == "must not be longer than 500 characters");
  CHECK(error_of({{"k", json::object()}})["metadata.k"] == "must be a string");
  CHECK(error_of("text")["metadata"] == "must be an object");
}

TEST_CASE_METHOD(HttpFixture, "an update names what it changes, and nothing else", "[http][customers]") {
  customer_commands.answer = jane();
  const auto reply =
      as_key("PUT", "/v1/customers/cust_01", R"({"name":"","email":null,"address_city":"Bern","metadata":{"a":"b"}})");
  REQUIRE(reply.status == 200);
  CHECK(reply.json()["id"] == "cust_01");
  const auto& command = customer_commands.commands.at(0);
  CHECK(command.customer_id == CustomerId("cust_01"));
  const auto& wanted = std::get<UpdateCustomer>(command.action);
  CHECK(wanted.name == "");
  CHECK(wanted.address_city == "Bern");
  CHECK(wanted.metadata == Metadata{{"a", "b"}});
  CHECK_FALSE(wanted.email);
  CHECK_FALSE(wanted.external_id);
  CHECK_FALSE(wanted.contact);
  CHECK(as_key("PUT", "/v1/customers/cust_01", "{}").status == 200);
}

TEST_CASE_METHOD(HttpFixture, "what is wrong with an update is named", "[http][customers]") {
  const auto reply = as_key("PUT", "/v1/customers/cust_01",
                            R"({"external_id":"","email":"x","address_country":"de","contact":5,"metadata":[]})");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"].size() == 5);
  CHECK(reply.error()["details"]["external_id"] == "is required");
  CHECK(as_key("PUT", "/v1/customers/cust_01", "{").status == 400);
  CHECK(customer_commands.commands.empty());
}

TEST_CASE_METHOD(HttpFixture, "our metadata keys may come back as they were read, not otherwise", "[http][customers]") {
  Customer stored;
  stored.fields.metadata = {{"stripe_customer_id", "cus_1"}, {"tier", "gold"}};
  queries.all_customers = {stored};
  REQUIRE(
      as_key("PUT", "/v1/customers/cust_01", R"({"metadata":{"stripe_customer_id":"cus_1","tier":"silver"}})").status ==
      200);
  CHECK(std::get<UpdateCustomer>(customer_commands.commands.at(0).action).metadata == Metadata{{"tier", "silver"}});
  const auto reply = as_key("PUT", "/v1/customers/cust_01", R"({"metadata":{"stripe_customer_id":"cus_2"}})");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"].contains("metadata.stripe_customer_id"));
  queries.all_customers.clear();
  CHECK(as_key("PUT", "/v1/customers/cust_01", R"({"metadata":{"stripe_customer_id":"cus_1"}})").status == 404);
}

TEST_CASE_METHOD(HttpFixture, "a customer to update is named in the query, too", "[http][customers]") {
  Customer stored;
  stored.id = CustomerId("cust_77");
  queries.all_customers = {stored};
  CHECK(as_key("PUT", "/v1/customers?id=cust_01", R"({"name":"x"})").json()["id"] == "cust_01");
  CHECK(as_key("PUT", "/v1/customers?external_customer_id=ext%2F1", R"({"name":"x"})").json()["id"] == "cust_77");
  CHECK(queries.asked_id == "ext/1");
  CHECK(as_key("PUT", "/v1/customers", R"({"name":"x"})").error()["details"].contains("id"));
  CHECK(as_key("PUT", "/v1/customers?id=a&external_customer_id=b", R"({"name":"x"})").status == 400);
  queries.all_customers.clear();
  CHECK(as_key("PUT", "/v1/customers?external_customer_id=none", R"({"name":"x"})").status == 404);
}

TEST_CASE_METHOD(HttpFixture, "a customer is deleted, in Stripe only if asked", "[http][customers]") {
  CHECK(as_key("DELETE", "/v1/customers/cust_01").status == 204);
  CHECK(as_key("DELETE", "/v1/customers/cust_01?provider_cleanup=true").status == 204);
  CHECK_FALSE(std::get<DeleteCustomer>(customer_commands.commands.at(0).action).provider_cleanup);
  CHECK(std::get<DeleteCustomer>(customer_commands.commands.at(1).action).provider_cleanup);
  CHECK(as_key("DELETE", "/v1/customers/cust_01?provider_cleanup=yes").error()["details"].contains("provider_cleanup"));
}

TEST_CASE_METHOD(HttpFixture, "the port's errors are the answer's", "[http][customers]") {
  for (const auto& [code, status] : {std::pair{ErrorCode::already_exists, 409},
                                     {ErrorCode::not_found, 404},
                                     {ErrorCode::too_many_requests, 429},
                                     {ErrorCode::service_unavailable, 503}}) {
    customer_commands.answer = fail(code, "because");
    const auto reply = as_key("POST", "/v1/customers", R"({"external_id":"e"})");
    CHECK(reply.status == status);
    CHECK(reply.error()["message"] == "because");
    CHECK(as_key("PUT", "/v1/customers/cust_01", "{}").status == status);
    CHECK(as_key("DELETE", "/v1/customers/cust_01").status == status);
    CHECK(as_key("POST", "/v1/customers/cust_01/sync-to-stripe").status == status);
  }
}

TEST_CASE_METHOD(HttpFixture, "waiting is asked for in the header or the query, and told", "[http][customers]") {
  const auto wait_of = [&](const std::string& header, const std::string& query) {
    const auto reply = send("POST", "/v1/customers" + query, kKeyHeader + header, R"({"external_id":"e"})");
    REQUIRE(reply.status == 201);
    const auto wait = customer_commands.commands.back().wait;
    CHECK(reply.header("preference-applied") == (wait ? "wait" : ""));
    return wait;
  };
  CHECK(wait_of("", "") == std::nullopt);
  CHECK(wait_of("Prefer: wait\r\n", "") == 10s);
  CHECK(wait_of("prefer: respond-async\r\nPrefer: wait=2\r\n", "") == 2s);
  CHECK(wait_of("Prefer: wait=60\r\n", "") == 10s);
  CHECK(wait_of("", "?wait=true") == 10s);
  CHECK(as_key("POST", "/v1/customers?wait=maybe", R"({"external_id":"e"})").error()["details"].contains("wait"));
}

TEST_CASE_METHOD(HttpFixture, "syncing to Stripe answers the mapping where there is one", "[http][customers]") {
  customer_commands.answer = jane();
  customer_commands.answer->mapping = Mapping{MappingId("eim_01"),      "customer",        "cust_01", "stripe", "cus_1",
                                              {{"created_via", "api"}}, Status::published, kNow,      kNow};
  const auto reply = as_key("POST", "/v1/customers/cust_01/sync-to-stripe");
  REQUIRE(reply.status == 200);
  CHECK(reply.json()["id"] == "eim_01");
  CHECK(reply.json()["provider_entity_id"] == "cus_1");
  CHECK(reply.json()["entity_id"] == "cust_01");
  CHECK(reply.json()["created_by"] == "api");
  CHECK(std::holds_alternative<SyncCustomerToStripe>(customer_commands.commands.at(0).action));
}

TEST_CASE_METHOD(HttpFixture, "syncing to Stripe says what it is waiting for", "[http][customers]") {
  customer_commands.answer = jane();
  customer_commands.answer->intent = intent(IntentState::ready);
  const auto reply = as_key("POST", "/v1/customers/cust_01/sync-to-stripe");
  CHECK(reply.status == 202);
  CHECK(reply.json()["status"] == "pending");
  CHECK(reply.json()["customer_id"] == "cust_01");
  CHECK(reply.json()["intent"]["id"] == "intent_01");
  CHECK(reply.json()["intent"]["operation"] == "create_customer");
  CHECK(reply.json()["intent"]["state"] == "ready");
  CHECK(reply.json()["intent"]["error"].is_null());
  CHECK(reply.body.find("the-key") == std::string::npos);
}

TEST_CASE_METHOD(HttpFixture, "what Stripe refuses while one waits is said with its reason", "[http][customers]") {
  auto refused = intent(IntentState::refused);
  refused.error_code = "email_invalid";
  refused.error_message = "Invalid email address: jane@example";
  customer_commands.answer = jane();
  customer_commands.answer->intent = refused;
  const auto reply = as_key("POST", "/v1/customers/cust_01/sync-to-stripe?wait=true");
  CHECK(reply.status == 400);
  CHECK(reply.error()["code"] == "invalid_operation");
  CHECK(reply.error()["details"]["stripe"] == "Invalid email address: jane@example");
  CHECK(reply.header("preference-applied") == "wait");
}

TEST_CASE_METHOD(HttpFixture, "only a key of the environment writes customers", "[http][customers][auth]") {
  for (const auto& [method, path] : {std::pair<std::string, std::string>{"POST", "/v1/customers"},
                                     {"PUT", "/v1/customers/cust_01"},
                                     {"PUT", "/v1/customers?id=cust_01"},
                                     {"DELETE", "/v1/customers/cust_01"},
                                     {"POST", "/v1/customers/cust_01/sync-to-stripe"},
                                     {"POST", "/v1/customers/search"}}) {
    INFO(method << " " << path);
    CHECK(send(method, path, "", "{}").status == 401);
    CHECK(send(method, path, "x-api-key: wrong\r\n", "{}").status == 401);
    CHECK(as_admin(method, path, "{}").status == 403);
  }
  CHECK(customer_commands.commands.empty());
}

TEST_CASE_METHOD(HttpFixture, "a customer's body has its limit", "[http][customers]") {
  config.body_size_max = 100;
  CHECK(as_key("POST", "/v1/customers", R"({"external_id":")" + std::string(200, 'x') + "\"}").status == 413);
}

}  // namespace flexsync::test
