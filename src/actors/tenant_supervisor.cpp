#include "actors/tenant_supervisor.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "actors/entity_sync.hpp"
#include "actors/event_catch_up.hpp"
#include "actors/log_failure.hpp"
#include "actors/outbox_sender.hpp"
#include "actors/parking.hpp"
#include "actors/reconciler.hpp"
#include "actors/stripe_client.hpp"
#include "actors/usage_timer.hpp"
#include "sync/failure.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

constexpr std::chrono::seconds kDueInterval{1};
constexpr std::chrono::seconds kDueAttention{60};

void handle_failures(tenant_supervisor_state::pointer self) {
  self->set_down_handler([self](caf::down_msg& down) { self->state.on_entity_down(down); });
  log_failure(self, tenant_supervisor_state::name, "tenant_id", self->state.scope.tenant.str());
}

}  // namespace

tenant_supervisor_state::~tenant_supervisor_state() {
  for (const auto& [id, record] : entities_.records()) {
    caf::anon_send_exit(record.actor, caf::exit_reason::user_shutdown);  // they do not outlive who feeds them
  }
}

void tenant_supervisor_state::init(pointer self_pointer, ServicesPtr used_services, Scope own_scope) {
  self = self_pointer;
  services = std::move(used_services);
  scope = std::move(own_scope);
  metrics.emplace(services->metrics, name);
  // Their failure is ours: the node supervisor starts the whole tenant again.
  stripe_client_ = self->spawn<caf::linked>(actors::stripe_client, services, scope);
  outbox_sender_ = self->spawn<caf::linked>(
      actors::outbox_sender, OutboxSenderArgs{services, scope, tenant_supervisor_actor{self}, stripe_client_});
  usage_timer_ = self->spawn<caf::linked>(actors::usage_timer, services, scope, stripe_client_);
  event_catch_up_ = self->spawn<caf::linked>(actors::event_catch_up, services, scope, stripe_client_);
  reconciler_ = self->spawn<caf::linked>(actors::reconciler, services, scope, stripe_client_);
  next_sweep_ = services->clock.now() + services->config.sweep_interval;
}

// --- supervision --------------------------------------------------------------------------------------------------

void tenant_supervisor_state::on_deposed() {
  log::warn("another supervisor owns this tenant now", {{"tenant_id", scope.tenant.str()}});
  self->quit(caf::exit_reason::user_shutdown);
}

// The event at the head of its queue is blamed: it is parked, so that a poison event ends as a dead letter even if it
// takes the process with it. The others wait in the database until the actor is started again: objects that fail and
// fail must not fill what the tenant may have in flight.
void tenant_supervisor_state::on_entity_down(const caf::down_msg& down) {
  const auto id = entities_.entity_of(down.source);
  if (!id) {
    return;
  }
  auto& record = *entities_.find(*id);
  record.down = true;
  ++record.failures;
  services->metrics.actor_restarts(actor_name(id->kind)).Increment();
  log::error("an entity actor failed", {{"entity_id", id->id}, {"reason", caf::to_string(down.reason)}});
  commands_ -= static_cast<std::size_t>(std::exchange(record.commands, 0));  // their callers hear of it
  record.parents = 0;
  for (const auto seq : std::exchange(record.pushes, {})) {
    self->send(outbox_sender_, booked_atom::value, seq, true);
  }
  if (!record.in_flight.empty()) {
    const auto blamed = record.in_flight.front();
    record.in_flight.erase(record.in_flight.begin());
    blamed_[blamed->seq] = *id;
    ++record.parking;  // what the actor wrote last may still be on its way
    park(blamed->event.id, blamed->seq, blamed->was_parked,
         after_failure(*blamed, services->config, services->clock.now(), "actor_failed",
                       "the actor failed while applying the event"));
  }
  for (const auto& event : std::exchange(record.in_flight, {})) {
    feed_.hold_back(event->seq);
  }
  const sync::RetryPolicy policy{0, services->config.restart_base, services->config.restart_cap};
  self->delayed_send(self, sync::backoff(policy, record.failures, std::hash<EntityKey>{}(*id)), respawn_atom::value,
                     *id);
}

