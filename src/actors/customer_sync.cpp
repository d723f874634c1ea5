#include "actors/customer_sync.hpp"

#include <caf/all.hpp>
#include <type_traits>
#include <variant>

#include "telemetry/failpoint.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

void customer_sync_state::init(pointer self_pointer, CustomerSyncArgs arguments) {
  self = self_pointer;
  args = std::move(arguments);
  metrics.emplace(args.services->metrics, name);
}

void customer_sync_state::enqueue(RoutedEventPtr event) {
  queue_.push_back(std::move(event));
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
  conflicts_ = 0;
  const auto& event = *queue_.front();
  if (loaded_for_ == event.event.state.id) {
    decide();
  } else if (event.fresh && loaded_for_.empty()) {
    snapshot_ = {};
    loaded_for_ = event.event.state.id;
    decide();
  } else {
    load();
  }
}

void customer_sync_state::load() {
  loaded_for_ = StripeId{};
  args.services->snapshots.load({args.scope, args.customer_id, queue_.front()->event.state.id},
                                [home = customer_sync_actor{self}](Result<store::StoredCustomer> stored) {
                                  caf::anon_send(
                                      home, loaded_atom::value,
                                      std::make_shared<const Result<store::StoredCustomer>>(std::move(stored)));
                                });
}

void customer_sync_state::on_loaded(const Result<store::StoredCustomer>& stored) {
  if (!stored) {
    retry_later();
    return;
  }
  snapshot_ = {stored->customer, stored->mapping, stored->shadow};
  loaded_for_ = queue_.front()->event.state.id;
  decide();
}

sync::CustomerTask customer_sync_state::task() const {
  const auto& routed = *queue_.front();
  sync::CustomerTask task{args.scope, args.epoch,        args.customer_id,  routed.event,
                          routed.seq, routed.was_parked, routed.request_id, args.services->clock.now()};
  task.before_fetch = before_fetch_ > 0 && routed.event.state.id == fetched_object_;
  return task;
}

void customer_sync_state::decide() {
  fetched_ = false;
  carry_out(sync::decide(task(), snapshot_, args.services->config.customer));
}

void customer_sync_state::carry_out(sync::CustomerDecision decision) {
  std::visit(
      Overloaded{
          [this](ChangeSet& change) { write(std::move(change)); },
          [this](const sync::Refetch&) { fetch(); },
          [this](const sync::Conflict& conflict) {
            park(sync::given_up(queue_.front()->attempts, args.services->clock.now(), "conflict", conflict.message));
          },
      },
      decision);
}

void customer_sync_state::fetch() {
  FLEXSYNC_FAILPOINT("customer.before_refetch");
  waiting_at_fetch_ = queue_.size();
  self->request(args.stripe_client, args.services->config.fetch_timeout, fetch_atom::value, std::string("customer"),
                queue_.front()->event.state.id)
      .then([this](const RetrieveOutcomePtr& outcome) { on_fetched(*outcome); },
            [this](const caf::error&) { on_fetched(stripe::RetryLater{"the Stripe client did not answer"}); });
}

void customer_sync_state::on_fetched(const stripe::RetrieveOutcome& outcome) {
  const auto& config = args.services->config;
  const auto unanswered = [&](const std::string& why) {
    carry_out(sync::decide_unanswered(task(), snapshot_, config.customer, why));
  };
  std::visit(Overloaded{
                 [&](const stripe::Found& found) {
                   const auto state = stripe::parse_customer(found.object_json);
                   if (!state) {
                     unanswered("Stripe's answer could not be read: " + state.error().message);
                     return;
                   }
                   fetched_ = true;
                   carry_out(sync::decide_fetched(task(), snapshot_, config.customer, *state, found.true_during));
                 },
                 [&](const stripe::NotFound&) { unanswered("Stripe does not know the customer"); },
                 [&](const stripe::CannotAsk& reason) { unanswered(reason.reason); },
                 [&](const stripe::RetryLater& reason) {
                   if (queue_.front()->attempts + 1 >= config.refetch_attempts_max) {
                     unanswered(reason.reason);
                   } else {
                     park(sync::after_failure(config.retry, queue_.front()->attempts,
                                              static_cast<std::uint64_t>(queue_.front()->seq),
                                              args.services->clock.now(), "stripe_unavailable", reason.reason));
                   }
                 },
             },
             outcome);
}

