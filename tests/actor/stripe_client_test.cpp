#include "actors/stripe_client.hpp"

#include <catch2/catch.hpp>

#include "stripe_client_fixture.hpp"

using namespace flexsync;
using namespace flexsync::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Fixture = ClientFixture;

}  // namespace

TEST_CASE("a call goes out with the tenant's key and its own timeout, and is answered with its outcome") {
  Fixture f;
  f.start();
  const auto read = f.ask("cus_1");
  const auto made = f.ask(kCreate);
  CHECK(f.get<stripe::Answered>(read).json == R"({"id":"cus_1"})");
  CHECK(f.outcome(made) == "Answered");
  REQUIRE(f.http.sent.size() == 2);
  const auto& get = f.http.sent[0].request;
  CHECK(get.method == "GET");
  CHECK(get.path == "/v1/customers/cus_1");
  CHECK(get.api_key.reveal() == "sk_test_1");
  CHECK(get.timeout == f.config.stripe_timeout);
  CHECK(get.headers.empty());
  const auto& post = f.http.sent[1].request;
  CHECK(post.method == "POST");
  CHECK(post.body == "name=Ada");
  CHECK(post.headers == Headers{{"Idempotency-Key", "key_1"}, {"Content-Type", "application/x-www-form-urlencoded"}});
  CHECK(f.metrics.stripe_calls("answered").Value() == 2);
  CHECK(f.metrics.stripe_seconds().Collect().histogram.sample_count == 2);
}

TEST_CASE("each answer comes to who asked, as the outcome that it is") {
  Fixture f;
  f.start();
  f.http.next(answer(404));
  f.http.next(answer(402));
  f.http.next(failure(Kind::too_large));
  CHECK(f.outcome(f.ask("cus_1")) == "NotFound");
  CHECK(f.get<stripe::Refused>(f.ask("cus_2")).message == "why");
  CHECK(f.outcome(f.ask(kCreate)) == "Unknown");
  CHECK(f.http.sent.size() == 3);
}

TEST_CASE("without a key, or when it cannot be read, no call is made") {
  Fixture f;
  f.start();
  f.key = Secret();
  CHECK(f.outcome(f.ask("cus_1")) == "NotConnected");
  f.key = fail(ErrorCode::service_unavailable, "no database");
  CHECK(f.get<stripe::RetryLater>(f.ask("cus_1")).reason == "no database");
  CHECK(f.http.sent.empty());
  f.key = Secret("sk_test_1");
  CHECK(f.outcome(f.ask("cus_1")) == "Answered");
}

// --- again --------------------------------------------------------------------------------------------------------

TEST_CASE("what may pass is made again, with the same key and bytes") {
  Fixture f;
  f.start();
  f.http.next(failure(Kind::timeout));
  f.http.next(answer(500));
  f.http.next(answer(409));
  const auto call = f.ask(kCreate);
  f.advance(milliseconds(950));
  CHECK(f.http.sent.size() == 1);
  f.advance(seconds(10));
  CHECK(f.outcome(call) == "Answered");
  REQUIRE(f.http.sent.size() == 4);
  for (const auto& again : f.http.sent) {
    CHECK(again.request.path == "/v1/customers");
    CHECK(again.request.body == "name=Ada");
    CHECK(again.request.headers.at("Idempotency-Key") == "key_1");
  }
  CHECK(f.http.sent[2].at - f.http.sent[1].at >= seconds(2));
  CHECK(f.http.sent[3].at - f.http.sent[2].at >= seconds(3));
}

TEST_CASE("after its retries a call is over") {
  Fixture f;
  f.start();
  SECTION("5xx: nobody can tell, and the key may only be repeated") {
    f.config.stripe_breaker.failures_to_open = 100;
    f.http.usual = answer(500);
    const auto call = f.ask(kCreate);
    f.advance(seconds(30));
    CHECK(f.get<stripe::Unknown>(call).stored);
    CHECK(f.http.sent.size() == 4);
  }
  SECTION("429: it did not happen") {
    f.http.usual = answer(429);
    const auto call = f.ask(kCreate);
    f.advance(seconds(59));
    CHECK(f.outcome(call) == "RetryLater");
    CHECK(f.http.sent.size() == 6);
  }
  SECTION("no connection: it did not happen") {
    f.http.usual = failure(Kind::connect);
    const auto call = f.ask(kCreate);
    f.advance(seconds(30));
    CHECK(f.outcome(call) == "RetryLater");
    CHECK(f.http.sent.size() == 4);
  }
}