void tenant_supervisor_state::on_respawn(const EntityKey& id) {
  auto* record = entities_.find(id);
  if (record == nullptr || !record->down) {
    return;
  }
  record->down = false;
  spawn(id, *record);
  for (const auto& object : record->objects) {
    resume_if_skipped(object);
  }
  pump();
}

void tenant_supervisor_state::on_tick() {
  const auto now = services->clock.now();
  self->delayed_send(self, services->config.tick, tick_atom::value);
  if (epoch_ == 0) {
    if (!reading_) {
      own();
    }
    return;
  }
  // What was parked lately is looked for every second; older ones are found by the node supervisor's sweep.
  if (now >= next_due_ && now < parked_at_ + kDueAttention) {
    due_ = true;
    next_due_ = now + kDueInterval;
  }
  if (now >= next_sweep_) {
    sweep();
  }
  pump();
}

void tenant_supervisor_state::sweep() {
  next_sweep_ = services->clock.now() + services->config.sweep_interval;
  services->inbox.save_watermark(scope, feed_.sweep());
  woken_ = true;
  self->send(outbox_sender_, wake_atom::value);
  for (const auto& object : feed_.skipped()) {
    const auto ids = entities_.entities_of(object);
    const auto is_idle = [&](const auto& id) {
      const auto& record = *entities_.find(id);
      return record.in_flight.empty() && !record.down;
    };
    if (std::all_of(ids.begin(), ids.end(), is_idle)) {
      resume_if_skipped(object);
    }
  }
  for (const auto& stopped : entities_.passivate(reads_begun_, services->clock.now() - services->config.entity_idle)) {
    self->demonitor(stopped.address());
    self->send_exit(stopped, caf::exit_reason::user_shutdown);
  }
}

tenant_supervisor_actor::behavior_type tenant_supervisor(tenant_supervisor_state::pointer self, ServicesPtr services,
                                                         Scope scope) {
  auto& state = self->state;
  state.init(self, std::move(services), std::move(scope));
  handle_failures(self);
  state.own();
  self->delayed_send(self, state.services->config.tick, tick_atom::value);
  return {
      [&state](wake_atom) { state.on_wake(); },
      [&state](due_atom) { state.on_due(); },
      [&state, self](finished_atom, const EntityKey& entity, std::int64_t seq, bool parked) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_finished(entity, seq, parked);
      },
      [&state, self](execute_atom, const PendingCommandPtr& command) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_execute(command);
      },
      [&state](parent_atom, const PendingParentPtr& asked) { state.on_parent(asked); },
      [&state](parent_atom, const EntityKey& entity) { state.on_parent_answered(entity); },
      [&state](ask_atom, const PendingCallPtr& call) { state.on_ask(call); },
      [&state](rekeyed_atom) { state.on_rekeyed(); },
      [&state](done_atom, const EntityKey& entity) { state.on_done(entity); },
      [&state](queued_atom, const EntityKey& entity, bool hurry) { state.on_queued(entity, hurry); },
      [&state](booked_atom, const EntityKey& entity, std::int64_t intent, bool again) {
        state.on_booked(entity, intent, again);
      },
      [&state](pushed_atom, const PushPtr& push) { state.on_pushed(push); },
      [&state](deposed_atom) { state.on_deposed(); },
      [&state](tick_atom) { state.on_tick(); },
      [&state](owned_atom, const OwnershipPtr& owned) { state.on_owned(*owned); },
      [&state, self](page_atom, const InboxPagePtr& page, bool parked) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_page(*page, parked);
      },
      [&state](claims_atom, const FoundPtr& claims) { state.on_claims(*claims); },
      [&state](found_atom, const FoundPtr& found) { state.on_found(*found); },
      [&state](settled_atom, std::int64_t seq, const ChangeReplyPtr& reply) { state.on_settled(seq, *reply); },
      [&state](respawn_atom, const EntityKey& entity) { state.on_respawn(entity); },
  };
}

}  // namespace flexsync::actors
