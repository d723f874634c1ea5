// The only way to Stripe for one tenant and environment: lanes, token buckets, a circuit breaker, retries.
//
// A call waits in its lane until it may go: the breaker is closed, the buckets have a token, there is room in flight.
// What fails in a way that may pass is made again, with the same key and bytes, until its retries or its deadline are
// over; the caller gets one outcome. A key that Stripe does not accept pauses the connection: every call is answered
// at once, but for one a minute, which probes.
#pragma once

#include <array>
#include <caf/response_promise.hpp>
#include <caf/typed_response_promise.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/actor_metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"
#include "stripe/classify.hpp"

namespace flexsync::actors {

struct stripe_client_state {
  using pointer = stripe_client_actor::stateful_pointer<stripe_client_state>;
  using promise = caf::typed_response_promise<CallOutcomePtr>;

  static constexpr const char* name = "stripe_client";

  ~stripe_client_state();  // answers what is outstanding: a dropped promise never would be

  void init(pointer self_pointer, ServicesPtr used_services, Scope own_scope);
  promise call(StripeCallPtr wanted);
  void on_rekeyed();
  void on_keyed(std::uint64_t id, const Result<Secret>& key);
  void on_answered(std::uint64_t id, const stripe::HttpResult& result);
  void on_tick();

  pointer self = nullptr;
  ServicesPtr services;
  Scope scope;
  std::optional<ActorMetrics> metrics;

 private:
  static constexpr std::chrono::milliseconds kTickMin{1};
  static constexpr const char* kNoKey = "the connection has no Stripe secret key";
  static constexpr const char* kBreakerOpen = "Stripe is not asked after failures in a row";

  struct Work {
    StripeCallPtr call;
    promise answer;
    Timestamp deadline;
    Timestamp not_before;  // of the next attempt
    int retries = 0;
    bool in_flight = false;
    bool probes = false;                     // the one call that a paused connection lets through
    bool tries_breaker = false;              // its attempt is the half-open breaker's probe
    std::uint64_t sent_with = 0;             // the number of the key that its attempt went out with
    std::optional<stripe::Unknown> unknown;  // of an attempt that may have been carried out
    std::string last_reason;
  };

  Timestamp now() const { return services->clock.now(); }
  void pump();
  bool try_send(std::uint64_t id, Work& work);
  void send(std::uint64_t id, Work& work);
  void adopt(const Secret& key);
  void retry_or_answer(std::uint64_t id, Work& work, const stripe::Verdict& verdict);
  void learn(const Work& work, const stripe::Verdict& verdict);
  void pause(const std::string& reason);
  void again_at(std::uint64_t id, Work& work, Timestamp at);
  void give_up_waiting(const stripe::CallOutcome& outcome);
  void finish(std::uint64_t id, stripe::CallOutcome outcome);
  static stripe::CallOutcome unless_unknown(const Work& work, stripe::CallOutcome outcome);
  static stripe::CallOutcome unfinished(const Work& work, const std::string& reason, Timestamp not_before);
  void wake_at(Timestamp at);
  void show_state();

  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, Work> works_;
  std::array<std::deque<std::uint64_t>, stripe::kLanes> lanes_;  // waiting, in order
  std::size_t in_flight_ = 0;
  Secret key_;
  std::uint64_t keys_ = 0;                      // counts its changes
  std::optional<stripe::RateLimiter> limiter_;  // once the key has told which mode it is for
  std::optional<stripe::CircuitBreaker> breaker_;
  bool paused_ = false;
  std::string paused_reason_;
  Timestamp next_probe_{};
  std::multiset<Timestamp> ticks_;  // on their way, the earliest first
};

stripe_client_actor::behavior_type stripe_client(stripe_client_state::pointer self, ServicesPtr services, Scope scope);

}  // namespace flexsync::actors
