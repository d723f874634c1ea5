// docs/openapi.yaml is the contract: what it names is served, and what is served is in it.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cctype>
#include <fstream>
#include <iterator>
#include <set>

#include "http/resources/resources.hpp"
#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

// "GET /v1/customers/{id}"
using Operations = std::set<std::string>;

// Reads no more YAML than the document is written in: a path is indented by two blanks, its methods by four.
Operations documented() {
  std::ifstream file(FLEXSYNC_SOURCE_DIR "/docs/openapi.yaml");
  REQUIRE(file);
  Operations operations;
  std::string path;
  bool in_paths = false;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.front() != ' ' && line.front() != '#') {
      in_paths = line == "paths:";
    } else if (in_paths && line.starts_with("  /") && line.ends_with(':')) {
      path = line.substr(2, line.size() - 3);
    } else if (in_paths && line.starts_with("    ") && line.find_first_not_of(' ') == 4) {
      for (const auto method : {http::Method::get, http::Method::post, http::Method::put, http::Method::del}) {
        auto name = std::string(to_string(method));
        std::string key = "    ";
        std::transform(name.begin(), name.end(), std::back_inserter(key),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (line == key + ":") {
          operations.insert(name + " " + path);
        }
      }
    }
  }
  return operations;
}

Operations served(const http::Router& router) {
  Operations operations;
  for (const auto& route : router.routes()) {
    operations.insert(std::string(to_string(route.method)) + " " + route.pattern);
  }
  return operations;
}

std::vector<std::string> missing(const Operations& from, const Operations& in) {
  std::vector<std::string> names;
  std::set_difference(in.begin(), in.end(), from.begin(), from.end(), std::back_inserter(names));
  return names;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "the document and the server have the same routes", "[http][openapi]") {
  const std::atomic<bool> draining = false;
  auto all = served(http::public_routes(config, ports()));
  all.merge(served(http::admin_routes(ports(), draining)));
  const auto written = documented();
  CHECK(written.size() > 50);
  CHECK(missing(written, all) == std::vector<std::string>{});
  CHECK(missing(all, written) == std::vector<std::string>{});
}

TEST_CASE_METHOD(HttpFixture, "every route is answered in one way", "[http][openapi]") {
  const auto router = http::public_routes(config, ports());
  for (const auto& route : router.routes()) {
    INFO(to_string(route.method) << " " << route.pattern);
    CHECK((route.blocking ? 1 : 0) + (route.deferred ? 1 : 0) + (route.async ? 1 : 0) == 1);
  }
}

}  // namespace flexsync::test
