// Bills the usage of one tenant and environment.
//
// A batch is sent by what is in the store, never by what is remembered here: pending batches are paged, each is booked
// as being sent before its first attempt, and stays in flight until its result is booked. So whoever continues after
// this actor's death sends the same identifiers again, and knows which may have reached Stripe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/actor_metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"

namespace flexsync::actors {

struct usage_timer_state {
  using pointer = usage_timer_actor::stateful_pointer<usage_timer_state>;

  static constexpr const char* name = "usage_timer";

  void init(pointer self_pointer, ServicesPtr used_services, Scope own_scope, stripe_client_actor client);
  void on_owned(std::int64_t epoch);
  void on_wake();
  void on_rekeyed();
  void on_tick();
  void on_closed(std::uint64_t ownership, const Result<store::Closed>& closed);
  void on_matched(std::uint64_t ownership, const Result<std::int64_t>& events);
  void on_swept(std::uint64_t ownership, const Result<std::int64_t>& keys);
  void on_page(std::uint64_t ownership, Result<std::vector<UsageBatch>>& page);
  void on_booked(std::uint64_t ownership, const Result<void>& booked);

  pointer self = nullptr;
  ServicesPtr services;
  Scope scope;
  std::optional<ActorMetrics> metrics;

 private:
  struct InFlight {
    UsageBatch batch;  // as it was read
    Timestamp first_sent;
    bool to_be_sent = false;  // its booking says that it is being sent; else its end
  };
  // A job that repeats: due at a time, one run of it under way at most.
  struct Job {
    Timestamp due;
    bool running = false;
  };

  bool may_begin(Job& job);
  bool finished(Job& job, const std::string& what, const std::optional<Error>& error,
                std::chrono::milliseconds interval, bool more);
  void work();
  void close_windows();
  void match_events();
  void sweep_keys();
  void read_page();
  void take(UsageBatch batch);
  void send(InFlight& in_flight);
  void on_outcome(std::uint64_t ownership, const BatchId& id, const stripe::CallOutcome& outcome);
  void pause_until(Timestamp time);
  void book(BatchResult result);
  void submit_results();
  void conclude(const BatchResult& result);
  void stop();

  stripe_client_actor stripe_client_;
  std::int64_t epoch_ = 0;       // 0: not the owner
  std::uint64_t ownership_ = 0;  // counts them
  Job closing_;
  Job matching_;
  Job sweeping_;
  Job reading_;
  std::size_t rows_asked_ = 0;  // of the page under way
  Job booking_;
  Timestamp paused_until_;
  std::map<BatchId, InFlight> in_flight_;  // read, and their end not booked
  std::set<std::pair<CustomerId, MeterId>> busy_;
  std::vector<BatchResult> results_;    // to be booked
  std::vector<BatchResult> submitted_;  // being booked
};

// Linked to the supervisor, which sends `owned`. Without Services::usage it does nothing.
usage_timer_actor::behavior_type usage_timer(usage_timer_state::pointer self, ServicesPtr services, Scope scope,
                                             stripe_client_actor stripe_client);

}  // namespace flexsync::actors
