#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

TEST_CASE_METHOD(HttpFixture, "a key is shown once, when it is made", "[http][api_keys]") {
  const auto reply = as_admin("POST", "/v1/secrets/api/keys",
                              R"({"name":"ci","type":"private_key","tenant_id":"tenant_01","environment_id":"env_01",
                                  "expires_at":"2027-01-01T00:00:00+01:00"})");
  CHECK(reply.status == 201);
  CHECK(reply.header("cache-control") == "no-store");
  const auto body = reply.json();
  CHECK(body["api_key"] == "the-whole-key");
  CHECK(body["secret"]["id"] == "secret_01");
  CHECK(body["secret"]["type"] == "private_key");
  CHECK(body["secret"]["provider"] == "flexprice");
  CHECK(body["secret"]["expires_at"] == "2026-12-31T23:00:00Z");
  CHECK(body["secret"]["last_used_at"].is_null());
  CHECK(provisioning.asked_key.scope == kScope);

  const auto list = as_key("GET", "/v1/secrets/api/keys").json();
  CHECK(list["items"].size() == 1);
  CHECK(list["items"][0]["display_id"] == "sk_01…99");
  CHECK(list["items"][0]["last_used_at"] == "2026-09-21T14:13:20Z");
  CHECK(list["pagination"] == nlohmann::json{{"total", 1}, {"limit", 50}, {"offset", 50}});
  CHECK(list.dump().find("the-whole-key") == std::string::npos);
}

TEST_CASE_METHOD(HttpFixture, "an API key makes keys of its own scope only", "[http][api_keys]") {
  CHECK(as_key("POST", "/v1/secrets/api/keys", R"({"name":"ci","type":"publishable_key"})").status == 201);
  CHECK(provisioning.asked_key.scope == kScope);
  CHECK(provisioning.asked_key.type == "publishable_key");
  CHECK(provisioning.asked_by == "api_key:secret_01");
  CHECK(as_key("POST", "/v1/secrets/api/keys", R"({"name":"ci","tenant_id":"tenant_02"})").status == 403);
  CHECK(as_key("GET", "/v1/secrets/api/keys?environment_id=env_02").status == 403);
  CHECK(as_key("DELETE", "/v1/secrets/api/keys/secret_02?tenant_id=tenant_02").status == 403);
}

TEST_CASE_METHOD(HttpFixture, "a key's wrong fields are named", "[http][api_keys]") {
  const auto wrong = as_key("POST", "/v1/secrets/api/keys", R"({"type":"root","expires_at":"2020-01-01T00:00:00Z"})");
  CHECK(wrong.status == 400);
  CHECK(wrong.error()["details"].size() == 3);
  CHECK(wrong.error()["details"]["expires_at"] == "must be in the future");
  CHECK(as_key("POST", "/v1/secrets/api/keys", R"({"name":"x","expires_at":"soon"})").status == 400);
  const auto unscoped = as_admin("POST", "/v1/secrets/api/keys", R"({"name":"x"})");
  CHECK(unscoped.error()["details"].contains("tenant_id"));
  CHECK(unscoped.error()["details"].contains("environment_id"));
}

TEST_CASE_METHOD(HttpFixture, "a key is revoked", "[http][api_keys]") {
  const auto reply = as_key("DELETE", "/v1/secrets/api/keys/secret_01");
  CHECK(reply.status == 204);
  CHECK(reply.body.empty());
  CHECK(reply.header("content-length").empty());
  CHECK(provisioning.asked_id == "secret_01");
  CHECK(as_admin("DELETE", "/v1/secrets/api/keys/secret_01").status == 400);
  CHECK(as_admin("DELETE", "/v1/secrets/api/keys/secret_01?tenant_id=t&environment_id=e").status == 204);
  CHECK(provisioning.asked_scope == Scope{TenantId("t"), EnvironmentId("e")});
}

}  // namespace flexsync::test
