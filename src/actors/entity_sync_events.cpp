// What an entity's actor does with an event: decide, perhaps ask Stripe or for parents, settle or park.
#include <algorithm>
#include <caf/all.hpp>
#include <variant>

#include "actors/entity_sync.hpp"
#include "actors/overloaded.hpp"
#include "actors/parking.hpp"

namespace flexsync::actors {

sync::EventTask entity_sync_state::event_task() const {
  const auto& routed = *event();
  sync::EventTask task{args.scope, args.epoch,        args.entity,       routed.event,
                       routed.seq, routed.was_parked, routed.request_id, now()};
  task.before_fetch = before_fetch_ > 0 && stripe::key_of(routed.event.state) == fetched_object_;
  return task;
}

void entity_sync_state::decide_event() {
  carry_out(sync::decide(event_task(), snapshot_, args.services->config.sync));
}

// With more known than before: parents, or Stripe's answer.
void entity_sync_state::decide_event_again() {
  const auto& settings = args.services->config.sync;
  if (fetched_) {
    carry_out(sync::decide_fetched(event_task(), snapshot_, settings, *fetched_));
  } else if (gone_) {
    carry_out(sync::decide_gone(event_task(), snapshot_, settings, *unanswered_));
  } else if (unanswered_) {
    carry_out(sync::decide_unanswered(event_task(), snapshot_, settings, *unanswered_));
  } else {
    decide_event();
  }
}

void entity_sync_state::carry_out(sync::Decision decision) {
  std::visit(Overloaded{
                 [this](ChangeSet& change) { write(std::move(change)); },
                 [this](const sync::Refetch&) { fetch(stripe::key_of(event()->event.state)); },
                 [this](const sync::Conflict& conflict) {
                   park(sync::given_up(event()->attempts, now(), conflict.code, conflict.message));
                 },
                 [this](const sync::Missing& missing) { ask_for(missing.parents); },
             },
             decision);
}

// --- Stripe's answer ----------------------------------------------------------------------------------------------

void entity_sync_state::on_event_fetched(const stripe::CallOutcome& outcome) {
  if (const auto* found = std::get_if<stripe::Answered>(&outcome)) {
    auto state = stripe::parse_object(stripe::key_of(event()->event.state).type, found->json);
    if (!state) {
      on_no_answer({sync::Silence::refused, "Stripe's answer could not be read: " + state.error().message});
    } else {
      take_fetched(std::move(*state), found->true_during);
    }
  } else if (const auto* reason = std::get_if<stripe::NotFound>(&outcome)) {
    gone_ = true;
    on_no_answer({sync::Silence::refused, "Stripe does not know the object: " + reason->message});
  } else {
    on_no_answer(sync::no_answer(outcome));
  }
}

void entity_sync_state::take_fetched(stripe::ObjectState state, const TrueInterval& true_during) {
  auto* subscription = std::get_if<stripe::SubscriptionState>(&state);
  if (subscription != nullptr && subscription->has_more_items) {
    fetch_items(std::move(*subscription), true_during);
    return;
  }
  fetched_ = sync::Fetched{std::move(state), true_during};
  decide_event_again();
}

// The object shows the first of its items only.
void entity_sync_state::fetch_items(stripe::SubscriptionState state, const TrueInterval& true_during) {
  const auto answered = [this, state, true_during](const stripe::CallOutcome& outcome) {
    on_items(state, true_during, outcome);
  };
  self->request(args.stripe_client, args.services->config.stripe_answer_timeout, call_atom::value,
                std::make_shared<const stripe::Call>(stripe::list_subscription_items(state.id)))
      .then([answered](const CallOutcomePtr& outcome) { answered(*outcome); },
            [answered](const caf::error&) {
              answered(stripe::Unknown{"the Stripe client did not answer", false});
            });
}

void entity_sync_state::on_items(stripe::SubscriptionState state, TrueInterval true_during,
                                 const stripe::CallOutcome& outcome) {
  if (std::holds_alternative<stripe::NotFound>(outcome)) {
    on_no_answer({sync::Silence::unavailable, "the subscription was there, its items are not"});
    return;
  }
  const auto* found = std::get_if<stripe::Answered>(&outcome);
  if (found == nullptr) {
    on_no_answer(sync::no_answer(outcome));
    return;
  }
  if (const auto taken = stripe::take_items(state, found->json); !taken) {
    on_no_answer({sync::Silence::refused, taken.error().message});
    return;
  }
  true_during.to = std::max(true_during.to, found->true_during.to);
  fetched_ = sync::Fetched{std::move(state), true_during};
  decide_event_again();
}

void entity_sync_state::on_no_answer(const sync::NoAnswer& reason) {
  if (auto parked = after_silence(*event(), args.services->config, now(), reason)) {
    park(std::move(*parked));
  } else {
    unanswered_ = reason.why;
    decide_event_again();
  }
}

// --- settled, or parked -------------------------------------------------------------------------------------------

// For a uniqueness rule deciding again gives the same; any other is a fault of ours.
void entity_sync_state::on_event_refused(const ChangeReply& reply) {
  if (writing_->parked) {
    retry_later();  // not even parking it worked: the inbox still has it
  } else if (reply.result == ChangeResult::conflict) {
    park(sync::given_up(event()->attempts, now(), "conflict", reply.message));
  } else {
    park(after_failure(*event(), args.services->config, now(), "rejected", reply.message));
  }
}

void entity_sync_state::park(ParkedEvent parked) {
  const auto at = event_task();
  ChangeSet change;
  change.scope = args.scope;
  change.epoch = args.epoch;
  change.settlement =
      InboxSettlement{at.seq, at.event.id, InboxOutcome::parked, parked.error_message, at.was_parked, at.now};
  change.parked = std::move(parked);
  change.parked->object = stripe::key_of(at.event.state);
  write(std::move(change));
}

void entity_sync_state::finish_event(bool parked) {
  self->send(args.supervisor, finished_atom::value, args.entity, event()->seq, parked);
  next_after_head();
}

}  // namespace flexsync::actors
