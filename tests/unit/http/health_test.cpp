#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

TEST_CASE_METHOD(HttpFixture, "live says that the process serves", "[http][health]") {
  const auto reply = admin_get("/health/live");
  CHECK(reply.status == 200);
  CHECK(reply.json()["status"] == "ok");
}

TEST_CASE_METHOD(HttpFixture, "ready says whether it can", "[http][health]") {
  CHECK(admin_get("/health/ready").json()["status"] == "ready");
  readiness.set("The store cannot be reached");
  const auto reply = admin_get("/health/ready");
  CHECK(reply.status == 503);
  CHECK(reply.error()["message"] == "The store cannot be reached");
}

TEST_CASE_METHOD(HttpFixture, "metrics are text", "[http][health]") {
  const auto reply = admin_get("/metrics");
  CHECK(reply.status == 200);
  CHECK(reply.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(reply.body.find("# HELP") != std::string::npos);
}

TEST_CASE_METHOD(HttpFixture, "each listener has its own routes", "[http][health]") {
  CHECK(send("GET", "/metrics").status == 404);
  CHECK(send("GET", "/health/live").status == 404);
  CHECK(admin_get("/v1/customers").status == 404);
}

}  // namespace flexsync::test
