#include "sync/push.hpp"

#include <algorithm>

#include "sync/customer_fields.hpp"
#include "sync/intents.hpp"
#include "sync/ordering.hpp"

namespace flexsync::sync {

namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

StateOrigin origin_of(const PushTask& task) {
  return {task.scope,
          task.epoch,
          {EntityKind::customer, task.customer_id.str()},
          task.now,
          task.intent.request_id,
          "outbox:" + task.intent.id.str(),
          "stripe",
          {{"sync_direction", "outbound"}, {"created_via", "api"}, {"intent_id", task.intent.id.str()}},
          {}};
}

// The intent as the store has it now; nothing when it was settled meanwhile, by its echo or by a later change.
const Intent* waiting(const PushTask& task, const CustomerSnapshot& snapshot) {
  const auto found = std::find_if(snapshot.intents.begin(), snapshot.intents.end(),
                                  [&](const auto& intent) { return intent.id == task.intent.id; });
  return found == snapshot.intents.end() ? nullptr : &*found;
}

ChangeSet ended(const PushTask& task, const CustomerSnapshot& snapshot, Intent (*end)(Intent, Timestamp)) {
  auto change = change_of(origin_of(task));
  if (const auto* intent = waiting(task, snapshot)) {
    change.intents.push_back(end(*intent, task.now));
  }
  return change;
}

ChangeSet ended_refused(const PushTask& task, const CustomerSnapshot& snapshot, std::string code, std::string why) {
  auto change = change_of(origin_of(task));
  if (const auto* intent = waiting(task, snapshot)) {
    change.intents.push_back(refused(*intent, task.now, std::move(code), std::move(why)));
  }
  return change;
}

ChangeSet try_later(const PushTask& task, const CustomerSnapshot& snapshot, const stripe::Unknown& unknown,
                    const RetryPolicy& retry) {
  auto change = change_of(origin_of(task));
  if (const auto* known = waiting(task, snapshot)) {
    auto intent = *known;
    intent.attempts += 1;
    intent.error_code = "outcome_unknown";
    intent.error_message = unknown.reason;
    if (unknown.stored) {
      intent = intent.operation == IntentOperation::create_customer ? intent : rekeyed(std::move(intent), task.now);
      intent.look_first = intent.operation == IntentOperation::create_customer;
    }
    intent.next_attempt_at = task.now + backoff(retry, intent.attempts, static_cast<std::uint64_t>(intent.seq));
    change.intents.push_back(std::move(intent));
  }
  return change;
}

ChangeSet say_why(const PushTask& task, const CustomerSnapshot& snapshot, const NotAsked& why) {
  auto change = change_of(origin_of(task));
  if (const auto* known = waiting(task, snapshot)) {
    auto intent = *known;
    intent.error_code = why.code;
    intent.error_message = why.reason;
    change.intents.push_back(std::move(intent));
  }
  return change;
}

// The customer was mapped by other ways; whatever differs from what Stripe has is told as an update.
ChangeSet turn_into_update(const PushTask& task, const CustomerSnapshot& snapshot) {
  auto change = change_of(origin_of(task));
  const auto* intent = waiting(task, snapshot);
  if (intent == nullptr || !snapshot.customer) {
    return change;
  }
  change.intents.push_back(superseded(*intent, task.now, "the customer is in Stripe already"));
  const auto names = changed_fields(known_fields(snapshot), snapshot.customer->fields);
  if (!names.empty() && !is_gone(snapshot)) {
    change.new_intents.push_back(
        update({task.scope, task.customer_id, task.now, intent->request_id}, snapshot.customer->fields, names));
  }
  return change;
}

// By the time Stripe has answered, our customer may have been mapped to another Stripe customer: never a guess.
std::optional<std::string> mapped_elsewhere(const CustomerSnapshot& snapshot, const stripe::CustomerState& state) {
  if (!snapshot.mapping || snapshot.mapping->provider_entity_id == state.id.str()) {
    return std::nullopt;
  }
  return "Stripe has made " + state.id.str() + " for a customer that is already mapped to " +
         snapshot.mapping->provider_entity_id + "; delete one of the two in Stripe";
}

// A deleted object is fetched without its fields.
stripe::CustomerState last_known(const PushTask& task, const CustomerSnapshot& snapshot) {
  if (snapshot.shadow) {
    return last_state(*snapshot.shadow);
  }
  if (const auto* answered = std::get_if<stripe::Answered>(&task.result)) {
    if (auto state = stripe::parse_customer(answered->json)) {
      return *std::move(state);
    }
  }
  stripe::CustomerState nothing;
  nothing.id = task.stripe_id;
  return nothing;
}

PushDecision on_deleted(const PushTask& task, const CustomerSnapshot& snapshot, const Settings& settings) {
  auto change = ended(task, snapshot, settled);
  take_deletion(origin_of(task), snapshot, settings, last_known(task, snapshot), task.now, change);
  return change;
}

PushDecision on_answered(const PushTask& task, const CustomerSnapshot& snapshot, const Settings& settings,
                         const stripe::Answered& answered) {
  if (task.intent.operation == IntentOperation::delete_customer) {
    return on_deleted(task, snapshot, settings);
  }
  const auto state = stripe::parse_customer(answered.json);
  if (!state) {
    return ended_refused(task, snapshot, "unreadable_answer", state.error().message);
  }
  const auto& shadow = snapshot.shadow;
  if (shadow && shadow->deleted) {
    return ended(task, snapshot, settled);
  }
  if (const auto why = mapped_elsewhere(snapshot, *state)) {
    return ended_refused(task, snapshot, "conflict", *why);
  }
  // A replayed answer says what was true when the key was first used.
  const bool is_latest = !answered.replayed && (!shadow || shadow->true_during.to < answered.true_during.from);
  if (is_latest) {
    auto change = ended(task, snapshot, settled);
    take_state(origin_of(task), snapshot, settings, *state, answered.true_during, change);
    return change;
  }
  const bool is_older = shadow && answered.true_during.to < shadow->true_during.from;
  const bool is_known = shadow && shadow->state == stripe::to_canonical(*state);
  if (!is_older && !is_known) {
    return AskAgain{};
  }
  auto change = ended(task, snapshot, settled);
  take_told(origin_of(task), snapshot, change);
  return change;
}

}  // namespace

