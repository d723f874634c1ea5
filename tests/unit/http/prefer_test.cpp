#include "http/prefer.hpp"

#include <catch2/catch.hpp>

namespace flexsync::test {

namespace {

using namespace std::chrono_literals;

std::optional<std::chrono::milliseconds> wait(const std::string& prefer, const std::string& query = {}) {
  http::Request request;
  request.prefer = prefer;
  http::Details details;
  const auto parsed = http::Query::parse(query);
  REQUIRE(parsed);
  const auto wanted = http::wanted_wait(request, *parsed, 10s, details);
  CHECK(details.empty());
  return wanted;
}

}  // namespace

TEST_CASE("nobody waits who does not ask", "[http][prefer]") {
  CHECK(wait("") == std::nullopt);
  CHECK(wait("respond-async, return=minimal") == std::nullopt);
  CHECK(wait("waiting=3") == std::nullopt);
  CHECK(wait("wait=0") == std::nullopt);
  CHECK(wait("", "wait=false") == std::nullopt);
}

TEST_CASE("waiting lasts as long as is asked, at most as long as the setting", "[http][prefer]") {
  CHECK(wait("wait") == 10s);
  CHECK(wait("wait=3") == 3s);
  CHECK(wait("wait=3600") == 10s);
  CHECK(wait("wait=99999999999999999999999999") == 10s);
  CHECK(wait("", "wait=true") == 10s);
  CHECK(wait("wait=2", "wait=true") == 2s);
}

TEST_CASE("the header is a list in RFC 7240's form", "[http][prefer]") {
  CHECK(wait("respond-async, Wait = 4") == 4s);
  CHECK(wait("return=minimal; foo, wait=\"5\"; bar=1,wait=7") == 5s);
  CHECK(wait(",,wait=6,") == 6s);
  CHECK(wait("wait=") == 10s);
}

TEST_CASE("what cannot be understood in the header is ignored, in the query it is wrong", "[http][prefer]") {
  CHECK(wait("wait=soon") == std::nullopt);
  CHECK(wait("wait=-1") == std::nullopt);
  CHECK(wait("wait=1.5") == std::nullopt);
  http::Details details;
  CHECK(http::wanted_wait({}, http::Query::parse("wait=5").value(), 10s, details) == std::nullopt);
  CHECK(details == http::Details{{"wait", "must be true or false"}});
}

}  // namespace flexsync::test
