// What an entity's actor (so far: a customer's) does with an API command, and with what became of an intent.
#include <caf/all.hpp>
#include <variant>

#include "actors/entity_sync.hpp"
#include "actors/overloaded.hpp"
#include "sync/customer_command.hpp"
#include "telemetry/failpoint.hpp"

namespace flexsync::actors {

namespace {

// Stripe could not be asked now, but may be later; nothing: asking again gives the same.
std::optional<std::string> why_not_now(const stripe::CallOutcome& outcome) {
  return std::visit(Overloaded{
                        [](const stripe::RetryLater& later) { return std::optional(later.reason); },
                        [](const stripe::NotConnected& paused) { return std::optional(paused.reason); },
                        [](const stripe::Unknown& unknown) { return std::optional(unknown.reason); },
                        [](const auto&) { return std::optional<std::string>(); },
                    },
                    outcome);
}

}  // namespace

// --- commands -----------------------------------------------------------------------------------------------------

void entity_sync_state::decide_command() {
  const auto decision = sync::decide_command({args.epoch, command()->question(), now()}, snapshot_);
  std::visit(Overloaded{
                 [this](const ChangeSet& change) { write(change); },
                 [this](const sync::Unchanged& unchanged) {
                   const auto asked = command();
                   wait_or_answer(asked, unchanged.reply);
                   next_after_head();
                 },
                 [this](const Error& error) { fail_command(error.code, error.message); },
             },
             decision);
}

void entity_sync_state::on_command_committed() {
  FLEXSYNC_FAILPOINT("outbox.intent_committed");
  const auto asked = command();
  CustomerReply reply{*snapshot_.customer, snapshot_.mapping, std::nullopt};
  if (!writing_->new_intents.empty()) {
    reply.intent = snapshot_.intents.back();
  }
  wait_or_answer(asked, std::move(reply));
  next_after_head();
}

// Durable is done, unless the caller waits for Stripe.
void entity_sync_state::wait_or_answer(const PendingCommandPtr& asked, CustomerReply reply) {
  const auto wait = asked->question().wait;
  if (!wait || !reply.intent) {
    answer_command(asked, std::move(reply));
    return;
  }
  const auto intent = reply.intent->id;
  asked->set_otherwise(std::move(reply));
  waiting_.emplace(++waiters_, Waiter{intent, asked});
  self->delayed_send(self, *wait, expire_atom::value, waiters_);
}

void entity_sync_state::answer_waiting(const Intent& intent) {
  std::erase_if(waiting_, [&](const auto& entry) {
    const auto& waiter = entry.second;
    if (waiter.intent == intent.id) {
      answer_command(waiter.command, CustomerReply{*snapshot_.customer, snapshot_.mapping, intent});
    }
    return waiter.intent == intent.id;
  });
}

void entity_sync_state::on_expired(std::uint64_t waiter) {
  if (waiting_.erase(waiter) > 0) {  // it hears how far its intent had come
    self->send(args.supervisor, done_atom::value, args.entity);
  }
}

void entity_sync_state::answer_command(const PendingCommandPtr& asked, Result<CustomerReply> reply) {
  asked->answer(std::move(reply));
  self->send(args.supervisor, done_atom::value, args.entity);
}

void entity_sync_state::fail_command(ErrorCode code, const std::string& message) {
  answer_command(command(), fail(code, message));
  next_after_head();
}

// --- what became of intents ---------------------------------------------------------------------------------------

sync::PushTask entity_sync_state::push_task() const {
  return {args.scope, args.epoch, customer_id(), push()->intent, push()->stripe_id, push()->result, now()};
}

void entity_sync_state::decide_push() {
  auto decision =
      sync::decide_pushed(push_task(), snapshot_, args.services->config.sync, args.services->config.push_retry);
  if (auto* change = std::get_if<ChangeSet>(&decision)) {
    book(std::move(*change));
  } else {
    fetch({"customer", push()->stripe_id});
  }
}

void entity_sync_state::book(ChangeSet change) {
  if (change.intents.empty() && !change.stripe_object) {
    finish_push(false);  // its echo has said it all before
    return;
  }
  FLEXSYNC_FAILPOINT("outbox.before_booking");
  write(std::move(change));
}

void entity_sync_state::on_push_fetched(const stripe::CallOutcome& outcome) {
  const auto& settings = args.services->config.sync;
  if (const auto* found = std::get_if<stripe::Answered>(&outcome)) {
    if (const auto state = stripe::parse_customer(found->json)) {
      fetched_ = sync::Fetched{*state, found->true_during};
      write(sync::decide_pushed_fetched(push_task(), snapshot_, settings, *state, found->true_during));
      return;
    }
  }
  const auto passing = why_not_now(outcome);
  if (passing && push()->intent.attempts + 1 < args.services->config.refetch_attempts_max) {
    book(sync::decide_pushed_unconfirmed(push_task(), snapshot_, *passing, args.services->config.push_retry));
  } else {
    write(sync::decide_pushed_unanswered(push_task(), snapshot_, settings));
  }
}

void entity_sync_state::finish_push(bool again) {
  self->send(args.supervisor, booked_atom::value, args.entity, push()->intent.seq, again);
  next_after_head();
}

}  // namespace flexsync::actors
