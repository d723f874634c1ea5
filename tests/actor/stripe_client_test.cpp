#include "actors/stripe_client.hpp"

#include <catch2/catch.hpp>
#include <deque>

#include "support/actor_fixture.hpp"

using namespace flexsync;
using namespace flexsync::actors;
using namespace flexsync::test;
using std::chrono::milliseconds;
using std::chrono::seconds;
using stripe::Call;
using stripe::CallOutcome;
using stripe::HttpResult;
using stripe::Lane;
using Kind = stripe::TransportError::Kind;
using Headers = std::map<std::string, std::string>;

namespace {

using Asker = caf::typed_actor<caf::reacts_to<wake_atom>>;

HttpResult answer(int status, Headers headers = {}) {
  const auto* body = status < 300 ? R"({"id":"cus_1"})" : R"({"error":{"type":"some_error","message":"why"}})";
  return stripe::HttpResponse{status, std::move(headers), body, milliseconds(100)};
}

HttpResult failure(Kind kind) {
  return tl::unexpected(stripe::TransportError{kind, "told to fail"});
}

const Headers kNoRetry{{"stripe-should-retry", "false"}};

// Answers from its script, then 200; at once, or when it is told to.
struct ScriptedStripe final : stripe::Transport {
  struct Sent {
    stripe::HttpRequest request;
    Timestamp at;
  };

  explicit ScriptedStripe(const Clock& test_clock) : clock(test_clock) {}

  void send(stripe::HttpRequest request, std::function<void(HttpResult)> reply) override {
    sent.push_back({std::move(request), clock.now()});
    waiting.push_back(std::move(reply));
    if (!hold) {
      release();
    }
  }
  void next(const HttpResult& result, int times = 1) {
    script.insert(script.end(), static_cast<size_t>(times), result);
  }
  // The oldest that waits is answered.
  void release() {
    const auto reply = waiting.front();
    waiting.pop_front();
    auto result = usual;
    if (!script.empty()) {
      result = script.front();
      script.pop_front();
    }
    reply(result);
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& one : sent) {
      all.push_back(one.request.path.substr(one.request.path.rfind('/') + 1));
    }
    return all;
  }

  const Clock& clock;
  HttpResult usual = answer(200);
  std::deque<HttpResult> script;
  std::deque<std::function<void(HttpResult)>> waiting;
  std::vector<Sent> sent;
  bool hold = false;
};

struct Fixture : ActorFixture {
  Fixture() { stripe = &http; }

  void start() { client = own(system.spawn(stripe_client, services(), kTenant)); }

  // The number of the question; what comes back is in `answers` under it.
  std::size_t ask(Call call, stripe_client_actor whom) {
    const auto number = asked++;
    const auto asker = own(system.spawn([=, this](Asker::pointer self) {
      return Asker::behavior_type{[=, this](wake_atom) {
        self->request(whom, seconds{600}, call_atom::value, std::make_shared<const Call>(call))
            .then([=, this](const CallOutcomePtr& outcome) { answers[number].push_back(*outcome); },
                  [this](const caf::error&) { ++errors; });
      }};
    }));
    caf::anon_send(asker, wake_atom::value);
    run();
    return number;
  }
  std::size_t ask(Call call) { return ask(std::move(call), client); }
  std::size_t ask(const std::string& id, Lane lane = Lane::interactive) {
    auto call = stripe::retrieve("customer", StripeId(id));
    call.lane = lane;
    return ask(call);
  }
  void release() {
    http.release();
    run();
  }
  void rekey(const std::string& value) {
    key = Secret(value);
    caf::anon_send(client, rekeyed_atom::value);
    run();
  }

  // "" as long as there is none.
  std::string outcome(std::size_t number) {
    static constexpr std::array kNames = {"Answered", "NotFound", "Refused", "NotConnected", "RetryLater", "Unknown"};
    const auto& got = answers[number];
    CHECK(got.size() <= 1);
    return got.empty() ? "" : kNames.at(got.front().index());
  }
  template <class Outcome>
  Outcome get(std::size_t number) {
    REQUIRE(answers[number].size() == 1);
    REQUIRE(std::holds_alternative<Outcome>(answers[number].front()));
    return std::get<Outcome>(answers[number].front());
  }
  bool shown_paused() { return metrics.stripe_paused("tenant_1", "env_1").Value() == 1; }
  bool shown_open() { return metrics.stripe_breaker_open("tenant_1", "env_1").Value() == 1; }

  ScriptedStripe http{clock};
  stripe_client_actor client;
  std::size_t asked = 0;
  std::map<std::size_t, std::vector<CallOutcome>> answers;
  int errors = 0;
};

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

const Call kCreate = stripe::create_customer("name=Ada", "key_1");

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
  for (int i = 0; i < f.config.stripe_rates.test_per_second; ++i) {
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
  CHECK(f.http.sent[3].at - f.http.sent[0].at >= milliseconds(500));  // it leaves half of the burst
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
  CHECK(f.http.sent.size() == 40);
  f.advance(seconds(1));
  CHECK(f.http.sent.size() == 60);
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

// --- the connection -----------------------------------------------------------------------------------------------

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
