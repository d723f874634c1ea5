#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

TEST_CASE_METHOD(HttpFixture, "an environment is created for a tenant", "[http][environments]") {
  const auto reply =
      as_admin("POST", "/v1/environments", R"({"name":"Live","type":"production","tenant_id":"tenant_01"})");
  CHECK(reply.status == 201);
  const auto body = reply.json();
  CHECK(body["id"] == "env_01");
  CHECK(body["tenant_id"] == "tenant_01");
  CHECK(body["name"] == "Live");
  CHECK(body["type"] == "production");
  CHECK(body["created_at"] == "2026-09-21T14:13:20Z");
}

TEST_CASE_METHOD(HttpFixture, "an environment names all that is missing or wrong", "[http][environments]") {
  const auto empty = as_admin("POST", "/v1/environments", "{}");
  CHECK(empty.status == 400);
  CHECK(empty.error()["details"].size() == 3);
  const auto wrong = as_admin("POST", "/v1/environments", R"({"name":"x","type":"prod","tenant_id":"t"})");
  CHECK(wrong.error()["details"] == nlohmann::json{{"type", "must be development or production"}});
}

TEST_CASE_METHOD(HttpFixture, "environments are listed in FlexPrice's shape", "[http][environments]") {
  const auto reply = as_admin("GET", "/v1/environments?tenant_id=tenant_09&limit=5&offset=10");
  CHECK(reply.status == 200);
  const auto body = reply.json();
  CHECK(body["environments"].size() == 1);
  CHECK(body["total"] == 1);
  CHECK(body["limit"] == 5);
  CHECK(body["offset"] == 10);
  CHECK(provisioning.asked_scope.tenant == TenantId("tenant_09"));

  CHECK(as_key("GET", "/v1/environments").status == 200);
  CHECK(provisioning.asked_scope.tenant == kScope.tenant);
  CHECK(as_key("GET", "/v1/environments?tenant_id=tenant_09").status == 403);
  CHECK(as_admin("GET", "/v1/environments").error()["details"].contains("tenant_id"));
  CHECK(as_admin("GET", "/v1/environments?tenant_id=t&limit=0").error()["details"].contains("limit"));
}

}  // namespace flexsync::test
