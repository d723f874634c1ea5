#include "http/auth.hpp"

#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

TEST_CASE_METHOD(HttpFixture, "a key is taken from x-api-key and from Authorization", "[http][auth]") {
  const std::string key = kApiKey;
  CHECK(send("GET", "/v1/customers", "X-API-Key: " + key + "\r\n").status == 200);
  CHECK(send("GET", "/v1/customers", "Authorization: Bearer " + key + "\r\n").status == 200);
  CHECK(send("GET", "/v1/customers", "authorization: bearer  " + key + "\r\n").status == 200);
  CHECK(queries.asked_scope == kScope);
}

TEST_CASE_METHOD(HttpFixture, "without a valid key it is 401", "[http][auth]") {
  const auto headers = GENERATE(as<std::string>{}, "", "x-api-key: wrong\r\n", "Authorization: Basic dTpw\r\n",
                                "Authorization: Bearer \r\n", "Authorization: sk_01_of_tenant_01\r\n",
                                "Authorization: Bearer wrong\r\n");
  const auto reply = send("GET", "/v1/customers", headers);
  CHECK(reply.status == 401);
  CHECK(reply.error()["code"] == "unauthenticated");
  CHECK(reply.error()["http_status_code"] == 401);
  CHECK(reply.header("www-authenticate") == "Bearer");
}

TEST_CASE_METHOD(HttpFixture, "keys that cannot be checked are 503, not 401", "[http][auth]") {
  authenticator.unavailable = true;
  CHECK(as_key("GET", "/v1/customers").status == 503);
}

TEST_CASE_METHOD(HttpFixture, "the admin key provisions and does nothing else", "[http][auth]") {
  const auto path = GENERATE(as<std::string>{}, "/v1/customers", "/v1/customers/cust_1", "/v1/connections",
                             "/v1/entity-integration-mappings", "/v1/webhook-events", "/v1/dead-letters");
  const auto reply = as_admin("GET", path);
  CHECK(reply.status == 403);
  CHECK(reply.error()["code"] == "permission_denied");
  CHECK(reply.error()["message"].get<std::string>().find("API key of the environment") != std::string::npos);
}

TEST_CASE_METHOD(HttpFixture, "an API key provisions no tenants and no environments", "[http][auth]") {
  CHECK(as_key("POST", "/v1/tenants", R"({"name":"x"})").status == 403);
  CHECK(as_key("GET", "/v1/tenants/tenant_01").status == 403);
  CHECK(as_key("POST", "/v1/environments", R"({"name":"x","type":"production","tenant_id":"t"})").status == 403);
}

TEST_CASE("an API key has its scope and may repeat it", "[http][auth]") {
  const Principal key{Principal::Kind::api_key, kScope, ApiKeyId("secret_01"), "api_key:secret_01"};
  CHECK(http::scope_for(key, "", "") == kScope);
  CHECK(http::scope_for(key, "tenant_01", "env_01") == kScope);
  CHECK(http::scope_for(key, "tenant_02", "").error().code == ErrorCode::permission_denied);
  CHECK(http::scope_for(key, "tenant_01", "env_02").error().code == ErrorCode::permission_denied);
  CHECK(http::tenant_for(key, "") == kScope.tenant);
  CHECK(http::tenant_for(key, "tenant_02").error().code == ErrorCode::permission_denied);

  const Principal admin{Principal::Kind::admin, {}, {}, "admin"};
  CHECK(http::scope_for(admin, "t", "e") == Scope{TenantId("t"), EnvironmentId("e")});
  CHECK(http::scope_for(admin, "", "").error().details.size() == 2);
  CHECK(http::tenant_for(admin, "").error().code == ErrorCode::validation_error);
}

}  // namespace flexsync::test
