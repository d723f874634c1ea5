#include "http/router.hpp"

#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

http::Request request(http::Method method, const std::string& path) {
  http::Request request;
  request.method = method;
  request.method_name = std::string(to_string(method));
  request.path = path;
  return request;
}

http::Router router_with(Metrics& metrics, const std::vector<std::string>& patterns) {
  http::Router router(metrics);
  for (const auto& pattern : patterns) {
    router.get(pattern, http::Access::open, [](const http::RequestContext&) { return http::no_content(); });
  }
  return router;
}

}  // namespace

TEST_CASE("a literal segment beats a name, whatever their order", "[http][router]") {
  Metrics metrics;
  const auto router = router_with(metrics, {"/v1/a/{id}", "/v1/a/by-name", "/v1/a/{id}/b", "/v1/a/x/{other}"});
  CHECK(router.match(request(http::Method::get, "/v1/a/by-name")).route->pattern == "/v1/a/by-name");
  CHECK(router.match(request(http::Method::get, "/v1/a/x/b")).route->pattern == "/v1/a/x/{other}");
  const auto match = router.match(request(http::Method::get, "/v1/a/17"));
  CHECK(match.route->pattern == "/v1/a/{id}");
  CHECK(match.path.at("id") == "17");
  CHECK_THROWS_AS(match.path.at("other"), std::out_of_range);
}

TEST_CASE("paths that are no route", "[http][router]") {
  Metrics metrics;
  const auto router = router_with(metrics, {"/v1/a/{id}"});
  const auto path = GENERATE(as<std::string>{}, "/", "/v1/a", "/v1/a/", "/v1/a/1/", "/v1/a/1/2", "//a/1", "/V1/a/1",
                             "/v1/a/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1");
  const auto match = router.match(request(http::Method::get, path));
  CHECK(match.route == nullptr);
  REQUIRE(match.refusal);
  CHECK(match.refusal->status == 404);
}

TEST_CASE_METHOD(HttpFixture, "404 names method and path, 405 what is allowed", "[http][router]") {
  const auto missing = send("PATCH", "/v1/nothing/here?x=1", "", "{}");
  CHECK(missing.status == 404);
  CHECK(missing.error()["code"] == "not_found");
  CHECK(missing.error()["message"] == "There is no route PATCH /v1/nothing/here");
  const auto wrong = as_key("PATCH", "/v1/connections/conn_1", "{}");
  CHECK(wrong.status == 405);
  CHECK(wrong.error()["code"] == "method_not_allowed");
  CHECK(wrong.header("allow") == "GET, PUT, DELETE");
}

}  // namespace flexsync::test
