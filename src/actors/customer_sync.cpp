// What all work of a customer's actor has in common: its queue, the snapshot, writing, and the behaviour.
#include "actors/customer_sync.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "actors/overloaded.hpp"
#include "telemetry/failpoint.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

void customer_sync_state::init(pointer self_pointer, CustomerSyncArgs arguments) {
  self = self_pointer;
  args = std::move(arguments);
  metrics.emplace(args.services->metrics, name);
}

void customer_sync_state::enqueue(CustomerWork work) {
  queue_.push_back(std::move(work));
  if (!busy_) {
    next();
  }
}

void customer_sync_state::next() {
  busy_ = !queue_.empty();
  if (!busy_) {
    return;
  }
  stale_retries_ = 0;
  refusals_ = 0;
  if (is_loaded()) {
    decide();
    return;
  }
  const auto* fresh = std::get_if<RoutedEventPtr>(&queue_.front());
  const auto* command = std::get_if<PendingCommandPtr>(&queue_.front());
  const bool creates = command != nullptr && std::holds_alternative<CreateCustomer>((*command)->question().action);
  if (!loaded_ && (creates || (fresh != nullptr && (*fresh)->fresh))) {
    snapshot_ = {};
    loaded_ = true;
    loaded_for_ = fresh != nullptr ? (*fresh)->event.state.id : StripeId{};
    decide();
  } else {
    load();
  }
}

// Whether the snapshot holds what the head needs: its Stripe object's shadow, of a command the mapped one's.
bool customer_sync_state::is_loaded() const {
  if (!loaded_) {
    return false;
  }
  return std::visit(
      Overloaded{
          [&](const RoutedEventPtr& routed) { return loaded_for_ == routed->event.state.id; },
          [&](const PendingCommandPtr&) {
            return !snapshot_.mapping || loaded_for_.str() == snapshot_.mapping->provider_entity_id;
          },
          [&](const PushPtr& pushed) { return pushed->stripe_id.empty() || loaded_for_ == pushed->stripe_id; },
      },
      queue_.front());
}

void customer_sync_state::load() {
  loaded_ = false;
  const auto wanted = std::visit(Overloaded{
                                     [](const RoutedEventPtr& routed) { return routed->event.state.id; },
                                     [](const PendingCommandPtr&) { return StripeId{}; },
                                     [](const PushPtr& pushed) { return pushed->stripe_id; },
                                 },
                                 queue_.front());
  loaded_for_ = wanted;
  args.services->snapshots.load({args.scope, {EntityKind::customer, args.customer_id.str()}, {"customer", wanted}},
                                [home = customer_sync_actor{self}](Result<EntitySnapshot> stored) {
                                  caf::anon_send(home, loaded_atom::value,
                                                 std::make_shared<const Result<EntitySnapshot>>(std::move(stored)));
                                });
}

void customer_sync_state::on_loaded(const Result<EntitySnapshot>& stored) {
  if (!stored) {
    if (std::holds_alternative<PendingCommandPtr>(queue_.front())) {
      fail_command(stored.error().code, stored.error().message);
    } else {
      retry_later();
    }
    return;
  }
  snapshot_ = *stored;
  loaded_ = true;
  if (loaded_for_.empty() && snapshot_.mapping) {
    loaded_for_ = StripeId{snapshot_.mapping->provider_entity_id};
  }
  decide();
}

void customer_sync_state::decide() {
  fetched_ = false;
  std::visit(Overloaded{
                 [this](const RoutedEventPtr&) { decide_event(); },
                 [this](const PendingCommandPtr&) { decide_command(); },
                 [this](const PushPtr&) { decide_push(); },
             },
             queue_.front());
}

