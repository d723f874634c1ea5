// An entity's actor: all changes of one customer, plan or subscription go through it, one at a time.
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
#include "sync/event.hpp"
#include "sync/parent.hpp"
#include "sync/silence.hpp"

namespace flexsync::actors {

struct EntitySyncArgs {
  ServicesPtr services;
  Scope scope;
  std::int64_t epoch = 0;
  EntityKey entity;
  tenant_supervisor_actor supervisor;
  stripe_client_actor stripe_client;
};

// The name of an entity's actor in metrics and logs: "customer_sync", "plan_sync", "subscription_sync".
const char* actor_name(EntityKind kind);

// What an entity's actor is given to do.
using EntityWork = std::variant<RoutedEventPtr, RoutedParentPtr, PendingCommandPtr, PushPtr>;

// The head of the queue is the work at hand: load, decide, perhaps ask Stripe or for parents, write, answer; then the
// next.
struct entity_sync_state {
  using pointer = entity_sync_actor::stateful_pointer<entity_sync_state>;

  static constexpr const char* name = "entity_sync";

  void init(pointer self_pointer, EntitySyncArgs arguments);
  void enqueue(EntityWork work);
  void on_loaded(const Result<EntitySnapshot>& stored);
  void on_fetched(const stripe::CallOutcome& outcome);
  void on_parent(std::uint64_t step, const FoundParent& found);
  void on_written(const ChangeReply& reply);
  void on_retry(std::uint64_t step);
  void on_expired(std::uint64_t waiter);

  pointer self = nullptr;
  EntitySyncArgs args;
  std::optional<ActorMetrics> metrics;

 private:
  // Of any work (entity_sync.cpp).
  void next();
  bool needs_nothing_loaded() const;
  bool is_loaded() const;
  store::SnapshotRequest wanted() const;
  void load();
  void decide();
  void fetch(const ObjectKey& object);
  void write(ChangeSet change);
  void absorb(const std::vector<std::int64_t>& intent_seqs);
  void on_stale();
  void on_refused(const ChangeReply& reply);
  void retry_later();
  void next_after_head();
  Timestamp now() const { return args.services->clock.now(); }

  // Of events (entity_sync_events.cpp).
  sync::EventTask event_task() const;
  void decide_event();
  void decide_event_again();
  void carry_out(sync::Decision decision);
  void on_event_fetched(const stripe::CallOutcome& outcome);
  void take_fetched(stripe::ObjectState state, const TrueInterval& true_during);
  void fetch_items(stripe::SubscriptionState state, const TrueInterval& true_during);
  void on_items(stripe::SubscriptionState state, TrueInterval true_during, const stripe::CallOutcome& outcome);
  void on_no_answer(const sync::NoAnswer& reason);
  void on_event_refused(const ChangeReply& reply);
  void park(ParkedEvent parked);
  void finish_event(bool parked);

  // Of parents: those a subscription asks for, and those this entity is asked to be (entity_sync_parents.cpp).
  void ask_for(const std::vector<sync::Parent>& parents);
  void on_all_parents();
  ParkedEvent without_parents(const Error& failure) const;
  sync::ParentTask parent_task() const;
  void decide_parent();
  void carry_out_parent(sync::Decision decision);
  void on_parent_committed();
  void on_parent_fetched(const stripe::CallOutcome& outcome);
  void answer_parent(ParentAnswer answer);

  // Of API commands (entity_sync_commands.cpp).
  CustomerId customer_id() const { return CustomerId{args.entity.id}; }
  void decide_command();
  void on_command_committed();
  void answer_command(const PendingCommandPtr& command, Result<CustomerReply> reply);
  void fail_command(ErrorCode code, const std::string& message);
  void wait_or_answer(const PendingCommandPtr& command, CustomerReply reply);
  void answer_waiting(const Intent& intent);

  // Of what became of intents (entity_sync_commands.cpp).
  sync::PushTask push_task() const;
  void decide_push();
  void on_push_fetched(const stripe::CallOutcome& outcome);
  void book(ChangeSet change);
  void finish_push(bool again);

  const RoutedEventPtr& event() const { return std::get<RoutedEventPtr>(queue_.front()); }
  const PendingParentPtr& parent() const { return std::get<RoutedParentPtr>(queue_.front())->asked; }
  const PendingCommandPtr& command() const { return std::get<PendingCommandPtr>(queue_.front()); }
  const PushPtr& push() const { return std::get<PushPtr>(queue_.front()); }

  std::vector<EntityWork> queue_;  // the head is at hand
  bool busy_ = false;
  bool loaded_ = false;
  EntitySnapshot snapshot_;
  ObjectKey loaded_for_;                      // whose shadow the snapshot holds
  std::shared_ptr<const ChangeSet> writing_;  // what was submitted last
  int stale_retries_ = 0;
  int refusals_ = 0;        // by the database, of the work at hand: after the first it is decided again
  std::uint64_t step_ = 0;  // against stale retry ticks and answers
  // What the decision at hand rests on, beside the event: Stripe's answer, or why there is none.
  std::optional<sync::Fetched> fetched_;
  std::optional<std::string> unanswered_;
  bool gone_ = false;  // unanswered, since Stripe does not know the object
  // Parents that were asked for and not yet answered, and what could not be had.
  std::size_t parents_awaited_ = 0;
  std::optional<ObjectKey> parent_absent_;
  std::optional<Error> parent_failure_;
  int parent_rounds_ = 0;
  // Committed; their callers wait for Stripe's answer to an intent.
  struct Waiter {
    IntentId intent;
    PendingCommandPtr command;
  };
  std::uint64_t waiters_ = 0;  // so far
  std::map<std::uint64_t, Waiter> waiting_;
  // One fetch serves all that wait: whatever is queued when Stripe is asked had happened before its answer.
  std::size_t waiting_at_fetch_ = 0;  // queued when Stripe was asked last, the head among them
  std::size_t before_fetch_ = 0;      // so many at the front of the queue are older than the shadow …
  ObjectKey fetched_object_;          // … of this object
};

entity_sync_actor::behavior_type entity_sync(entity_sync_state::pointer self, EntitySyncArgs args);

}  // namespace flexsync::actors
