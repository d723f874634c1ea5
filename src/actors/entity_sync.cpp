// What all work of an entity's actor has in common: its queue, the snapshot, writing, and the behaviour.
#include "actors/entity_sync.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "actors/log_failure.hpp"
#include "actors/overloaded.hpp"
#include "actors/parking.hpp"
#include "sync/subscription.hpp"
#include "telemetry/failpoint.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

void entity_sync_state::init(pointer self_pointer, EntitySyncArgs arguments) {
  self = self_pointer;
  args = std::move(arguments);
  metrics.emplace(args.services->metrics, actor_name(args.entity.kind));
}

void entity_sync_state::enqueue(EntityWork work) {
  queue_.push_back(std::move(work));
  if (!busy_) {
    next();
  }
}

void entity_sync_state::next() {
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
  if (!loaded_ && needs_nothing_loaded()) {
    snapshot_ = {};
    loaded_ = true;
    const auto* fresh = std::get_if<RoutedEventPtr>(&queue_.front());
    loaded_for_ = fresh != nullptr ? stripe::key_of((*fresh)->event.state) : ObjectKey{};
    decide();
  } else {
    load();
  }
}

// A creation has nothing stored; nor has an event whose object and entity are new, but that of a subscription, which
// needs its parents.
bool entity_sync_state::needs_nothing_loaded() const {
  if (const auto* command = std::get_if<PendingCommandPtr>(&queue_.front())) {
    return std::holds_alternative<CreateCustomer>((*command)->question().action);
  }
  const auto* routed = std::get_if<RoutedEventPtr>(&queue_.front());
  return routed != nullptr && (*routed)->fresh && args.entity.kind != EntityKind::subscription;
}

// Whether the snapshot holds what the head needs: its Stripe object's shadow, of a command the mapped one's.
bool entity_sync_state::is_loaded() const {
  if (!loaded_) {
    return false;
  }
  return std::visit(
      Overloaded{
          [&](const RoutedEventPtr& routed) { return loaded_for_ == stripe::key_of(routed->event.state); },
          [&](const RoutedParentPtr& routed) { return loaded_for_ == routed->asked->question().parent.object; },
          [&](const PendingCommandPtr&) {
            return !snapshot_.mapping || loaded_for_.id.str() == snapshot_.mapping->provider_entity_id;
          },
          [&](const PushPtr& pushed) { return pushed->stripe_id.empty() || loaded_for_.id == pushed->stripe_id; },
      },
      queue_.front());
}

store::SnapshotRequest entity_sync_state::wanted() const {
  const auto& settings = args.services->config.sync;
  store::SnapshotRequest request{args.scope, args.entity, {}, {}, {}, false};
  std::visit(Overloaded{
                 [&](const RoutedEventPtr& routed) {
                   const auto& state = routed->event.state;
                   request.object = stripe::key_of(state);
                   if (const auto* price = std::get_if<stripe::PriceState>(&state)) {
                     request.product = {"product", price->product};
                   } else if (const auto* subscription = std::get_if<stripe::SubscriptionState>(&state)) {
                     for (auto& parent : sync::parents_of(*subscription, settings)) {
                       request.parents.push_back(std::move(parent.object));
                     }
                   }
                 },
                 [&](const RoutedParentPtr& routed) {
                   const auto& parent = routed->asked->question().parent;
                   request.object = parent.object;
                   if (parent.object.type == "price") {
                     request.product = {"product", parent.product};
                   }
                 },
                 [](const PendingCommandPtr&) {},
                 [&](const PushPtr& pushed) {
                   request.object = {"customer", pushed->stripe_id};
                 },
             },
             queue_.front());
  request.by_mapping = request.object.type == "price" && settings.plan_source == sync::PlanSource::price;
  return request;
}

void entity_sync_state::load() {
  loaded_ = false;
  auto request = wanted();
  loaded_for_ = request.object;
  args.services->snapshots.load(std::move(request), [home = entity_sync_actor{self}](Result<EntitySnapshot> stored) {
    caf::anon_send(home, loaded_atom::value, std::make_shared<const Result<EntitySnapshot>>(std::move(stored)));
  });
}