void customer_sync_state::fetch(const StripeId& id) {
  FLEXSYNC_FAILPOINT("customer.before_refetch");
  waiting_at_fetch_ = queue_.size();
  self->request(args.stripe_client, args.services->config.stripe_answer_timeout, call_atom::value,
                std::make_shared<const stripe::Call>(stripe::retrieve("customer", id)))
      .then([this](const CallOutcomePtr& outcome) { on_fetched(*outcome); },
            [this](const caf::error&) {
              on_fetched(stripe::Unknown{"the Stripe client did not answer", false});
            });
}

void customer_sync_state::on_fetched(const stripe::CallOutcome& outcome) {
  if (std::holds_alternative<PushPtr>(queue_.front())) {
    on_push_fetched(outcome);
  } else {
    on_event_fetched(outcome);
  }
}

void customer_sync_state::write(ChangeSet change) {
  FLEXSYNC_FAILPOINT("customer.before_submit");
  writing_ = std::make_shared<const ChangeSet>(std::move(change));
  args.services->changes.submit(*writing_, [home = customer_sync_actor{self}](ChangeReply reply) {
    caf::anon_send(home, written_atom::value, std::make_shared<const ChangeReply>(std::move(reply)));
  });
}

void customer_sync_state::on_written(const ChangeReply& reply) {
  switch (reply.result) {
    case ChangeResult::committed:
      FLEXSYNC_FAILPOINT("customer.after_commit");
      absorb(reply.intent_seqs);
      std::visit(Overloaded{
                     [this](const RoutedEventPtr&) {
                       args.services->metrics.inbox_outcomes(to_string(writing_->settlement->outcome)).Increment();
                       finish_event(writing_->parked.has_value());
                     },
                     [this](const PendingCommandPtr&) { on_command_committed(); },
                     [this](const PushPtr&) { finish_push(false); },
                 },
                 CustomerWork(queue_.front()));
      return;
    case ChangeResult::already_settled:
      loaded_ = false;  // somebody else moved it on
      finish_event(false);
      return;
    case ChangeResult::stale_version:
      on_stale();
      return;
    case ChangeResult::stale_epoch:
      self->send(args.supervisor, deposed_atom::value);
      return;
    case ChangeResult::conflict:
    case ChangeResult::rejected:
      on_refused(reply);
      return;
    case ChangeResult::unavailable:
      if (std::holds_alternative<PendingCommandPtr>(queue_.front())) {
        loaded_ = false;
        fail_command(ErrorCode::service_unavailable,
                     "the store cannot be reached, and whether the change was stored is not known: read it, then try "
                     "again");
      } else {
        retry_later();
      }
      return;
  }
}

// What was committed is what is stored now.
void customer_sync_state::absorb(const std::vector<std::int64_t>& intent_seqs) {
  if (writing_->customer) {
    snapshot_.customer = writing_->customer;
  }
  if (writing_->mapping) {
    snapshot_.mapping = writing_->mapping;
    if (snapshot_.mapping->status != Status::published) {
      snapshot_.mapping.reset();
    }
  }
  if (writing_->stripe_object) {
    snapshot_.shadow = writing_->stripe_object;
    loaded_for_ = writing_->stripe_object->stripe_id;
    if (fetched_) {
      before_fetch_ = waiting_at_fetch_;
      fetched_object_ = loaded_for_;
    }
  }
  auto& intents = snapshot_.intents;
  for (const auto& intent : writing_->intents) {
    const auto known =
        std::find_if(intents.begin(), intents.end(), [&](const auto& other) { return other.id == intent.id; });
    if (known != intents.end() && intent.state == IntentState::ready) {
      *known = intent;
    } else if (known != intents.end()) {
      intents.erase(known);
    }
  }
  for (std::size_t i = 0; i < writing_->new_intents.size(); ++i) {
    intents.push_back(writing_->new_intents[i]);
    intents.back().seq = intent_seqs.at(i);
  }
  for (const auto& intent : writing_->intents) {
    if (intent.state != IntentState::ready) {
      answer_waiting(intent);
    }
  }
  if (!writing_->new_intents.empty() || !writing_->intents.empty()) {
    const auto* asked = std::get_if<PendingCommandPtr>(&queue_.front());
    self->send(args.supervisor, queued_atom::value, args.customer_id,
               asked != nullptr && (*asked)->question().wait.has_value());
  }
}

