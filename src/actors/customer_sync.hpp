// The customer's actor: all changes of one customer go through it, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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

// The head of the queue is the event at hand: load, decide, perhaps ask Stripe, write, answer; then the next.
struct customer_sync_state {
  using pointer = customer_sync_actor::stateful_pointer<customer_sync_state>;

  static constexpr const char* name = "customer_sync";

  void init(pointer self_pointer, CustomerSyncArgs arguments);
  void enqueue(RoutedEventPtr event);
  void on_loaded(const Result<store::StoredCustomer>& stored);
  void on_fetched(const stripe::RetrieveOutcome& outcome);
  void on_written(const ChangeReply& reply);
  void on_retry(std::uint64_t step);

  pointer self = nullptr;
  CustomerSyncArgs args;
  std::optional<ActorMetrics> metrics;

 private:
  void next();
  void load();
  void decide();
  void carry_out(sync::CustomerDecision decision);
  void fetch();
  void write(ChangeSet change);
  void on_refused(const ChangeReply& reply);
  void park(ParkedEvent parked);
  void retry_later();
  void finish(bool parked);
  sync::CustomerTask task() const;

  std::vector<RoutedEventPtr> queue_;  // the head is at hand
  bool busy_ = false;
  sync::CustomerSnapshot snapshot_;
  StripeId loaded_for_;                       // whose shadow the snapshot holds; empty: nothing is loaded
  std::shared_ptr<const ChangeSet> writing_;  // what was submitted last
  int stale_retries_ = 0;
  int conflicts_ = 0;       // of the event at hand: after the first it is decided again
  std::uint64_t step_ = 0;  // against stale retry ticks
  // One fetch serves all that wait: whatever is queued when Stripe is asked had happened before its answer.
  std::size_t waiting_at_fetch_ = 0;  // queued when Stripe was asked last, the head among them
  bool fetched_ = false;              // the decision at hand rests on Stripe's answer
  std::size_t before_fetch_ = 0;      // so many at the front of the queue are older than the shadow …
  StripeId fetched_object_;           // … of this object
};

customer_sync_actor::behavior_type customer_sync(customer_sync_state::pointer self, CustomerSyncArgs args);

}  // namespace flexsync::actors
