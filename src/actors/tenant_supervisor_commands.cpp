// The way out through the tenant supervisor: API commands in, intents to the outbox's sender, outcomes back.
#include <algorithm>
#include <caf/all.hpp>

#include "actors/tenant_supervisor.hpp"

namespace flexsync::actors {

void tenant_supervisor_state::on_execute(const PendingCommandPtr& command) {
  const auto& config = services->config;
  if (epoch_ == 0 && early_commands_.size() < config.commands_max) {
    early_commands_.push_back(command);
    return;
  }
  const EntityKey id{EntityKind::customer, command->question().customer_id.str()};
  const auto* known = entities_.find(id);
  if (epoch_ == 0 || commands_ >= config.commands_max) {
    command->answer(
        fail(ErrorCode::too_many_requests, "too many changes of this environment are under way: try later"));
    return;
  }
  if (known != nullptr && known->down) {
    command->answer(fail(ErrorCode::service_unavailable, "customer " + id.id + " is recovering: try again"));
    return;
  }
  if (known != nullptr && known->load() >= config.entity_queue_max) {
    command->answer(fail(ErrorCode::too_many_requests, "too many changes of customer " + id.id + " wait: try later"));
    return;
  }
  auto& record = entity(id);
  ++record.commands;
  ++commands_;
  self->send(record.actor, execute_atom::value, command);
}

void tenant_supervisor_state::on_done(const EntityKey& id) {
  if (auto* record = entities_.find(id); record != nullptr && record->commands > 0) {
    --record->commands;
    --commands_;
    record->finished_at_read = reads_begun_;
    record->idle_since = services->clock.now();
  }
}

void tenant_supervisor_state::on_queued(const EntityKey& id, bool hurry) {
  if (hurry) {
    self->send(outbox_sender_, hurry_atom::value, id.id);
  } else {
    self->send(outbox_sender_, wake_atom::value);
  }
}

void tenant_supervisor_state::on_pushed(const PushPtr& push) {
  const EntityKey id{EntityKind::customer, push->intent.entity_id};
  const auto* known = entities_.find(id);
  if (epoch_ == 0 || (known != nullptr && known->down)) {
    self->send(outbox_sender_, booked_atom::value, push->intent.seq, true);
    return;
  }
  auto& record = entity(id);
  if (!push->stripe_id.empty()) {
    entities_.link(push->stripe_id.str(), id);
  }
  record.pushes.push_back(push->intent.seq);
  self->send(record.actor, pushed_atom::value, push);
}

void tenant_supervisor_state::on_booked(const EntityKey& id, std::int64_t intent, bool again) {
  if (auto* record = entities_.find(id)) {
    std::erase(record->pushes, intent);
    record->finished_at_read = reads_begun_;
    record->idle_since = services->clock.now();
  }
  self->send(outbox_sender_, booked_atom::value, intent, again);
}

// Somebody outside asks Stripe, as the actors do: within the same limits.
void tenant_supervisor_state::on_ask(const PendingCallPtr& call) {
  self->request(stripe_client_, services->config.stripe_answer_timeout, call_atom::value,
                std::make_shared<const stripe::Call>(call->question()))
      .then([call](const CallOutcomePtr& outcome) { call->answer(*outcome); }, [call](const caf::error&) {});
}

void tenant_supervisor_state::on_rekeyed() {
  self->send(stripe_client_, rekeyed_atom::value);
  self->send(outbox_sender_, rekeyed_atom::value);
  self->send(usage_timer_, rekeyed_atom::value);
  self->send(event_catch_up_, rekeyed_atom::value);
  self->send(reconciler_, rekeyed_atom::value);
}

}  // namespace flexsync::actors
