// A key that Stripe does not accept, and one that is changed.
#include <catch2/catch.hpp>

#include "stripe_client_fixture.hpp"

using namespace flexsync;
using namespace flexsync::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Fixture = ClientFixture;

}  // namespace

TEST_CASE("a key that is not accepted: in an hour of a call a second at most one attempt a minute") {
  Fixture f;
  f.http.usual = answer(401);
  f.start();
  for (int second = 0; second < 3'600; ++second) {
    CHECK(f.outcome(f.ask("cus_1")) == "NotConnected");
    f.clock.advance(seconds(1));
    f.scheduler.advance_time(seconds(1));
    f.run();
  }
  CHECK(f.http.sent.size() == 60);
  for (std::size_t i = 1; i < f.http.sent.size(); ++i) {
    CHECK(f.http.sent[i].at - f.http.sent[i - 1].at >= seconds(60));
  }
  CHECK(f.shown_paused());
}

TEST_CASE("a probe that goes through ends the pause, one that tells nothing about the key does not") {
  Fixture f;
  f.http.next(answer(401));
  f.start();
  f.ask("cus_1");
  f.advance(seconds(60));
  SECTION("accepted") {
    CHECK(f.outcome(f.ask("cus_1")) == "Answered");
    CHECK(f.outcome(f.ask("cus_1")) == "Answered");
    CHECK_FALSE(f.shown_paused());
  }
  SECTION("a 429, a 500, no connection") {
    f.http.next(GENERATE(answer(429), answer(500), failure(Kind::connect)));
    CHECK_FALSE(f.outcome(f.ask("cus_1")).empty());  // without retries
    CHECK(f.outcome(f.ask("cus_1")) == "NotConnected");
    CHECK(f.http.sent.size() == 2);
    CHECK(f.shown_paused());
  }
}

TEST_CASE("a pause answers who waits, and what was on its way is not made again") {
  Fixture f;
  f.config.stripe_calls_max = 2;
  f.http.hold = true;
  f.start();
  const auto first = f.ask("cus_1");
  const auto failing = f.ask(kCreate);
  const auto waits = f.ask("cus_2");
  f.http.next(answer(401));
  f.http.next(GENERATE(answer(500), answer(429)));
  f.release();
  CHECK(f.outcome(first) == "NotConnected");
  CHECK(f.outcome(waits) == "NotConnected");
  f.release();
  CHECK_FALSE(f.outcome(failing).empty());
  f.advance(seconds(59));
  CHECK(f.http.sent.size() == 2);
}

TEST_CASE("another key, or the word that the connection was changed, ends the pause at once") {
  Fixture f;
  f.http.next(answer(401));
  f.start();
  f.ask("cus_1");
  SECTION("another key") {
    f.key = Secret("sk_test_2");
  }
  SECTION("the word, with another key") {
    f.rekey("sk_test_2");
  }
  SECTION("the word alone") {
    f.rekey("sk_test_1");
  }
  CHECK(f.outcome(f.ask("cus_1")) == "Answered");
  CHECK(f.http.sent.back().request.api_key.reveal() == f.key->reveal());
  CHECK_FALSE(f.shown_paused());
}

TEST_CASE("what waits when the key is changed goes out with the new one") {
  Fixture f;
  f.start();
  f.http.next(answer(500));
  const auto call = f.ask(kCreate);
  f.rekey("sk_test_2");
  f.advance(seconds(2));
  CHECK(f.outcome(call) == "Answered");
  REQUIRE(f.http.sent.size() == 2);
  CHECK(f.http.sent[1].request.api_key.reveal() == "sk_test_2");
}

TEST_CASE("that the former key is not accepted says nothing of the new one") {
  Fixture f;
  f.start();
  f.http.hold = true;
  const auto call = f.ask("cus_1");
  f.rekey("sk_test_2");
  f.http.next(answer(401));
  f.release();
  CHECK_FALSE(f.shown_paused());
  f.release();
  CHECK(f.outcome(call) == "Answered");
  REQUIRE(f.http.sent.size() == 2);
  CHECK(f.http.sent[1].request.api_key.reveal() == "sk_test_2");
}

TEST_CASE("one tenant's pause and breaker are not another's") {
  Fixture f;
  f.start();
  const auto other = f.own(f.system.spawn(stripe_client, f.services(), kOtherTenant));
  SECTION("paused") {
    f.http.next(answer(401));
    f.ask("cus_1");
  }
  SECTION("open") {
    f.http.next(answer(500, kNoRetry), 5);
    for (int i = 0; i < 5; ++i) {
      f.ask("cus_1");
    }
  }
  const auto before = f.http.sent.size();
  CHECK(f.outcome(f.ask("cus_1")) != "Answered");
  CHECK(f.http.sent.size() == before);
  CHECK(f.outcome(f.ask(kCreate, other)) == "Answered");
}
