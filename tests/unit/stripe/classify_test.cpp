#include "stripe/classify.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace flexsync;
using namespace flexsync::stripe;
using Catch::Matchers::Contains;
using nlohmann::json;
using std::chrono::seconds;
using Kind = TransportError::Kind;
using Headers = std::map<std::string, std::string>;

namespace {

const Timestamp kReceived = from_unix_seconds(1'795'228'690);
const Call kGet = retrieve("customer", StripeId("cus_1"));
const Call kPost = create_customer("name=Ada", "key_1");

std::string error(const std::string& type, const std::string& code = "", const std::string& message = "",
                  const std::string& param = "") {
  return json{{"error", {{"type", type}, {"code", code}, {"message", message}, {"param", param}}}}.dump();
}

const std::string kInvalid = error("invalid_request_error");

Verdict verdict(int status, std::string body = kInvalid, Headers headers = {}, const Call& call = kPost) {
  return classify(HttpResponse{status, std::move(headers), std::move(body), std::chrono::milliseconds(250)}, call,
                  kReceived);
}

Verdict failure(Kind kind, const Call& call) {
  return classify(tl::unexpected(TransportError{kind, "why"}), call, kReceived);
}

template <class Outcome>
Outcome outcome(const Verdict& verdict) {
  REQUIRE(std::holds_alternative<Outcome>(verdict.outcome));
  return std::get<Outcome>(verdict.outcome);
}

// "Unknown stored, same_again, unhealthy": everything but the words.
std::string summary(const Verdict& verdict) {
  static constexpr std::array kOutcomes = {"Answered", "NotFound", "Refused", "NotConnected", "RetryLater", "Unknown"};
  static constexpr std::array kRepeats = {"never", "rate_limited", "same_again"};
  static constexpr std::array kLimits = {"", ", whole", ", endpoint", ", object"};
  const auto* unknown = std::get_if<Unknown>(&verdict.outcome);
  return std::string(kOutcomes.at(verdict.outcome.index())) + (unknown && unknown->stored ? " stored" : "") + ", " +
         kRepeats.at(static_cast<std::size_t>(verdict.repeat)) + kLimits.at(static_cast<std::size_t>(verdict.limited)) +
         (verdict.unhealthy ? ", unhealthy" : "");
}

TrueInterval interval(const std::string& date) {
  return outcome<Answered>(verdict(200, "{}", {{"date", date}})).true_during;
}

}  // namespace

TEST_CASE("2xx is the object, true from before the call began up to Stripe's date") {
  const auto answered =
      outcome<Answered>(verdict(200, R"({"id":"cus_1"})", {{"date", "Sat, 21 Nov 2026 02:38:00 GMT"}}));
  CHECK(answered.json == R"({"id":"cus_1"})");
  const auto date = from_unix_seconds(1'795'228'680);
  CHECK(answered.true_during.to == date);
  CHECK(answered.true_during.from == date - std::chrono::milliseconds(1'250));
  CHECK_FALSE(answered.replayed);
  CHECK(summary(verdict(201, " {}\n")) == "Answered, never");
}

TEST_CASE("without a usable date our own clock stands in") {
  const TrueInterval own{kReceived - std::chrono::milliseconds(1'250), kReceived};
  CHECK(interval("") == own);
  CHECK(interval("2026-11-21T02:38:00Z") == own);
  CHECK(interval("Sat, 31 Feb 2026 02:38:00 GMT") == own);
  CHECK(outcome<Answered>(verdict(200, "{}")).true_during == own);
}

TEST_CASE("what Stripe kept under a key is told from what is so now") {
  CHECK(outcome<Answered>(verdict(200, "{}", {{"idempotent-replayed", "true"}})).replayed);
  CHECK_FALSE(outcome<Answered>(verdict(200, "{}", {{"idempotent-replayed", "false"}})).replayed);
}

TEST_CASE("2xx without a JSON object is not an answer of Stripe's") {
  const auto* body = GENERATE("", "<html>", "[]", "null", "5", "{\"id\":", "{} {}", "{\"id\":\"\xFF\"}");
  CAPTURE(body);
  CHECK(summary(verdict(200, body)) == "Unknown, same_again, unhealthy");
}

TEST_CASE("each status says whether it happened, and what to do") {
  for (const int status : {301, 400, 402, 403, 405, 410, 424}) {
    CAPTURE(status);
    CHECK(summary(verdict(status)) == "Refused, never");
  }
  for (const int status : {500, 502, 503, 504, 520}) {
    CAPTURE(status);
    CHECK(summary(verdict(status, error("api_error"))) == "Unknown stored, same_again, unhealthy");
    CHECK(summary(verdict(status, "<html>")) == "Unknown stored, same_again, unhealthy");
  }
  for (const int status : {408, 425}) {
    CAPTURE(status);
    CHECK(summary(verdict(status, "<html>")) == "Unknown, same_again, unhealthy");
  }
  CHECK(summary(verdict(401)) == "NotConnected, never");
  CHECK(summary(verdict(409, error("idempotency_error", "idempotency_key_in_use"))) == "Unknown, same_again");
}

TEST_CASE("404 means gone only when Stripe says so") {
  const auto missing = error("invalid_request_error", "resource_missing", "No such customer: 'cus_1'", "id");
  CHECK(outcome<NotFound>(verdict(404, missing)).message == "No such customer: 'cus_1'");
  CHECK(summary(verdict(404, missing)) == "NotFound, never");
  const auto* body = GENERATE("<html>Not Found</html>", "{}", "", "[]", R"({"error":"gone"})");
  CAPTURE(body);
  CHECK(summary(verdict(404, body)) == "RetryLater, same_again, unhealthy");
}

TEST_CASE("a 429 was not carried out, and says which rate was too high") {
  const auto limited = [](const std::string& reason) {
    return summary(
        verdict(429, error("invalid_request_error", "rate_limit"), {{"stripe-rate-limited-reason", reason}}));
  };
  CHECK(limited("") == "RetryLater, rate_limited, whole");
  CHECK(limited("global-rate") == "RetryLater, rate_limited, whole");
  CHECK(limited("global-concurrency") == "RetryLater, rate_limited, whole");
  CHECK(limited("endpoint-rate") == "RetryLater, rate_limited, endpoint");
  CHECK(limited("endpoint-concurrency") == "RetryLater, rate_limited, endpoint");
  CHECK(limited("resource-specific") == "RetryLater, rate_limited, object");
  CHECK(summary(verdict(429, "<html>")) == "RetryLater, rate_limited, whole");
  CHECK(summary(verdict(429, error("invalid_request_error", "lock_timeout"))) == "RetryLater, rate_limited, object");
}

TEST_CASE("Stripe-Should-Retry comes first") {
  const Headers yes{{"stripe-should-retry", "true"}};
  const Headers no{{"stripe-should-retry", "false"}};
  CHECK(summary(verdict(400, kInvalid, yes)) == "Refused, same_again");
  CHECK(summary(verdict(429, kInvalid, yes)) == "RetryLater, rate_limited, whole");
  CHECK(summary(verdict(500, kInvalid, yes)) == "Unknown stored, same_again, unhealthy");
  CHECK(summary(verdict(400, kInvalid, no)) == "Refused, never");
  CHECK(summary(verdict(409, kInvalid, no)) == "Unknown, never");
  CHECK(summary(verdict(429, kInvalid, no)) == "RetryLater, never, whole");
  CHECK(summary(verdict(500, kInvalid, no)) == "Unknown stored, never, unhealthy");
  CHECK(summary(verdict(500, kInvalid, {{"stripe-should-retry", "perhaps"}})) ==
        "Unknown stored, same_again, unhealthy");
}

TEST_CASE("Retry-After is seconds, within reason") {
  const auto wanted = [](const std::string& text) {
    return verdict(429, kInvalid, {{"retry-after", text}}).retry_after;
  };
  CHECK(wanted("0") == seconds(0));
  CHECK(wanted("7") == seconds(7));
  CHECK(wanted("999999999") == seconds(3'600));
  CHECK(verdict(503, kInvalid, {{"retry-after", "7"}}).retry_after == seconds(7));
  CHECK_FALSE(verdict(429).retry_after);
  const auto* text = GENERATE("", "-1", "soon", "1.5", "7 ", "Sat, 21 Nov 2026 02:38:00 GMT", "99999999999999999999");
  CAPTURE(text);
  CHECK_FALSE(wanted(text));
}

TEST_CASE("a refusal carries Stripe's own words") {
  const auto refused = outcome<Refused>(verdict(400, error("card_error", "email_invalid", "Invalid email", "email")));
  CHECK(refused.code == "email_invalid");
  CHECK(refused.message == "Invalid email");
  CHECK(refused.param == "email");
  CHECK(outcome<Refused>(verdict(400)).code == "invalid_request_error");
  CHECK(outcome<Refused>(verdict(400)).message == "Stripe answered 400 (invalid_request_error)");
  CHECK(outcome<Refused>(verdict(400, R"({"error":{"code":5,"message":null}})")).message == "Stripe answered 400");
}

TEST_CASE("long words are shortened, and no character is cut in two") {
  std::string words = "x";
  for (int i = 0; i < 400; ++i) {
    words += "ü";
  }
  const auto message = outcome<Refused>(verdict(400, error("card_error", "", words))).message;
  CHECK(message == words.substr(0, 499));
  CHECK_NOTHROW(json(message).dump());
}

TEST_CASE("a key that is not accepted is not quoted") {
  const auto reason = outcome<NotConnected>(verdict(401, error("invalid_request_error", "api_key_expired",
                                                               "Expired API Key provided: sk_live_1234")))
                          .reason;
  CHECK_THAT(reason, Contains("401 (api_key_expired)") && !Contains("sk_live"));
}

TEST_CASE("a call that did not end in an answer: what was not sent did not happen, of all else nobody knows") {
  for (const auto& call : {kGet, kPost, delete_customer(StripeId("cus_1"))}) {
    CAPTURE(call.method);
    CHECK(summary(failure(Kind::connect, call)) == "RetryLater, same_again, unhealthy");
    CHECK(summary(failure(Kind::tls, call)) == "RetryLater, same_again, unhealthy");
    CHECK(summary(failure(Kind::timeout, call)) == "Unknown, same_again, unhealthy");
    CHECK(summary(failure(Kind::connection_lost, call)) == "Unknown, same_again, unhealthy");
    CHECK(summary(failure(Kind::shutting_down, call)) == "Unknown, never");
  }
  CHECK(outcome<RetryLater>(failure(Kind::connect, kPost)).reason == "why");
  CHECK(outcome<Unknown>(failure(Kind::timeout, kPost)).reason == "why");
}

TEST_CASE("an answer that is too large stays too large, but what it answers to has happened") {
  CHECK(summary(failure(Kind::too_large, kGet)) == "Refused, never");
  CHECK(outcome<Refused>(failure(Kind::too_large, kGet)).code == "response_too_large");
  CHECK(summary(failure(Kind::too_large, kPost)) == "Unknown, never");
}