void customer_sync_state::park(ParkedEvent parked) {
  const auto at = task();
  ChangeSet change;
  change.scope = args.scope;
  change.epoch = args.epoch;
  change.settlement =
      InboxSettlement{at.seq, at.event.id, InboxOutcome::parked, parked.error_message, at.was_parked, at.now};
  change.parked = std::move(parked);
  write(std::move(change));
}

void customer_sync_state::write(ChangeSet change) {
  FLEXSYNC_FAILPOINT("customer.before_submit");
  writing_ = std::make_shared<const ChangeSet>(std::move(change));
  args.services->changes.submit(*writing_, [home = customer_sync_actor{self}](ChangeReply reply) {
    caf::anon_send(home, written_atom::value, std::make_shared<const ChangeReply>(std::move(reply)));
  });
}

void customer_sync_state::on_written(const ChangeReply& reply) {
  const auto& head = *queue_.front();
  switch (reply.result) {
    case ChangeResult::committed: {
      FLEXSYNC_FAILPOINT("customer.after_commit");
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
        if (fetched_) {
          before_fetch_ = waiting_at_fetch_;
          fetched_object_ = writing_->stripe_object->stripe_id;
        }
      }
      args.services->metrics.inbox_outcomes(to_string(writing_->settlement->outcome)).Increment();
      finish(writing_->parked.has_value());
      return;
    }
    case ChangeResult::already_settled:
      loaded_for_ = StripeId{};  // somebody else moved it on
      finish(false);
      return;
    case ChangeResult::stale_version:
      if (++stale_retries_ <= args.services->config.stale_retries_max) {
        load();
      } else {
        park(sync::after_failure(args.services->config.retry, head.attempts, static_cast<std::uint64_t>(head.seq),
                                 args.services->clock.now(), "version_conflict",
                                 "the customer's row kept changing under the decision"));
      }
      return;
    case ChangeResult::stale_epoch:
      self->send(args.supervisor, deposed_atom::value);
      return;
    case ChangeResult::conflict:
    case ChangeResult::rejected:
      on_refused(reply);
      return;
    case ChangeResult::unavailable:
      retry_later();
      return;
  }
}

// A rule of the database refused it. For a uniqueness rule deciding again gives the same; any other is a fault of ours.
void customer_sync_state::on_refused(const ChangeReply& reply) {
  const auto& head = *queue_.front();
  const auto now = args.services->clock.now();
  log::error("a change set was refused",
             {{"request_id", head.request_id}, {"event_id", head.event.id.str()}, {"error", reply.message}});
  if (writing_->parked) {
    retry_later();  // not even parking it worked: the inbox still has it
  } else if (reply.result == ChangeResult::conflict && ++conflicts_ == 1) {
    load();  // it may be a row of our own predecessor's, not yet in the snapshot
  } else if (reply.result == ChangeResult::conflict) {
    park(sync::given_up(head.attempts, now, "conflict", reply.message));
  } else {
    park(sync::after_failure(args.services->config.retry, head.attempts, static_cast<std::uint64_t>(head.seq), now,
                             "rejected", reply.message));
  }
}

// The store cannot be reached: no fault of the event's, so no attempt is counted. The decision is taken anew from a
// fresh snapshot, for the commit may have happened after all.
void customer_sync_state::retry_later() {
  loaded_for_ = StripeId{};
  self->delayed_send(self, args.services->config.store_retry, retry_atom::value, ++step_);
}

void customer_sync_state::on_retry(std::uint64_t step) {
  if (step == step_ && !queue_.empty()) {
    load();
  }
}

void customer_sync_state::finish(bool parked) {
  self->send(args.supervisor, finished_atom::value, args.customer_id, queue_.front()->seq, parked);
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