void entity_sync_state::on_loaded(const Result<EntitySnapshot>& stored) {
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
    loaded_for_ = {"customer", StripeId{snapshot_.mapping->provider_entity_id}};
  }
  decide();
}

void entity_sync_state::decide() {
  fetched_.reset();
  unanswered_.reset();
  gone_ = false;
  parent_rounds_ = 0;
  std::visit(Overloaded{
                 [this](const RoutedEventPtr&) { decide_event(); },
                 [this](const RoutedParentPtr&) { decide_parent(); },
                 [this](const PendingCommandPtr&) { decide_command(); },
                 [this](const PushPtr&) { decide_push(); },
             },
             queue_.front());
}

void entity_sync_state::fetch(const ObjectKey& object) {
  FLEXSYNC_FAILPOINT("entity.before_refetch");
  waiting_at_fetch_ = queue_.size();
  self->request(args.stripe_client, args.services->config.stripe_answer_timeout, call_atom::value,
                std::make_shared<const stripe::Call>(stripe::retrieve(object.type, object.id)))
      .then([this](const CallOutcomePtr& outcome) { on_fetched(*outcome); },
            [this](const caf::error&) {
              on_fetched(stripe::Unknown{"the Stripe client did not answer", false});
            });
}

void entity_sync_state::on_fetched(const stripe::CallOutcome& outcome) {
  std::visit(Overloaded{
                 [&](const RoutedEventPtr&) { on_event_fetched(outcome); },
                 [&](const RoutedParentPtr&) { on_parent_fetched(outcome); },
                 [](const PendingCommandPtr&) {},  // a command asks Stripe nothing
                 [&](const PushPtr&) { on_push_fetched(outcome); },
             },
             EntityWork(queue_.front()));
}

void entity_sync_state::write(ChangeSet change) {
  FLEXSYNC_FAILPOINT("entity.before_submit");
  writing_ = std::make_shared<const ChangeSet>(std::move(change));
  args.services->changes.submit(*writing_, [home = entity_sync_actor{self}](ChangeReply reply) {
    caf::anon_send(home, written_atom::value, std::make_shared<const ChangeReply>(std::move(reply)));
  });
}

