// The customer's actor: all changes of one customer go through it, one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/actor_metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"

namespace flexsync::actors {

struct CustomerSyncArgs {
  ServicesPtr services;
  Scope scope;
  std::int64_t epoch = 0;
  CustomerId customer_id;
  tenant_supervisor_actor supervisor;
  stripe_client_actor stripe_client;
};

// What a customer's actor is given to do.
using CustomerWork = std::variant<RoutedEventPtr, PendingCommandPtr, PushPtr>;

// The head of the queue is the work at hand: load, decide, perhaps ask Stripe, write, answer; then the next.
struct customer_sync_state {
  using pointer = customer_sync_actor::stateful_pointer<customer_sync_state>;

  static constexpr const char* name = "customer_sync";

  void init(pointer self_pointer, CustomerSyncArgs arguments);
  void enqueue(CustomerWork work);
  void on_loaded(const Result<EntitySnapshot>& stored);
  void on_fetched(const stripe::CallOutcome& outcome);
  void on_written(const ChangeReply& reply);
  void on_retry(std::uint64_t step);
  void on_expired(std::uint64_t waiter);

  pointer self = nullptr;
  CustomerSyncArgs args;
  std::optional<ActorMetrics> metrics;

 private:
  // Of any work.
  void next();
  bool is_loaded() const;
  void load();
  void decide();
  void fetch(const StripeId& id);
  void write(ChangeSet change);
  void absorb(const std::vector<std::int64_t>& intent_seqs);
  void on_stale();
  void on_refused(const ChangeReply& reply);
  void retry_later();
  void next_after_head();
  Timestamp now() const { return args.services->clock.now(); }

  // Of events.
  sync::CustomerTask event_task() const;
  void decide_event();
  void carry_out(sync::CustomerDecision decision);
  void on_event_fetched(const stripe::CallOutcome& outcome);
  void on_event_refused(const ChangeReply& reply);
  void park(ParkedEvent parked);
  void finish_event(bool parked);

  // Of API commands.
  void decide_command();
  void on_command_committed();
  void answer_command(const PendingCommandPtr& command, Result<CustomerReply> reply);
  void fail_command(ErrorCode code, const std::string& message);
  void wait_or_answer(const PendingCommandPtr& command, CustomerReply reply);
  void answer_waiting(const Intent& intent);

  // Of what became of intents.
  sync::PushTask push_task() const;
  void decide_push();
  void on_push_fetched(const stripe::CallOutcome& outcome);
  void book(ChangeSet change);
  void finish_push(bool again);

  const RoutedEventPtr& event() const { return std::get<RoutedEventPtr>(queue_.front()); }
  const PendingCommandPtr& command() const { return std::get<PendingCommandPtr>(queue_.front()); }
  const PushPtr& push() const { return std::get<PushPtr>(queue_.front()); }

  std::vector<CustomerWork> queue_;  // the head is at hand
  bool busy_ = false;
  bool loaded_ = false;
  sync::CustomerSnapshot snapshot_;
  StripeId loaded_for_;                       // whose shadow the snapshot holds
  std::shared_ptr<const ChangeSet> writing_;  // what was submitted last
  int stale_retries_ = 0;
  int refusals_ = 0;        // by the database, of the work at hand: after the first it is decided again
  std::uint64_t step_ = 0;  // against stale retry ticks
  // Committed; their callers wait for Stripe's answer to an intent.
  struct Waiter {
    IntentId intent;
    PendingCommandPtr command;
  };
  std::uint64_t waiters_ = 0;  // so far
  std::map<std::uint64_t, Waiter> waiting_;
  // One fetch serves all that wait: whatever is queued when Stripe is asked had happened before its answer.
  std::size_t waiting_at_fetch_ = 0;  // queued when Stripe was asked last, the head among them
  bool fetched_ = false;              // the decision at hand rests on Stripe's answer
  std::size_t before_fetch_ = 0;      // so many at the front of the queue are older than the shadow …
  StripeId fetched_object_;           // … of this object
};

customer_sync_actor::behavior_type customer_sync(customer_sync_state::pointer self, CustomerSyncArgs args);

}  // namespace flexsync::actors