// A row has moved on under the decision: decide again, from what is stored now.
void customer_sync_state::on_stale() {
  if (++stale_retries_ <= args.services->config.stale_retries_max) {
    load();
    return;
  }
  const std::string why = "the customer's row kept changing under the decision";
  std::visit(Overloaded{
                 [&](const RoutedEventPtr& routed) {
                   park(sync::after_failure(args.services->config.retry, routed->attempts,
                                            static_cast<std::uint64_t>(routed->seq), now(), "version_conflict", why));
                 },
                 [&](const PendingCommandPtr&) { fail_command(ErrorCode::version_conflict, why + ": try again"); },
                 [&](const PushPtr&) { finish_push(true); },
             },
             CustomerWork(queue_.front()));
}

// A rule of the database refused it.
void customer_sync_state::on_refused(const ChangeReply& reply) {
  const bool is_command = std::holds_alternative<PendingCommandPtr>(queue_.front());
  if (!is_command || reply.result != ChangeResult::conflict) {  // a caller hears of its own mistake
    log::error("a change set was refused", {{"customer_id", args.customer_id.str()}, {"error", reply.message}});
  }
  if (is_command) {
    loaded_ = false;
    fail_command(reply.result == ChangeResult::conflict ? ErrorCode::already_exists : ErrorCode::database_error,
                 reply.message);
  } else if (++refusals_ == 1 && reply.result == ChangeResult::conflict && !writing_->parked) {
    load();  // it may be a row of our own predecessor's, not yet in the snapshot
  } else if (std::holds_alternative<RoutedEventPtr>(queue_.front())) {
    on_event_refused(reply);
  } else if (refusals_ <= 2) {
    write(sync::decide_push_conflict(push_task(), snapshot_, reply.message));
  } else {
    finish_push(true);
  }
}

// The store cannot be reached: no fault of the work's, so no attempt is counted. The decision is taken anew from a
// fresh snapshot, for the commit may have happened after all.
void customer_sync_state::retry_later() {
  loaded_ = false;
  self->delayed_send(self, args.services->config.store_retry, retry_atom::value, ++step_);
}

void customer_sync_state::on_retry(std::uint64_t step) {
  if (step == step_ && !queue_.empty()) {
    load();
  }
}

void customer_sync_state::next_after_head() {
  queue_.erase(queue_.begin());
  before_fetch_ -= before_fetch_ > 0 ? 1 : 0;
  writing_.reset();
  next();
}

customer_sync_actor::behavior_type customer_sync(customer_sync_state::pointer self, CustomerSyncArgs args) {
  auto& state = self->state;
  state.init(self, std::move(args));
  self->set_exception_handler([self](std::exception_ptr& e) -> caf::error {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& failure) {
      log::error("customer_sync failed",
                 {{"customer_id", self->state.args.customer_id.str()}, {"error", failure.what()}});
    }
    return caf::sec::runtime_error;
  });
  return {
      [&state, self](apply_atom, RoutedEventPtr event) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.enqueue(std::move(event));
      },
      [&state, self](execute_atom, PendingCommandPtr command) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.enqueue(std::move(command));
      },
      [&state, self](pushed_atom, PushPtr push) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.enqueue(std::move(push));
      },
      [&state](expire_atom, std::uint64_t waiter) { state.on_expired(waiter); },
      [&state, self](loaded_atom, const StoredCustomerPtr& stored) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_loaded(*stored);
      },
      [&state, self](written_atom, const ChangeReplyPtr& reply) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_written(*reply);
      },
      [&state](retry_atom, std::uint64_t step) { state.on_retry(step); },
  };
}

}  // namespace flexsync::actors
