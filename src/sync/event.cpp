#include "sync/event.hpp"

#include <algorithm>
#include <utility>

#include "sync/customer.hpp"
#include "sync/identity.hpp"
#include "sync/intents.hpp"
#include "sync/ordering.hpp"
#include "sync/plan.hpp"
#include "sync/price.hpp"
#include "sync/subscription.hpp"

namespace flexsync::sync {

namespace {

StateOrigin origin_of(const EventTask& task) {
  return {task.scope,
          task.epoch,
          task.entity,
          task.now,
          task.request_id,
          "stripe:" + task.event.id.str(),
          kStripeItself,
          {{"sync_direction", "inbound"},
           {"created_via", "webhook"},
           {"webhook_event", task.event.type},
           {"webhook_id", task.event.id.str()}},
          {{"last_webhook_event", task.event.type}, {"last_webhook_id", task.event.id.str()}}};
}

Context context_of(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings) {
  return {origin_of(task), snapshot, settings, task.event.hint ? nullptr : &task.event};
}

// Stripe names the request that caused an event by its key: our own write has come back, so it was carried out.
ChangeSet settled(const EventTask& task, const EntitySnapshot& snapshot, InboxOutcome outcome, std::string reason) {
  auto change = change_of(origin_of(task));
  change.settlement = InboxSettlement{task.seq, task.event.id, outcome, std::move(reason), task.was_parked, task.now};
  for (const auto& intent : snapshot.intents) {
    if (!task.event.idempotency_key.empty() && intent.idempotency_key == task.event.idempotency_key) {
      change.intents.push_back(sync::settled(intent, task.now));
    }
  }
  return change;
}

Decision conclude(ChangeSet change, Taken taken) {
  if (taken.conflict) {
    return std::move(*taken.conflict);
  }
  if (!taken.missing.empty()) {
    return Missing{std::move(taken.missing)};
  }
  return change;
}

Decision apply_state(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                     const stripe::ObjectState& state, const TrueInterval& true_during) {
  auto change = settled(task, snapshot, InboxOutcome::unchanged, {});
  const auto context = context_of(task, snapshot, settings);
  auto taken = std::visit([&](const auto& object) { return take(context, object, true_during, change); }, state);
  auto& settlement = *change.settlement;
  if (!taken.ignored.empty()) {
    settlement.outcome = InboxOutcome::ignored;
    settlement.reason = taken.ignored;
  } else {
    settlement.outcome = taken.changed ? InboxOutcome::applied : InboxOutcome::unchanged;
    settlement.reason = taken.note;
  }
  return conclude(std::move(change), std::move(taken));
}

Decision apply_deletion(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                        const stripe::ObjectState& last, Timestamp at) {
  auto change = settled(task, snapshot, InboxOutcome::applied, {});
  const auto known = snapshot.shadow ? std::max(at, snapshot.shadow->true_during.to) : at;
  const auto context = context_of(task, snapshot, settings);
  auto taken = std::visit([&](const auto& object) { return take_deletion(context, object, known, change); }, last);
  change.settlement->reason = taken.note;
  return conclude(std::move(change), std::move(taken));
}

// As its event tells it. What has ended may change later, so that from when on it is true must not be put off.
Decision take_end(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                  const stripe::ObjectState& state) {
  const auto at = task.event.created;
  return stripe::is_ended(state) ? apply_state(task, snapshot, settings, state, {at, at})
                                 : apply_deletion(task, snapshot, settings, state, at);
}

// Nothing of the state is taken over.
Decision pass_by(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings, InboxOutcome outcome,
                 std::string reason) {
  auto change = settled(task, snapshot, outcome, std::move(reason));
  const auto context = context_of(task, snapshot, settings);
  auto taken = std::visit([&](const auto& object) { return sync::pass_by(context, object, change); }, task.event.state);
  return conclude(std::move(change), std::move(taken));
}

// What an event leaves out and what is known of it: {the state with it, whether that is all}.
std::pair<stripe::ObjectState, bool> completed(const EntitySnapshot& snapshot, const stripe::ObjectState& state) {
  auto whole = state;
  const bool complete = std::visit([&](auto& object) { return complete_from(snapshot.shadow, object); }, whole);
  return {std::move(whole), complete};
}

bool is_deleted(const std::optional<StripeObject>& shadow) {
  return shadow && shadow->deleted;
}

// Stripe has been asked, as far as it could be: a mark would ask again and again.
Decision pass_by_unmarked(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                          InboxOutcome outcome, std::string reason) {
  auto decision = pass_by(task, snapshot, settings, outcome, std::move(reason));
  auto* change = std::get_if<ChangeSet>(&decision);
  const auto& shadow = snapshot.shadow;
  if (change != nullptr && shadow && shadow->needs_reconcile) {
    change->stripe_object = shadow_of(origin_of(task), shadow, {shadow->object_type, shadow->stripe_id}, shadow->state,
                                      shadow->true_during, shadow->deleted);
  }
  return decision;
}

Decision pass_by_deleted(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings) {
  return pass_by_unmarked(task, snapshot, settings, InboxOutcome::superseded,
                          "the " + snapshot.shadow->object_type + " was deleted in Stripe");
}

// A hint says nothing by itself: but for what is known to be final, or was fetched since, Stripe is asked.
Decision decide_hint(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings) {
  if (is_deleted(snapshot.shadow) && !std::holds_alternative<stripe::SubscriptionState>(task.event.state)) {
    return pass_by_deleted(task, snapshot, settings);
  }
  if (task.before_fetch && snapshot.shadow) {
    return pass_by(task, snapshot, settings, InboxOutcome::superseded,
                   "the state was fetched from Stripe after this event had come");
  }
  return Refetch{};
}

// The last state that is known of what was deleted: the event's; a hint has none.
stripe::ObjectState last_state(const EventTask& task, const EntitySnapshot& snapshot) {
  const auto& shadow = snapshot.shadow;
  if (!task.event.hint || !shadow || shadow->state.empty()) {
    return task.event.state;
  }
  return stripe::object_from_canonical(shadow->object_type, shadow->state);
}

// Of a price that belongs to another product by now: to which. Its plan is another actor's, which an event leads to it.
std::optional<std::string> moved_to(const stripe::ObjectState& told, const stripe::ObjectState& fetched) {
  const auto* before = std::get_if<stripe::PriceState>(&told);
  const auto* now = std::get_if<stripe::PriceState>(&fetched);
  if (before == nullptr || now == nullptr || now->deleted || now->product == before->product) {
    return std::nullopt;
  }
  return now->product.str();
}

}  // namespace

Decision decide(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings) {
  if (task.event.hint) {
    return decide_hint(task, snapshot, settings);
  }
  const auto [state, is_whole] = completed(snapshot, task.event.state);
  const auto judged = judge(snapshot.shadow,
                            {task.event.created, stripe::is_deleted(state), stripe::to_canonical(state),
                             task.before_fetch, stripe::is_ended(state)},
                            settings.ordering);
  switch (judged.verdict) {
    case Verdict::take:
      if (!is_whole) {
        return Refetch{};
      }
      return apply_state(task, snapshot, settings, state, {task.event.created, task.event.created});
    case Verdict::take_deletion:
      if (!is_whole) {
        return Refetch{};
      }
      return take_end(task, snapshot, settings, state);
    case Verdict::unchanged:
      return pass_by(task, snapshot, settings, InboxOutcome::unchanged, {});
    case Verdict::superseded:
      return pass_by(task, snapshot, settings, InboxOutcome::superseded, judged.why);
    case Verdict::refetch:
      break;
  }
  return Refetch{};
}

Decision decide_fetched(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                        const Fetched& fetched) {
  const auto& shadow = snapshot.shadow;
  const bool has_ended = stripe::is_ended(fetched.state);
  if (is_deleted(shadow) && !has_ended) {
    return pass_by_deleted(task, snapshot, settings);
  }
  if (belongs_elsewhere(fetched.state, task.scope)) {
    return pass_by_unmarked(task, snapshot, settings, InboxOutcome::ignored, std::string(kElsewhere));
  }
  if (const auto product = moved_to(task.event.state, fetched.state)) {
    return pass_by(task, snapshot, settings, InboxOutcome::superseded, "the price belongs to " + *product + " by now");
  }
  if (stripe::is_deleted(fetched.state) && !has_ended) {
    return apply_deletion(task, snapshot, settings, last_state(task, snapshot), fetched.true_during.to);
  }
  if (stripe::is_deleted(task.event.state) && !task.event.hint && !has_ended) {
    return apply_deletion(task, snapshot, settings, fetched.state, fetched.true_during.to);
  }
  const auto known = shadow ? later(shadow->true_during, fetched.true_during) : fetched.true_during;
  return apply_state(task, snapshot, settings, completed(snapshot, fetched.state).first, known);
}

Decision decide_unanswered(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                           const std::string& why) {
  const auto& shadow = snapshot.shadow;
  if (task.event.hint) {
    const auto end = unanswered_hint(task.event, why);
    if (const auto* ignored = std::get_if<Ignored>(&end)) {
      return pass_by(task, snapshot, settings, InboxOutcome::ignored, ignored->reason);
    }
    return std::get<Conflict>(end);
  }
  if (settings.ordering == Ordering::refetch && shadow &&
      order(shadow->true_during, task.event.created) == Order::superseded) {
    return pass_by(task, snapshot, settings, InboxOutcome::superseded, "a later state is known");
  }
  const TrueInterval at_event{task.event.created, task.event.created};
  const auto known = shadow ? later(shadow->true_during, at_event) : at_event;
  const auto state = completed(snapshot, task.event.state).first;
  const bool is_end = stripe::is_deleted(state) && !is_deleted(shadow);
  auto decision =
      is_end ? take_end(task, snapshot, settings, state) : apply_state(task, snapshot, settings, state, known);
  if (auto* change = std::get_if<ChangeSet>(&decision); change != nullptr && change->stripe_object) {
    change->stripe_object->needs_reconcile = true;
    change->settlement->reason = "the last arrival stands until reconcile: " + why;
  }
  return decision;
}

Decision decide_gone(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                     const std::string& why) {
  if (!task.event.hint) {
    return decide_unanswered(task, snapshot, settings, why);
  }
  if (is_deleted(snapshot.shadow)) {
    return pass_by_deleted(task, snapshot, settings);
  }
  if (stripe::is_deleted(task.event.state)) {
    const auto last = last_state(task, snapshot);
    const auto* subscription = std::get_if<stripe::SubscriptionState>(&last);
    if (subscription == nullptr || !subscription->customer.empty()) {
      return apply_deletion(task, snapshot, settings, last, task.now);
    }
  }
  const auto end = unknown_hint(task.event, why);
  if (const auto* ignored = std::get_if<Ignored>(&end)) {
    return pass_by_unmarked(task, snapshot, settings, InboxOutcome::ignored, ignored->reason);
  }
  return std::get<Conflict>(end);
}

HintEnd unanswered_hint(const stripe::ObjectEvent& event, const std::string& why) {
  if (event.type == stripe::kReconcileEvent) {
    return Ignored{"Stripe could not be asked, the next comparison finds it again: " + why};
  }
  return Conflict{"the event only names the object, and Stripe could not be asked for it: " + why,
                  "stripe_unavailable"};
}

HintEnd unknown_hint(const stripe::ObjectEvent& event, const std::string& why) {
  const auto type = stripe::key_of(event.state).type;
  if (stripe::is_deleted(event.state)) {
    return Ignored{"nothing of the " + type + " was known here"};
  }
  const auto reason = "Stripe does not know the " + type + " that the event names: " + why;
  if (event.type == stripe::kReconcileEvent) {
    return Ignored{reason};  // another account's key is told so, too: the next comparison says whether it is gone
  }
  return Conflict{reason};
}

}  // namespace flexsync::sync