TEST_CASE("Stripe-Should-Retry is obeyed") {
  Fixture f;
  f.start();
  SECTION("false") {
    f.http.next(answer(500, kNoRetry));
    f.http.next(answer(429, {{"stripe-should-retry", "false"}, {"retry-after", "20"}}));
    CHECK(f.outcome(f.ask(kCreate)) == "Unknown");
    const auto limited = f.get<stripe::RetryLater>(f.ask("cus_1"));
    CHECK(limited.not_before == f.clock.now() + seconds(20));
    f.advance(seconds(30));
    CHECK(f.http.sent.size() == 2);
  }
  SECTION("true, of a refusal") {
    f.http.next(answer(400, {{"stripe-should-retry", "true"}}));
    const auto call = f.ask(kCreate);
    CHECK(f.outcome(call).empty());
    f.advance(seconds(2));
    CHECK(f.outcome(call) == "Answered");
  }
  SECTION("true, of a refusal that stays one") {
    f.http.usual = answer(400, {{"stripe-should-retry", "true"}});
    const auto call = f.ask(kCreate);
    f.advance(seconds(30));
    CHECK(f.outcome(call) == "Refused");
    CHECK(f.http.sent.size() == 4);
  }
}

TEST_CASE("Retry-After is waited for, where the deadline allows it") {
  Fixture f;
  f.start();
  f.http.next(answer(429, {{"retry-after", "40"}}), 2);
  const auto call = f.ask(kCreate);
  f.advance(milliseconds(39'900));
  CHECK(f.http.sent.size() == 1);
  f.advance(milliseconds(200));
  CHECK(f.http.sent.size() == 2);
  CHECK(f.get<stripe::RetryLater>(call).not_before >= f.http.sent[1].at + seconds(40));
  f.advance(seconds(60));
  CHECK(f.http.sent.size() == 2);
}

TEST_CASE("after an attempt that may have been carried out, nothing makes the outcome certain but an answer") {
  Fixture f;
  f.start();
  f.http.next(failure(Kind::connection_lost));
  SECTION("not 429s") {
    f.http.usual = answer(429);
  }
  SECTION("not a refused connection") {
    f.http.usual = failure(Kind::connect);
  }
  SECTION("not a key that is no longer accepted") {
    f.http.usual = answer(401);
  }
  const auto call = f.ask(kCreate);
  f.advance(seconds(60));
  CHECK(f.http.sent.size() > 1);
  CHECK(f.outcome(call) == "Unknown");
}

TEST_CASE("while it waits to be made again, others' failures do not make it certain") {
  Fixture f;
  f.start();
  f.http.next(answer(500));
  const auto call = f.ask(kCreate);
  CHECK(f.outcome(call).empty());
  SECTION("a key that is no longer accepted") {
    f.http.next(answer(401));
    CHECK(f.outcome(f.ask("cus_1")) == "NotConnected");
  }
  SECTION("an open breaker") {
    f.http.next(answer(500, kNoRetry), 4);
    for (int i = 0; i < 4; ++i) {
      f.ask("cus_1");
    }
  }
  SECTION("a connection that is taken away") {
    f.rekey("");
  }
  CHECK(f.get<stripe::Unknown>(call).stored);
}

TEST_CASE("a clock that is set back does not stop the retries") {
  Fixture f;
  f.start();
  f.http.next(answer(500));
  const auto call = f.ask(kCreate);
  f.clock.advance(-seconds(10));
  f.advance(seconds(12));
  CHECK(f.outcome(call) == "Answered");
}

// --- the end ------------------------------------------------------------------------------------------------------

TEST_CASE("when it dies, whoever waits is answered, and late answers disturb nobody") {
  Fixture f;
  f.config.stripe_calls_max = 2;
  f.http.hold = true;
  f.start();
  f.http.next(failure(Kind::connection_lost));
  const auto lost = f.ask(kCreate);
  f.release();
  const auto in_flight = f.ask("cus_1");
  const auto in_flight_too = f.ask("cus_2");
  const auto waits = f.ask("cus_3");
  caf::anon_send_exit(f.client, caf::exit_reason::user_shutdown);
  f.run();
  CHECK(f.outcome(lost) == "Unknown");
  CHECK(f.outcome(in_flight) == "Unknown");
  CHECK(f.outcome(in_flight_too) == "Unknown");
  CHECK(f.outcome(waits) == "RetryLater");
  CHECK(f.errors == 0);
  f.release();
  f.release();
  CHECK(f.outcome(in_flight) == "Unknown");
}
