// When the Stripe client does not call: the breaker, the buckets, what is in flight.
#include <catch2/catch.hpp>

#include "stripe_client_fixture.hpp"

using namespace flexsync;
using namespace flexsync::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Fixture = ClientFixture;

struct OpenBreaker : Fixture {
  OpenBreaker() {
    start();
    http.next(answer(503, kNoRetry), config.stripe_breaker.failures_to_open);
    for (int i = 0; i < config.stripe_breaker.failures_to_open; ++i) {
      CHECK(outcome(ask("cus_" + std::to_string(i))) == "Unknown");
    }
    http.sent.clear();
  }
};

}  // namespace

// --- the breaker --------------------------------------------------------------------------------------------------

TEST_CASE("after failures in a row Stripe is not asked: callers are told so at once, with the time") {
  OpenBreaker f;
  CHECK(f.shown_open());
  const auto refused = f.get<stripe::RetryLater>(f.ask("cus_1"));
  CHECK(refused.not_before == f.clock.now() + f.config.stripe_breaker.open_base);
  CHECK(f.http.sent.empty());
}

TEST_CASE("half open, one call goes out, the others wait for what becomes of it") {
  OpenBreaker f;
  f.advance(f.config.stripe_breaker.open_base);
  f.http.hold = true;
  const auto probe = f.ask("cus_1");
  const auto other = f.ask("cus_2");
  f.advance(seconds(5));
  CHECK(f.http.paths() == std::vector<std::string>{"cus_1"});
  SECTION("it works: all goes on") {
    f.release();
    CHECK(f.outcome(probe) == "Answered");
    CHECK_FALSE(f.shown_open());
    f.release();
    CHECK(f.outcome(other) == "Answered");
    CHECK(f.http.sent.size() == 2);
  }
  SECTION("it fails: open, for longer") {
    f.http.next(failure(Kind::timeout));
    f.release();
    CHECK(f.outcome(probe) == "Unknown");
    CHECK(f.get<stripe::RetryLater>(other).not_before == f.clock.now() + 2 * f.config.stripe_breaker.open_base);
    CHECK(f.http.sent.size() == 1);
    CHECK(f.shown_open());
  }
  SECTION("the rate limiter tells it off: the next one is the probe") {
    f.http.next(answer(429, kNoRetry));
    f.release();
    CHECK(f.outcome(probe) == "RetryLater");
    CHECK(f.shown_open());
    f.advance(seconds(5));
    CHECK(f.http.paths() == std::vector<std::string>{"cus_1", "cus_2"});
    f.release();
    CHECK(f.outcome(other) == "Answered");
    CHECK_FALSE(f.shown_open());
  }
}

TEST_CASE("what was on its way when the breaker opened neither opens it for longer nor ends the probe") {
  Fixture f;
  f.config.stripe_rates = {100, 100, 100, 100};  // whose bursts let seven go at once
  f.start();
  f.http.hold = true;
  for (int i = 0; i < 7; ++i) {
    f.ask("cus_" + std::to_string(i));
  }
  f.http.next(answer(503, kNoRetry), 7);
  for (int i = 0; i < 5; ++i) {
    f.release();
  }
  CHECK(f.shown_open());
  f.advance(milliseconds(900));
  f.release();
  f.advance(milliseconds(100));
  const auto probe = f.ask("cus_7");
  const auto other = f.ask("cus_8");
  f.release();  // the seventh
  f.advance(milliseconds(200));
  CHECK(f.http.sent.size() == 8);
  CHECK(f.outcome(other).empty());
  f.release();
  CHECK(f.outcome(probe) == "Answered");
}

TEST_CASE("refusals and rate limits do not open the breaker") {
  Fixture f;
  f.start();
  f.http.usual = GENERATE(answer(400), answer(404), answer(429, kNoRetry));
  for (int i = 0; i < 10; ++i) {
    f.ask("cus_1");
    f.advance(seconds(1));
  }
  CHECK(f.http.sent.size() == 10);
  CHECK_FALSE(f.shown_open());
}

// --- limits -------------------------------------------------------------------------------------------------------

TEST_CASE("when the bucket is nearly empty, higher lanes go first") {
  Fixture f;
  f.start();
  for (int i = 0; i < 5; ++i) {  // the burst of 20 a second
    f.ask("cus_1");
  }
  f.http.sent.clear();
  f.ask("bulk", Lane::bulk);
  f.ask("usage", Lane::usage);
  f.ask("sync", Lane::sync);
  f.ask("interactive", Lane::interactive);
  CHECK(f.http.sent.empty());
  f.advance(seconds(1));
  CHECK(f.http.paths() == std::vector<std::string>{"interactive", "sync", "usage", "bulk"});
  CHECK(f.http.sent[3].at - f.http.sent[2].at >= milliseconds(100));  // it leaves two of the five
}

TEST_CASE("a live key has the live mode's rate, of each endpoint its own") {
  Fixture f;
  f.key = Secret("rk_live_1");
  f.start();
  auto create = kCreate;
  create.lane = Lane::interactive;
  for (int i = 0; i < 30; ++i) {
    f.ask("cus_1");
    f.ask(create);
  }
  CHECK(f.http.sent.size() == 10);  // two bursts
  f.advance(seconds(1));
  CHECK(f.http.sent.size() == 50);
}

TEST_CASE("only so many are in flight; what waits goes by lane, then in order") {
  Fixture f;
  f.config.stripe_calls_max = 2;
  f.http.hold = true;
  f.start();
  for (const auto* id : {"a", "b", "c", "d"}) {
    f.ask(id, Lane::sync);
  }
  f.ask("e", Lane::interactive);
  CHECK(f.http.paths() == std::vector<std::string>{"a", "b"});
  f.release();
  CHECK(f.http.paths() == std::vector<std::string>{"a", "b", "e"});
  for (int i = 0; i < 4; ++i) {
    f.release();
  }
  CHECK(f.http.paths() == std::vector<std::string>{"a", "b", "e", "c", "d"});
  CHECK(f.answers.size() == 5);
}

TEST_CASE("a lane that is full refuses, the others do not") {
  Fixture f;
  f.config.stripe_calls_max = 1;
  f.config.stripe_queue_max = 2;
  f.http.hold = true;
  f.start();
  for (int i = 0; i < 3; ++i) {
    f.ask("cus_1", Lane::sync);
  }
  CHECK(f.outcome(f.ask("cus_2", Lane::sync)) == "RetryLater");
  const auto other = f.ask("cus_3", Lane::bulk);
  CHECK(f.outcome(other).empty());
  f.http.hold = false;
  f.release();
  f.advance(seconds(1));
  CHECK(f.outcome(other) == "Answered");
  CHECK(f.http.sent.size() == 4);
}

TEST_CASE("who waits past the deadline is answered, and not sent") {
  Fixture f;
  f.config.stripe_calls_max = 1;
  f.http.hold = true;
  f.start();
  f.ask("cus_1");
  const auto waits = f.ask("cus_2");
  f.advance(seconds(59));
  CHECK(f.outcome(waits).empty());
  f.advance(seconds(1));
  CHECK(f.outcome(waits) == "RetryLater");
  f.release();
  CHECK(f.http.sent.size() == 1);
}

TEST_CASE("an attempt gets no more time than its call has left") {
  Fixture f;
  f.start();
  f.http.next(answer(503, {{"retry-after", "50"}}));
  f.ask("cus_1");
  f.advance(seconds(51));
  REQUIRE(f.http.sent.size() == 2);
  CHECK(f.http.sent[1].request.timeout == seconds(60) - (f.http.sent[1].at - f.http.sent[0].at));
}
