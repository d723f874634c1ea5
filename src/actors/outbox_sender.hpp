// Tells Stripe what the outbox holds: pages the oldest intent of each entity, calls, hands on what became of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/actor_metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"

namespace flexsync::actors {

struct OutboxSenderArgs {
  ServicesPtr services;
  Scope scope;
  tenant_supervisor_actor supervisor;
  stripe_client_actor stripe_client;
};

struct outbox_sender_state {
  using pointer = outbox_sender_actor::stateful_pointer<outbox_sender_state>;

  static constexpr const char* name = "outbox_sender";

  void init(pointer self_pointer, OutboxSenderArgs arguments);
  void on_wake();
  void on_hurry(const std::string& entity);
  void on_booked(std::int64_t seq, bool again);
  void on_rekeyed();
  void on_tick();
  void on_page(const Result<store::OutboxPage>& page);

  pointer self = nullptr;
  OutboxSenderArgs args;
  std::optional<ActorMetrics> metrics;

 private:
  void pump();
  void look_again(Timestamp at);
  void send(const store::OutboxRow& row);
  void call(const store::OutboxRow& row, stripe::Call call);
  void look(const store::OutboxRow& row, Timestamp since, const std::string& after, int page);
  void on_looked(const store::OutboxRow& row, Timestamp since, int page, const stripe::Answered& answered);
  void on_called(const store::OutboxRow& row, const stripe::CallOutcome& outcome);
  bool hold(const store::OutboxRow& row, const stripe::CallOutcome& outcome);
  void hand_in(const store::OutboxRow& row, sync::PushResult result);
  template <class Then>
  void ask(stripe::Call call, Then then);

  bool woken_ = false;  // there may be ready intents
  bool reading_ = false;
  std::optional<Timestamp> next_due_;         // of intents that wait for their next attempt
  Timestamp hold_until_;                      // Stripe is not to be asked before
  std::map<std::int64_t, std::string> busy_;  // in flight until they are booked: their entities
  std::set<std::string> hurried_;             // entities whose intents somebody waits for
};

outbox_sender_actor::behavior_type outbox_sender(outbox_sender_state::pointer self, OutboxSenderArgs args);

}  // namespace flexsync::actors
