#include "sync/event.hpp"

#include <algorithm>
#include <utility>

#include "sync/customer.hpp"
#include "sync/intents.hpp"
#include "sync/ordering.hpp"
#include "sync/plan.hpp"
#include "sync/price.hpp"
#include "sync/subscription.hpp"

namespace flexsync::sync {

namespace {

constexpr TrueInterval kBeforeAnyEvent{};

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
  if (task.event.type == stripe::kReconcileEvent) {
    return pass_by(task, snapshot, settings, InboxOutcome::ignored, unanswered_repair(why));
  }
  if (task.event.hint) {
    return unanswered_hint(why);
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
    if (subscription != nullptr && subscription->customer.empty()) {
      return pass_by(task, snapshot, settings, InboxOutcome::ignored, "nothing of the subscription was known here");
    }
    return apply_deletion(task, snapshot, settings, last, task.now);
  }
  // Another account's key is told so, too: whether it is gone is for the next comparison to say.
  const auto reason = unknown_to_stripe(stripe::key_of(task.event.state).type, why);
  if (task.event.type == stripe::kReconcileEvent) {
    return pass_by_unmarked(task, snapshot, settings, InboxOutcome::ignored, reason);
  }
  return Conflict{reason};
}

// --- parents ------------------------------------------------------------------------------------------------------

std::optional<std::string> existing_parent(const ParentTask& task, const EntitySnapshot& snapshot) {
  if (task.entity.kind == EntityKind::customer) {
    // Ours that is claimed, but not mapped to it yet, is mapped first.
    const auto& mapping = snapshot.mapping;
    const bool is_its = snapshot.shadow || (mapping && mapping->provider_entity_id == task.parent.object.id.str());
    return snapshot.customer && is_its ? std::optional(snapshot.customer->id.str()) : std::nullopt;
  }
  if (snapshot.plan) {
    return snapshot.plan->id.str();
  }
  // A price that was deleted has no mapping any more that leads to the plan that it was.
  const bool was_plan = task.parent.object.type == "price" && is_deleted(snapshot.shadow) && snapshot.price;
  return was_plan ? std::optional(snapshot.price->plan_id.str()) : std::nullopt;
}

namespace {

// Stripe cannot be asked: what there is to know is the id. A price may be known already that was no plan until
// `sync.plan_source` was changed.
Taken take_unasked(const Context& context, const Parent& parent, ChangeSet& change) {
  const auto& shadow = context.snapshot.shadow;
  const auto bare = stripe::bare_object(parent.object, parent.product);
  const auto* price = std::get_if<stripe::PriceState>(&bare);
  if (price != nullptr && shadow && !shadow->state.empty()) {
    return take(context, stripe::price_from_canonical(shadow->state), shadow->true_during, change);
  }
  auto taken =
      price != nullptr
          ? take_shell(context, *price, change)
          : std::visit([&](const auto& object) { return take(context, object, kBeforeAnyEvent, change); }, bare);
  if (change.stripe_object) {
    change.stripe_object->state.clear();  // nothing is known: whatever comes is news
    change.stripe_object->needs_reconcile = true;
  }
  return taken;
}

}  // namespace

Decision decide_parent(const ParentTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                       const std::optional<Fetched>& fetched) {
  const StateOrigin origin{task.scope,
                           task.epoch,
                           task.entity,
                           task.now,
                           task.request_id,
                           "stripe:" + task.parent.object.id.str(),
                           kStripeItself,
                           {{"sync_direction", "inbound"}, {"created_via", "create_missing"}},
                           {}};
  const Context context{origin, snapshot, settings, nullptr};
  auto change = change_of(origin);
  Taken taken;
  if (fetched && !stripe::is_deleted(fetched->state)) {
    const auto& shadow = snapshot.shadow;
    const auto known = shadow ? later(shadow->true_during, fetched->true_during) : fetched->true_during;
    taken = std::visit([&](const auto& object) { return take(context, object, known, change); }, fetched->state);
  } else if (fetched) {
    taken =
        std::visit([&](const auto& object) { return take_deletion(context, object, fetched->true_during.to, change); },
                   fetched->state);
  } else {
    taken = take_unasked(context, task.parent, change);
  }
  return conclude(std::move(change), std::move(taken));
}

// --- whose it is --------------------------------------------------------------------------------------------------

std::optional<std::string> claimed_entity(const stripe::ObjectState& state) {
  if (!std::holds_alternative<stripe::CustomerState>(state)) {
    return std::nullopt;  // nothing else is made in Stripe by us, or claimed by others
  }
  const auto& metadata = stripe::metadata_of(state);
  const auto claimed = metadata.find(std::string(stripe::kMetadataCustomerId));
  if (claimed == metadata.end() || claimed->second.empty()) {
    return std::nullopt;
  }
  return claimed->second;
}

std::string matched_email(const stripe::ObjectState& state, const Settings& settings) {
  const auto* customer = std::get_if<stripe::CustomerState>(&state);
  return settings.match_email && customer != nullptr && !customer->deleted ? customer->email : std::string();
}

Conflict ambiguous_email(const StripeId& object, const std::vector<std::string>& customers) {
  return {"the e-mail of " + object.str() + " is that of several customers, such as " + customers.at(0) + " and " +
          customers.at(1) + "; say in Stripe which one it is, in metadata." + std::string(stripe::kMetadataCustomerId)};
}

bool belongs_elsewhere(const stripe::ObjectState& state, const Scope& scope) {
  const auto& metadata = stripe::metadata_of(state);
  const auto named = metadata.find(std::string(stripe::kMetadataEnvironment));
  return named != metadata.end() && !named->second.empty() && named->second != scope.environment.str();
}

bool must_be_looked_up(const stripe::ObjectEvent& event, bool is_known) {
  if (const auto* price = std::get_if<stripe::PriceState>(&event.state)) {
    return event.hint && price->product.empty();
  }
  // The comparison's own hints say what the metadata claims.
  return event.hint && event.type != stripe::kReconcileEvent && !is_known && !stripe::is_deleted(event.state) &&
         std::holds_alternative<stripe::CustomerState>(event.state);
}

std::string unknown_to_stripe(const std::string& object_type, const std::string& why) {
  return "Stripe does not know the " + object_type + " that the event names: " + why;
}

std::string unanswered_repair(const std::string& why) {
  return "Stripe could not be asked, the next comparison finds it again: " + why;
}

Conflict unanswered_hint(const std::string& why) {
  return {"the event only names the object, and Stripe could not be asked for it: " + why, "stripe_unavailable"};
}

}  // namespace flexsync::sync
