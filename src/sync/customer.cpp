#include "sync/customer.hpp"

#include <algorithm>

#include "sync/customer_fields.hpp"
#include "sync/intents.hpp"
#include "sync/ordering.hpp"

namespace flexsync::sync {

namespace {

StateOrigin origin_of(const CustomerTask& task) {
  return {task.scope,
          task.epoch,
          task.customer_id,
          task.now,
          task.request_id,
          "stripe:" + task.event.id.str(),
          "stripe",
          {{"sync_direction", "inbound"},
           {"created_via", "webhook"},
           {"webhook_event", task.event.type},
           {"webhook_id", task.event.id.str()}},
          {{"last_webhook_event", task.event.type}, {"last_webhook_id", task.event.id.str()}}};
}

// Stripe names the request that caused an event by its key: our own write has come back, so it was carried out.
void settle_echo(const CustomerTask& task, const CustomerSnapshot& snapshot, ChangeSet& change) {
  for (const auto& intent : snapshot.intents) {
    if (intent.idempotency_key == task.event.idempotency_key) {
      change.intents.push_back(sync::settled(intent, task.now));
    }
  }
}

ChangeSet settled(const CustomerTask& task, const CustomerSnapshot& snapshot, InboxOutcome outcome,
                  std::string reason = {}) {
  auto change = change_of(origin_of(task));
  change.settlement = InboxSettlement{task.seq, task.event.id, outcome, std::move(reason), task.was_parked, task.now};
  settle_echo(task, snapshot, change);
  return change;
}

// Nothing of the state is taken over.
ChangeSet passed_by(const CustomerTask& task, const CustomerSnapshot& snapshot, InboxOutcome outcome,
                    std::string reason = {}) {
  auto change = settled(task, snapshot, outcome, std::move(reason));
  take_told(origin_of(task), snapshot, change);
  return change;
}

ChangeSet apply_state(const CustomerTask& task, const CustomerSnapshot& snapshot, const CustomerSettings& settings,
                      const stripe::CustomerState& state, const TrueInterval& true_during) {
  if (is_done_with(snapshot)) {
    return settled(task, snapshot, InboxOutcome::ignored, "our customer was deleted; nothing of Stripe's revives it");
  }
  auto change = settled(task, snapshot, InboxOutcome::unchanged, to_customer_fields(state).note);
  if (take_state(origin_of(task), snapshot, settings, state, true_during, change)) {
    change.settlement->outcome = InboxOutcome::applied;
  }
  return change;
}

ChangeSet apply_deletion(const CustomerTask& task, const CustomerSnapshot& snapshot, const CustomerSettings& settings,
                         const stripe::CustomerState& state, Timestamp at) {
  auto change = settled(task, snapshot, InboxOutcome::applied, to_customer_fields(state).note);
  take_deletion(origin_of(task), snapshot, settings, state, at, change);
  return change;
}

// The customer that the metadata names is mapped to another Stripe customer: never a guess.
std::optional<Conflict> mapped_elsewhere(const CustomerTask& task, const CustomerSnapshot& snapshot) {
  if (!snapshot.mapping || snapshot.mapping->provider_entity_id == task.event.state.id.str()) {
    return std::nullopt;
  }
  return Conflict{"metadata." + std::string(stripe::kMetadataCustomerId) + " of " + task.event.state.id.str() +
                  " names customer " + task.customer_id.str() + ", which is already mapped to " +
                  snapshot.mapping->provider_entity_id +
                  "; remove the metadata from one of the two in Stripe, then redrive"};
}

}  // namespace

CustomerDecision decide(const CustomerTask& task, const CustomerSnapshot& snapshot, const CustomerSettings& settings) {
  const auto& shadow = snapshot.shadow;
  if (task.event.state.deleted) {
    if (shadow && shadow->deleted && shadow->state == stripe::to_canonical(task.event.state)) {
      return passed_by(task, snapshot, InboxOutcome::unchanged);
    }
    return apply_deletion(task, snapshot, settings, task.event.state, task.event.created);
  }
  if (shadow && shadow->deleted) {
    return passed_by(task, snapshot, InboxOutcome::superseded, "the customer was deleted in Stripe");
  }
  if (const auto conflict = mapped_elsewhere(task, snapshot)) {
    return *conflict;
  }
  if (task.before_fetch && shadow) {
    return passed_by(task, snapshot, InboxOutcome::superseded,
                     "the state was fetched from Stripe after this event had come");
  }
  if (settings.ordering == Ordering::refetch) {
    return Refetch{};
  }
  const TrueInterval at_event{task.event.created, task.event.created};
  if (!shadow) {
    return apply_state(task, snapshot, settings, task.event.state, at_event);
  }
  switch (order(shadow->true_during, task.event.created)) {
    case Order::superseded:
      return passed_by(task, snapshot, InboxOutcome::superseded,
                       "a state of " + to_rfc3339(shadow->true_during.from) + " or later is known");
    case Order::newer:
      return apply_state(task, snapshot, settings, task.event.state, at_event);
    case Order::tied:
      break;
  }
  if (stripe::to_canonical(task.event.state) == shadow->state) {
    return passed_by(task, snapshot, InboxOutcome::unchanged);
  }
  return Refetch{};
}

CustomerDecision decide_fetched(const CustomerTask& task, const CustomerSnapshot& snapshot,
                                const CustomerSettings& settings, const stripe::CustomerState& fetched,
                                const TrueInterval& true_during) {
  if (snapshot.shadow && snapshot.shadow->deleted) {
    return passed_by(task, snapshot, InboxOutcome::superseded, "the customer was deleted in Stripe");
  }
  if (fetched.deleted) {
    const auto& last = task.event.state;  // a deleted object is fetched without its fields
    return apply_deletion(task, snapshot, settings, last, true_during.to);
  }
  if (const auto conflict = mapped_elsewhere(task, snapshot)) {
    return *conflict;
  }
  const auto known = snapshot.shadow ? later(snapshot.shadow->true_during, true_during) : true_during;
  return apply_state(task, snapshot, settings, fetched, known);
}

CustomerDecision decide_unanswered(const CustomerTask& task, const CustomerSnapshot& snapshot,
                                   const CustomerSettings& settings, const std::string& why) {
  if (settings.ordering == Ordering::refetch && snapshot.shadow &&
      order(snapshot.shadow->true_during, task.event.created) == Order::superseded) {
    return passed_by(task, snapshot, InboxOutcome::superseded, "a later state is known");
  }
  const TrueInterval at_event{task.event.created, task.event.created};
  const auto known = snapshot.shadow ? later(snapshot.shadow->true_during, at_event) : at_event;
  auto change = apply_state(task, snapshot, settings, task.event.state, known);
  if (!change.stripe_object) {
    return change;
  }
  change.stripe_object->needs_reconcile = true;
  change.settlement->reason = "the last arrival stands until reconcile: " + why;
  return change;
}

std::optional<std::string> claimed_customer(const stripe::CustomerState& state) {
  const auto claimed = state.metadata.find(std::string(stripe::kMetadataCustomerId));
  if (claimed == state.metadata.end() || claimed->second.empty()) {
    return std::nullopt;
  }
  return claimed->second;
}

bool belongs_elsewhere(const stripe::CustomerState& state, const Scope& scope) {
  const auto named = state.metadata.find(std::string(stripe::kMetadataEnvironment));
  return named != state.metadata.end() && !named->second.empty() && named->second != scope.environment.str();
}

}  // namespace flexsync::sync
