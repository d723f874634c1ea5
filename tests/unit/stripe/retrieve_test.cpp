#include "stripe/retrieve.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace flexsync;
using namespace flexsync::stripe;
using Catch::Matchers::Contains;

namespace {

constexpr std::chrono::milliseconds kTimeout{2'000};
const Timestamp kReceived = from_unix_seconds(1'795'228'690);

std::string path_of(const std::string& type, const std::string& id) {
  return retrieve_request(type, StripeId(id), Secret("sk_test_1"), kTimeout).path;
}

HttpResponse answer(int status, std::string body, std::map<std::string, std::string> headers = {}) {
  return {status, std::move(headers), std::move(body), std::chrono::milliseconds(250)};
}

RetrieveOutcome outcome(int status, std::string body = R"({"error":{"type":"api_error"}})") {
  return classify_retrieve(answer(status, std::move(body)), kReceived);
}

TrueInterval interval(const std::string& date) {
  const auto result = classify_retrieve(answer(200, R"({"id":"cus_1"})", {{"date", date}}), kReceived);
  REQUIRE(std::holds_alternative<Found>(result));
  return std::get<Found>(result).true_during;
}

}  // namespace

TEST_CASE("the request asks for one object of its collection") {
  const auto request = retrieve_request("customer", StripeId("cus_1"), Secret("sk_test_1"), kTimeout);
  CHECK(request.method == "GET");
  CHECK(request.path == "/v1/customers/cus_1");
  CHECK(request.api_key.reveal() == "sk_test_1");
  CHECK(request.timeout == kTimeout);
  CHECK(request.body.empty());
  CHECK(path_of("product", "prod_1") == "/v1/products/prod_1");
  CHECK(path_of("price", "price_1") == "/v1/prices/price_1");
  CHECK(path_of("plan", "gold") == "/v1/plans/gold");
  CHECK(path_of("subscription", "sub_1") == "/v1/subscriptions/sub_1");
}

TEST_CASE("an id cannot leave its place in the path") {
  CHECK(path_of("plan", "gold plan") == "/v1/plans/gold%20plan");
  CHECK(path_of("plan", "../customers") == "/v1/plans/%2E%2E%2Fcustomers");
  CHECK(path_of("plan", "a?limit=9#x\r\nHost: b") == "/v1/plans/a%3Flimit%3D9%23x%0D%0AHost%3A%20b");
  CHECK(path_of("plan", "ü") == "/v1/plans/%C3%BC");
  CHECK_THROWS_AS(path_of("customer", ""), std::invalid_argument);
  CHECK_THROWS_WITH(path_of("charge", "ch_1"), Contains("\"charge\""));
}

TEST_CASE("200 is the object, true from before the call began up to Stripe's date") {
  const auto result =
      classify_retrieve(answer(200, R"({"id":"cus_1"})", {{"date", "Sat, 21 Nov 2026 02:38:00 GMT"}}), kReceived);
  REQUIRE(std::holds_alternative<Found>(result));
  const auto& found = std::get<Found>(result);
  CHECK(found.object_json == R"({"id":"cus_1"})");
  const auto date = from_unix_seconds(1'795'228'680);
  CHECK(found.true_during.to == date);
  CHECK(found.true_during.from == date - std::chrono::milliseconds(1'250));
}

TEST_CASE("without a usable date our own clock stands in") {
  const TrueInterval own{kReceived - std::chrono::milliseconds(1'250), kReceived};
  const auto* date =
      GENERATE("", "now", "2026-11-21T02:38:00Z", "Sat, 31 Feb 2026 02:38:00 GMT", "Sat, 21 Nov 2026 25:38:00 GMT",
               "Sat, 21 Foo 2026 02:38:00 GMT", "Sat, 21 Nov 2026 02:38:00 CET", "Sat, x1 Nov 2026 02:38:00 GMT");
  CAPTURE(date);
  CHECK(interval(date) == own);
  CHECK(std::get<Found>(classify_retrieve(answer(200, "{}"), kReceived)).true_during == own);
}

TEST_CASE("404 means gone only when Stripe says so") {
  const std::string missing =
      R"({"error":{"code":"resource_missing","message":"No such customer: 'cus_1'","type":"invalid_request_error"}})";
  CHECK(std::holds_alternative<NotFound>(outcome(404, missing)));
  CHECK(std::holds_alternative<RetryLater>(outcome(404, "<html>Not Found</html>")));
  CHECK(std::holds_alternative<RetryLater>(outcome(404, "{}")));
  CHECK(std::holds_alternative<RetryLater>(outcome(404, "")));
}

TEST_CASE("refusals that stay refusals are told from those that pass") {
  for (const int status : {400, 401, 402, 403, 405, 410, 301}) {
    CAPTURE(status);
    CHECK(std::holds_alternative<CannotAsk>(outcome(status)));
  }
  for (const int status : {408, 409, 425, 429, 500, 502, 503, 504, 520}) {
    CAPTURE(status);
    CHECK(std::holds_alternative<RetryLater>(outcome(status)));
  }
}

TEST_CASE("200 without a JSON object is not an answer of Stripe's") {
  const auto* body = GENERATE("", "<html>", "[]", "{\"id\":");
  CHECK(std::holds_alternative<RetryLater>(outcome(200, body)));
}

TEST_CASE("a reason has status, type and code, but not Stripe's words, which may quote a key") {
  const auto result = outcome(401, R"({"error":{"type":"invalid_request_error","code":"api_key_expired",
      "message":"Expired API Key provided: sk_live_1234"}})");
  REQUIRE(std::holds_alternative<CannotAsk>(result));
  CHECK(std::get<CannotAsk>(result).reason == "Stripe answered 401 (invalid_request_error, api_key_expired)");
}

TEST_CASE("a call that did not end in an answer is repeated, unless the answer will always be too large") {
  using Kind = TransportError::Kind;
  for (const auto kind : {Kind::timeout, Kind::connect, Kind::connection_lost, Kind::tls, Kind::shutting_down}) {
    const auto result = classify_retrieve(tl::unexpected(TransportError{kind, "why"}), kReceived);
    REQUIRE(std::holds_alternative<RetryLater>(result));
    CHECK(std::get<RetryLater>(result).reason == "why");
  }
  CHECK(std::holds_alternative<CannotAsk>(
      classify_retrieve(tl::unexpected(TransportError{Kind::too_large, "why"}), kReceived)));
}
