#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

TEST_CASE_METHOD(HttpFixture, "a tenant is created and shown", "[http][tenants]") {
  const auto created = as_admin("POST", "/v1/tenants", R"({"name":"Acme","unknown":1})");
  CHECK(created.status == 201);
  CHECK(created.json() == nlohmann::json{{"id", "tenant_01"},
                                         {"name", "Acme"},
                                         {"status", "published"},
                                         {"created_at", "2026-09-21T14:13:20Z"},
                                         {"updated_at", "2026-09-21T14:13:20Z"}});
  CHECK(provisioning.asked_by == "admin");
  CHECK(as_admin("GET", "/v1/tenants/tenant_01").json()["id"] == "tenant_01");
  const auto missing = as_admin("GET", "/v1/tenants/tenant_02");
  CHECK(missing.status == 404);
  CHECK(missing.error()["message"] == "There is no tenant tenant_02");
}

TEST_CASE_METHOD(HttpFixture, "a tenant needs a name", "[http][tenants]") {
  const auto body = GENERATE(as<std::string>{}, "{}", R"({"name":""})", R"({"name":7})", R"({"name":null})");
  const auto reply = as_admin("POST", "/v1/tenants", body);
  CHECK(reply.status == 400);
  CHECK(reply.error()["message"] == "Request validation failed");
  CHECK(reply.error()["details"].contains("name"));
}

TEST_CASE_METHOD(HttpFixture, "a body that is no JSON object says where it breaks", "[http][tenants]") {
  const auto broken = as_admin("POST", "/v1/tenants", "{\"name\":\n oops}");
  CHECK(broken.status == 400);
  CHECK(broken.error()["message"] == "The body is not valid JSON: it breaks at line 2, column 2");
  CHECK(as_admin("POST", "/v1/tenants", "").status == 400);
  CHECK(as_admin("POST", "/v1/tenants", "[]").error()["message"] == "The body must be a JSON object");
  const auto deep = as_admin("POST", "/v1/tenants", std::string(100'000, '['));
  CHECK(deep.status == 400);
  CHECK(deep.error()["message"] == "The body nests deeper than 64 levels of JSON");
}

TEST_CASE_METHOD(HttpFixture, "errors have one shape", "[http][errors]") {
  const auto reply = as_admin("POST", "/v1/tenants", "{}");
  CHECK(reply.json() == nlohmann::json{{"success", false},
                                       {"error",
                                        {{"code", "validation_error"},
                                         {"message", "Request validation failed"},
                                         {"http_status_code", 400},
                                         {"details", {{"name", "is required"}}},
                                         {"internal_error", nullptr}}}});
}

}  // namespace flexsync::test
