#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

const std::string kCreate = R"({
  "name": "Stripe", "provider_type": "stripe", "metadata": {"default": true, "team": "billing"},
  "sync_config": {"customer": {"inbound": true, "outbound": false}, "conflict": "local"},
  "encrypted_secret_data": {"publishable_key": "pk_test_0123456789", "secret_key": "sk_test_0123456789",
                            "webhook_secret": "whsec_0123456789", "webhook_secrets": ["whsec_9876543210"],
                            "account_id": "acct_0123456789"}})";

}  // namespace

TEST_CASE_METHOD(HttpFixture, "a connection's secrets go in and never come out", "[http][connections]") {
  const auto reply = as_key("POST", "/v1/connections", kCreate);
  CHECK(reply.status == 201);
  const auto body = reply.json();
  CHECK(body["id"] == "conn_01");
  CHECK(body["tenant_id"] == "tenant_01");
  CHECK(body["environment_id"] == "env_01");
  CHECK(body["status"] == "published");
  CHECK(body["livemode"] == false);
  CHECK(body["metadata"] == nlohmann::json{{"default", "true"}, {"team", "billing"}});
  CHECK(body["sync_config"]["customer"]["inbound"] == true);
  CHECK(body["sync_config"]["conflict"] == "local");
  for (const auto* secret : {"pk_test_", "sk_test_", "whsec_", "encrypted_secret_data"}) {
    CHECK(reply.body.find(secret) == std::string::npos);
  }
  CHECK(provisioning.asked_secrets.secret_key.reveal() == "sk_test_0123456789");
  REQUIRE(provisioning.asked_secrets.webhook_secrets.size() == 2);
  CHECK(provisioning.asked_secrets.webhook_secrets[1].reveal() == "whsec_9876543210");
  CHECK(provisioning.asked_connection.account_id == "acct_0123456789");
  CHECK(provisioning.asked_connection.livemode == false);
  CHECK(provisioning.asked_by == "api_key:secret_01");
}

TEST_CASE_METHOD(HttpFixture, "a connection's wrong fields are named, their values are not", "[http][connections]") {
  const auto reply = as_key("POST", "/v1/connections", R"({
    "provider_type": "paddle", "metadata": {"a": []}, "sync_config": {"customer": {"inbound": "yes"}},
    "encrypted_secret_data": {"publishable_key": "pk_x", "secret_key": "hunter2hunter2", "webhook_secret": 5,
                              "webhook_secrets": ["whsec_0123456789", "sec_0123456789"],
                              "account_id": "acct_ 234567"}})");
  CHECK(reply.status == 400);
  const auto details = reply.error()["details"];
  CHECK(details["name"] == "is required");
  CHECK(details["provider_type"] == "must be stripe");
  CHECK(details["metadata.a"] == "must be a string");
  CHECK(details["sync_config.customer.inbound"] == "must be true or false");
  CHECK(details["encrypted_secret_data.publishable_key"] == "is too short to be real");
  CHECK(details["encrypted_secret_data.secret_key"] == "must begin with sk_ or rk_");
  CHECK(details["encrypted_secret_data.webhook_secret"] == "must be a string");
  CHECK(details["encrypted_secret_data.webhook_secrets[1]"] == "must begin with whsec_");
  CHECK(details["encrypted_secret_data.account_id"] == "must hold visible ASCII characters only");
  CHECK(reply.body.find("hunter2") == std::string::npos);
}

TEST_CASE_METHOD(HttpFixture, "a new connection needs a secret key of one mode", "[http][connections]") {
  const auto without = as_key("POST", "/v1/connections", R"({"name":"a","provider_type":"stripe"})");
  CHECK(without.error()["details"] == nlohmann::json{{"encrypted_secret_data", "is required"}});
  const auto empty =
      as_key("POST", "/v1/connections", R"({"name":"a","provider_type":"stripe","encrypted_secret_data":{}})");
  CHECK(empty.error()["details"] == nlohmann::json{{"encrypted_secret_data.secret_key", "is required"}});
  const auto mixed = as_key("POST", "/v1/connections", R"({"name":"a","provider_type":"stripe",
    "encrypted_secret_data":{"secret_key":"sk_live_0123456789","publishable_key":"pk_test_0123456789"}})");
  CHECK(mixed.error()["details"].contains("encrypted_secret_data.publishable_key"));
}

TEST_CASE_METHOD(HttpFixture, "a second connection is a conflict", "[http][connections]") {
  provisioning.connection_error = Error{ErrorCode::already_exists, "The environment has a Stripe connection", {}};
  const auto reply = as_key("POST", "/v1/connections", kCreate);
  CHECK(reply.status == 409);
  CHECK(reply.error()["code"] == "already_exists");
}

TEST_CASE_METHOD(HttpFixture, "an update leaves what it does not name", "[http][connections]") {
  const auto reply = as_key("PUT", "/v1/connections/conn_01",
                            R"({"name":"New","encrypted_secret_data":{"webhook_secrets":["whsec_0123456789"]}})");
  CHECK(reply.status == 200);
  CHECK(provisioning.asked_connection.id == ConnectionId("conn_01"));
  CHECK(provisioning.asked_connection.name == "New");
  CHECK(provisioning.asked_connection.scope == kScope);
  CHECK(provisioning.asked_connection.sync_config.empty());
  CHECK(provisioning.asked_connection.metadata.empty());
  CHECK(provisioning.asked_secrets.secret_key.empty());
  CHECK(provisioning.asked_secrets.webhook_secrets.size() == 1);
  CHECK_FALSE(provisioning.asked_connection.livemode.has_value());
  CHECK(as_key("PUT", "/v1/connections/conn_01", R"({"encrypted_secret_data":7})").status == 400);
}

TEST_CASE_METHOD(HttpFixture, "connections are listed, shown and deleted", "[http][connections]") {
  CHECK(as_key("GET", "/v1/connections/conn_01").status == 404);
  Connection connection;
  connection.id = ConnectionId("conn_01");
  connection.scope = kScope;
  connection.provider_type = "stripe";
  connection.sync_config = std::string(200, '[');  // not JSON: shown as it is
  provisioning.all_connections = {connection};
  const auto list = as_key("GET", "/v1/connections?limit=2&offset=1").json();
  CHECK(list["connections"][0]["id"] == "conn_01");
  CHECK(list["total"] == 1);
  CHECK(list["limit"] == 2);
  CHECK(list["offset"] == 1);
  const auto one = as_key("GET", "/v1/connections/conn_01").json();
  CHECK(one["sync_config"].is_string());
  CHECK(one["livemode"].is_null());
  CHECK(as_key("DELETE", "/v1/connections/conn_01").status == 204);
  CHECK(provisioning.asked_id == "conn_01");
}

}  // namespace flexsync::test
