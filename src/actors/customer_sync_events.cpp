// What a customer's actor does with an event: decide, perhaps ask Stripe, settle or park.
#include <caf/all.hpp>
#include <variant>

#include "actors/customer_sync.hpp"
#include "actors/overloaded.hpp"

namespace flexsync::actors {

sync::CustomerTask customer_sync_state::event_task() const {
  const auto& routed = *event();
  sync::CustomerTask task{args.scope, args.epoch,        args.customer_id,  routed.event,
                          routed.seq, routed.was_parked, routed.request_id, now()};
  task.before_fetch = before_fetch_ > 0 && routed.event.state.id == fetched_object_;
  return task;
}

void customer_sync_state::decide_event() {
  carry_out(sync::decide(event_task(), snapshot_, args.services->config.customer));
}

void customer_sync_state::carry_out(sync::CustomerDecision decision) {
  std::visit(Overloaded{
                 [this](ChangeSet& change) { write(std::move(change)); },
                 [this](const sync::Refetch&) { fetch(event()->event.state.id); },
                 [this](const sync::Conflict& conflict) {
                   park(sync::given_up(event()->attempts, now(), "conflict", conflict.message));
                 },
             },
             decision);
}

void customer_sync_state::on_event_fetched(const stripe::CallOutcome& outcome) {
  const auto& config = args.services->config;
  const auto unanswered = [&](const std::string& why) {
    carry_out(sync::decide_unanswered(event_task(), snapshot_, config.customer, why));
  };
  const auto again = [&](const std::string& reason) {
    if (event()->attempts + 1 >= config.refetch_attempts_max) {
      unanswered(reason);
    } else {
      park(sync::after_failure(config.retry, event()->attempts, static_cast<std::uint64_t>(event()->seq), now(),
                               "stripe_unavailable", reason));
    }
  };
  std::visit(Overloaded{
                 [&](const stripe::Answered& found) {
                   const auto state = stripe::parse_customer(found.json);
                   if (!state) {
                     unanswered("Stripe's answer could not be read: " + state.error().message);
                     return;
                   }
                   fetched_ = true;
                   carry_out(sync::decide_fetched(event_task(), snapshot_, config.customer, *state, found.true_during));
                 },
                 [&](const stripe::NotFound&) { unanswered("Stripe does not know the customer"); },
                 [&](const stripe::Refused& reason) { unanswered(reason.message); },
                 [&](const stripe::NotConnected& reason) { unanswered(reason.reason); },
                 [&](const stripe::RetryLater& reason) { again(reason.reason); },
                 [&](const stripe::Unknown& reason) { again(reason.reason); },
             },
             outcome);
}

// For a uniqueness rule deciding again gives the same; any other is a fault of ours.
void customer_sync_state::on_event_refused(const ChangeReply& reply) {
  if (writing_->parked) {
    retry_later();  // not even parking it worked: the inbox still has it
  } else if (reply.result == ChangeResult::conflict) {
    park(sync::given_up(event()->attempts, now(), "conflict", reply.message));
  } else {
    park(sync::after_failure(args.services->config.retry, event()->attempts, static_cast<std::uint64_t>(event()->seq),
                             now(), "rejected", reply.message));
  }
}

void customer_sync_state::park(ParkedEvent parked) {
  const auto at = event_task();
  ChangeSet change;
  change.scope = args.scope;
  change.epoch = args.epoch;
  change.settlement =
      InboxSettlement{at.seq, at.event.id, InboxOutcome::parked, parked.error_message, at.was_parked, at.now};
  change.parked = std::move(parked);
  write(std::move(change));
}

void customer_sync_state::finish_event(bool parked) {
  self->send(args.supervisor, finished_atom::value, args.customer_id, event()->seq, parked);
  next_after_head();
}

}  // namespace flexsync::actors
