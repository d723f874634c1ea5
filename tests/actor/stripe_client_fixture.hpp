// A Stripe client on the deterministic coordinator, before a Stripe that answers by script.
#pragma once

#include <array>
#include <catch2/catch.hpp>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "actors/stripe_client.hpp"
#include "support/actor_fixture.hpp"

namespace flexsync::test {

using namespace actors;
using stripe::Call;
using stripe::CallOutcome;
using stripe::HttpResult;
using stripe::Lane;
using Kind = stripe::TransportError::Kind;
using Headers = std::map<std::string, std::string>;

using Asker = caf::typed_actor<caf::reacts_to<wake_atom>>;

inline HttpResult answer(int status, Headers headers = {}) {
  const auto* body = status < 300 ? R"({"id":"cus_1"})" : R"({"error":{"type":"some_error","message":"why"}})";
  return stripe::HttpResponse{status, std::move(headers), body, std::chrono::milliseconds(100)};
}

inline HttpResult failure(Kind kind) {
  return tl::unexpected(stripe::TransportError{kind, "told to fail"});
}

inline const Headers kNoRetry{{"stripe-should-retry", "false"}};

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

struct ClientFixture : ActorFixture {
  ClientFixture() { stripe = &http; }

  void start() { client = own(system.spawn(stripe_client, services(), kTenant)); }

  // The number of the question; what comes back is in `answers` under it.
  std::size_t ask(Call call, stripe_client_actor whom) {
    const auto number = asked++;
    const auto asker = own(system.spawn([=, this](Asker::pointer self) {
      return Asker::behavior_type{[=, this](wake_atom) {
        self->request(whom, std::chrono::seconds{600}, call_atom::value, std::make_shared<const Call>(call))
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

inline const Call kCreate = stripe::create_customer("name=Ada", "key_1");

}  // namespace flexsync::test