void entity_sync_state::on_written(const ChangeReply& reply) {
  switch (reply.result) {
    case ChangeResult::committed:
      FLEXSYNC_FAILPOINT("entity.after_commit");
      absorb(reply.intent_seqs);
      std::visit(Overloaded{
                     [this](const RoutedEventPtr&) {
                       args.services->metrics.inbox_outcomes(to_string(writing_->settlement->outcome)).Increment();
                       finish_event(writing_->parked.has_value());
                     },
                     [this](const RoutedParentPtr&) { on_parent_committed(); },
                     [this](const PendingCommandPtr&) { on_command_committed(); },
                     [this](const PushPtr&) { finish_push(false); },
                 },
                 EntityWork(queue_.front()));
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
void entity_sync_state::absorb(const std::vector<std::int64_t>& intent_seqs) {
  flexsync::absorb(*writing_, intent_seqs, snapshot_);
  if (writing_->stripe_object) {
    loaded_for_ = {writing_->stripe_object->object_type, writing_->stripe_object->stripe_id};
    if (fetched_) {
      before_fetch_ = waiting_at_fetch_;
      fetched_object_ = loaded_for_;
    }
  }
  for (const auto& intent : writing_->intents) {
    if (intent.state != IntentState::ready) {
      answer_waiting(intent);
    }
  }
  if (!writing_->new_intents.empty() || !writing_->intents.empty()) {
    const auto* asked = std::get_if<PendingCommandPtr>(&queue_.front());
    self->send(args.supervisor, queued_atom::value, args.entity,
               asked != nullptr && (*asked)->question().wait.has_value());
  }
}

// A row has moved on under the decision: decide again, from what is stored now.
void entity_sync_state::on_stale() {
  if (++stale_retries_ <= args.services->config.stale_retries_max) {
    load();
    return;
  }
  const std::string why = "the row of " + args.entity.id + " kept changing under the decision";
  std::visit(Overloaded{
                 [&](const RoutedEventPtr& routed) {
                   park(after_failure(*routed, args.services->config, now(), "version_conflict", why));
                 },
                 [&](const RoutedParentPtr&) { answer_parent(fail(ErrorCode::version_conflict, why)); },
                 [&](const PendingCommandPtr&) { fail_command(ErrorCode::version_conflict, why + ": try again"); },
                 [&](const PushPtr&) { finish_push(true); },
             },
             EntityWork(queue_.front()));
}

// A rule of the database refused it.
void entity_sync_state::on_refused(const ChangeReply& reply) {
  const bool is_command = std::holds_alternative<PendingCommandPtr>(queue_.front());
  if (!is_command || reply.result != ChangeResult::conflict) {  // a caller hears of its own mistake
    log::error("a change set was refused", {{"entity_id", args.entity.id}, {"error", reply.message}});
  }
  if (is_command) {
    loaded_ = false;
    fail_command(reply.result == ChangeResult::conflict ? ErrorCode::already_exists : ErrorCode::database_error,
                 reply.message);
  } else if (++refusals_ == 1 && reply.result == ChangeResult::conflict && !writing_->parked) {
    load();  // it may be a row of our own predecessor's, not yet in the snapshot
  } else if (std::holds_alternative<RoutedEventPtr>(queue_.front())) {
    on_event_refused(reply);
  } else if (std::holds_alternative<RoutedParentPtr>(queue_.front())) {
    answer_parent(fail(ErrorCode::database_error, reply.message));
  } else if (refusals_ <= 2) {
    write(sync::decide_push_conflict(push_task(), snapshot_, reply.message));
  } else {
    finish_push(true);
  }
}

// The store cannot be reached: no fault of the work's, so no attempt is counted. The decision is taken anew from a
// fresh snapshot, for the commit may have happened after all.
void entity_sync_state::retry_later() {
  loaded_ = false;
  self->delayed_send(self, args.services->config.store_retry, retry_atom::value, ++step_);
}

void entity_sync_state::on_retry(std::uint64_t step) {
  if (step == step_ && !queue_.empty()) {
    load();
  }
}

void entity_sync_state::next_after_head() {
  queue_.erase(queue_.begin());
  before_fetch_ -= before_fetch_ > 0 ? 1 : 0;
  writing_.reset();
  next();
}

const char* actor_name(EntityKind kind) {
  switch (kind) {
    case EntityKind::customer:
      return "customer_sync";
    case EntityKind::plan:
      return "plan_sync";
    case EntityKind::subscription:
      break;
  }
  return "subscription_sync";
}

entity_sync_actor::behavior_type entity_sync(entity_sync_state::pointer self, EntitySyncArgs args) {
  auto& state = self->state;
  state.init(self, std::move(args));
  log_failure(self, entity_sync_state::name, "entity_id", state.args.entity.id);
  const auto take = [&state, self](EntityWork work) {
    const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
    state.enqueue(std::move(work));
  };
  return {
      [take](apply_atom, RoutedEventPtr event) { take(std::move(event)); },
      [take](parent_atom, RoutedParentPtr asked) { take(std::move(asked)); },
      [take](execute_atom, PendingCommandPtr command) { take(std::move(command)); },
      [take](pushed_atom, PushPtr push) { take(std::move(push)); },
      [&state](expire_atom, std::uint64_t waiter) { state.on_expired(waiter); },
      [&state, self](loaded_atom, const StoredEntityPtr& stored) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_loaded(*stored);
      },
      [&state](parent_atom, std::uint64_t step, const ParentAnswerPtr& found) { state.on_parent(step, *found); },
      [&state, self](written_atom, const ChangeReplyPtr& reply) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_written(*reply);
      },
      [&state](retry_atom, std::uint64_t step) { state.on_retry(step); },
  };
}

}  // namespace flexsync::actors