PushStep next_step(const Intent& intent, const StripeId& mapped, stripe::Lane lane, Timestamp now) {
  const bool spent = now - intent.keyed_at >= kKeyLife;
  stripe::Call call;
  switch (intent.operation) {
    case IntentOperation::create_customer:
      if (!mapped.empty()) {
        return PushResult{AlreadyMapped{}};
      }
      if (intent.look_first || spent) {
        return LookFirst{intent.created_at - kLookBack};
      }
      call = stripe::create_customer(intent.body, intent.idempotency_key);
      break;
    case IntentOperation::update_customer:
      if (mapped.empty()) {
        return PushResult{NoCounterpart{}};
      }
      if (spent) {
        return PushResult{KeySpent{}};
      }
      call = stripe::update_customer(mapped, intent.body, intent.idempotency_key);
      break;
    case IntentOperation::delete_customer:
      if (mapped.empty()) {
        return PushResult{NoCounterpart{}};
      }
      call = stripe::delete_customer(mapped);
      break;
  }
  call.lane = lane;
  return call;
}

bool is_made_by(const stripe::CustomerState& listed, const Intent& intent, const Scope& scope) {
  const auto value = [&](std::string_view key) {
    const auto found = listed.metadata.find(std::string(key));
    return found == listed.metadata.end() ? std::string() : found->second;
  };
  return value(stripe::kMetadataCustomerId) == intent.entity_id &&
         value(stripe::kMetadataEnvironment) == scope.environment.str();
}

PushDecision decide_pushed(const PushTask& task, const CustomerSnapshot& snapshot, const Settings& settings,
                           const RetryPolicy& retry) {
  return std::visit(
      Overloaded{
          [&](const stripe::Answered& answered) { return on_answered(task, snapshot, settings, answered); },
          [&](const stripe::NotFound& gone) -> PushDecision {
            return task.intent.operation == IntentOperation::delete_customer
                       ? on_deleted(task, snapshot, settings)
                       : ended_refused(task, snapshot, "resource_missing", gone.message);
          },
          [&](const stripe::Refused& why) -> PushDecision {
            return ended_refused(task, snapshot, why.code,
                                 why.param.empty() ? why.message : why.message + " (" + why.param + ")");
          },
          [&](const stripe::Unknown& unknown) -> PushDecision { return try_later(task, snapshot, unknown, retry); },
          [&](const KeySpent&) -> PushDecision { return ended(task, snapshot, rekeyed); },
          [&](const AlreadyMapped&) -> PushDecision { return turn_into_update(task, snapshot); },
          [&](const NotAsked& why) -> PushDecision { return say_why(task, snapshot, why); },
          [&](const NoCounterpart&) -> PushDecision {
            if (task.intent.operation == IntentOperation::delete_customer) {
              return ended(task, snapshot, settled);  // nothing is left to delete
            }
            return ended_refused(task, snapshot, "not_mapped",
                                 "the customer has no counterpart in Stripe any more; sync it to make a new one");
          },
      },
      task.result);
}

ChangeSet decide_pushed_fetched(const PushTask& task, const CustomerSnapshot& snapshot, const Settings& settings,
                                const stripe::CustomerState& fetched, const TrueInterval& true_during) {
  auto change = ended(task, snapshot, settled);
  if (snapshot.shadow && snapshot.shadow->deleted) {
    return change;
  }
  if (fetched.deleted) {
    take_deletion(origin_of(task), snapshot, settings, last_known(task, snapshot), true_during.to, change);
    return change;
  }
  const auto known = snapshot.shadow ? later(snapshot.shadow->true_during, true_during) : true_during;
  take_state(origin_of(task), snapshot, settings, fetched, known, change);
  return change;
}

ChangeSet decide_pushed_unanswered(const PushTask& task, const CustomerSnapshot& snapshot, const Settings& settings) {
  auto change = ended(task, snapshot, settled);
  const auto* answered = std::get_if<stripe::Answered>(&task.result);
  const auto state = answered != nullptr ? stripe::parse_customer(answered->json)
                                         : fail(ErrorCode::internal_error, "only an answer has a state");
  if (!state) {
    return change;
  }
  if (answered->replayed && snapshot.shadow) {
    take_told(origin_of(task), snapshot, change);  // it may be older than what is known
    change.stripe_object = snapshot.shadow;
    change.stripe_object->version += 1;
  } else {
    const auto known =
        snapshot.shadow ? later(snapshot.shadow->true_during, answered->true_during) : answered->true_during;
    take_state(origin_of(task), snapshot, settings, *state, known, change);
  }
  change.stripe_object->needs_reconcile = true;
  return change;
}

ChangeSet decide_pushed_unconfirmed(const PushTask& task, const CustomerSnapshot& snapshot, const std::string& why,
                                    const RetryPolicy& retry) {
  return try_later(task, snapshot, stripe::Unknown{why, false}, retry);
}

ChangeSet decide_push_conflict(const PushTask& task, const CustomerSnapshot& snapshot, const std::string& why) {
  return ended_refused(task, snapshot, "conflict", why);
}

}  // namespace flexsync::sync
