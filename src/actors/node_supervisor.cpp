#include "actors/node_supervisor.hpp"

#include <algorithm>
#include <caf/all.hpp>

#include "actors/tenant_supervisor.hpp"
#include "sync/failure.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

node_supervisor_state::~node_supervisor_state() {
  for (const auto& [scope, tenant] : tenants_) {
    caf::anon_send_exit(tenant.actor, caf::exit_reason::user_shutdown);
  }
}

void node_supervisor_state::init(pointer self_pointer, ServicesPtr used_services) {
  self = self_pointer;
  services = std::move(used_services);
  metrics.emplace(services->metrics, name);
}

node_supervisor_state::Tenant& node_supervisor_state::tenant(const Scope& scope) {
  const auto [entry, is_new] = tenants_.try_emplace(scope);
  if (is_new) {
    spawn(scope, entry->second);
  }
  return entry->second;
}

void node_supervisor_state::spawn(const Scope& scope, Tenant& tenant) {
  tenant.actor = self->spawn<caf::monitored>(tenant_supervisor, services, scope);
  tenant.down = false;
  tenant.started = services->clock.now();
}

void node_supervisor_state::on_wake(const Scope& scope) {
  const auto& known = tenant(scope);
  if (!known.down) {
    self->send(known.actor, wake_atom::value);
  }
}

void node_supervisor_state::on_due(const Scope& scope) {
  const auto& known = tenant(scope);
  if (!known.down) {
    self->send(known.actor, due_atom::value);
  }
}

// One that is down drops it, and with it goes the answer: come again.
void node_supervisor_state::on_execute(const PendingCommandPtr& command) {
  const auto& known = tenant(command->question().scope);
  if (!known.down) {
    self->send(known.actor, execute_atom::value, command);
  }
}

void node_supervisor_state::on_ask(const Scope& scope, const PendingCallPtr& call) {
  const auto& known = tenant(scope);
  if (!known.down) {
    self->send(known.actor, ask_atom::value, call);
  }
}

void node_supervisor_state::on_rekeyed(const Scope& scope) {
  const auto known = tenants_.find(scope);
  if (known != tenants_.end() && !known->second.down) {
    self->send(known->second.actor, rekeyed_atom::value);
  }
}

// Webhooks of this process announce themselves. What was left by an earlier one, or stored by another, does not.
void node_supervisor_state::on_tick() {
  self->delayed_send(self, services->config.node_sweep_interval, tick_atom::value);
  services->tenants_with_work([home = node_supervisor_actor{self}](Result<std::vector<Scope>> scopes) {
    caf::anon_send(home, work_atom::value, std::make_shared<const Result<std::vector<Scope>>>(std::move(scopes)));
  });
}

void node_supervisor_state::on_work(const Result<std::vector<Scope>>& scopes) {
  if (!scopes) {
    log::warn("tenants with work could not be looked for; it is tried again", {{"error", scopes.error().message}});
    return;
  }
  for (const auto& scope : *scopes) {
    on_wake(scope);
    on_due(scope);
  }
}

void node_supervisor_state::on_down(const caf::down_msg& down) {
  const auto found = std::find_if(tenants_.begin(), tenants_.end(), [&](const auto& entry) {
    return entry.second.actor && entry.second.actor.address() == down.source;
  });
  if (found == tenants_.end()) {
    return;
  }
  if (down.reason == caf::exit_reason::user_shutdown) {  // deposed: it comes back when there is work for it here
    tenants_.erase(found);
    return;
  }
  auto& [scope, tenant] = *found;
  tenant.down = true;
  const bool lived = services->clock.now() - tenant.started > services->config.restart_cap;
  tenant.failures = lived ? 1 : tenant.failures + 1;
  services->metrics.actor_restarts(tenant_supervisor_state::name).Increment();
  log::error("a tenant supervisor failed; it is started again",
             {{"tenant_id", scope.tenant.str()}, {"reason", caf::to_string(down.reason)}});
  const sync::RetryPolicy policy{0, services->config.restart_base, services->config.restart_cap};
  self->delayed_send(self, sync::backoff(policy, tenant.failures, std::hash<Scope>{}(scope)), respawn_atom::value,
                     scope);
}

void node_supervisor_state::on_respawn(const Scope& scope) {
  const auto found = tenants_.find(scope);
  if (found != tenants_.end() && found->second.down) {
    spawn(scope, found->second);
  }
}

node_supervisor_actor::behavior_type node_supervisor(node_supervisor_state::pointer self, ServicesPtr services) {
  auto& state = self->state;
  state.init(self, std::move(services));
  self->set_down_handler([&state](caf::down_msg& down) { state.on_down(down); });
  self->send(self, tick_atom::value);
  return {
      [&state](wake_atom, const Scope& scope) { state.on_wake(scope); },
      [&state](due_atom, const Scope& scope) { state.on_due(scope); },
      [&state](execute_atom, const PendingCommandPtr& command) { state.on_execute(command); },
      [&state](ask_atom, const Scope& scope, const PendingCallPtr& call) { state.on_ask(scope, call); },
      [&state](rekeyed_atom, const Scope& scope) { state.on_rekeyed(scope); },
      [&state](tick_atom) { state.on_tick(); },
      [&state](work_atom, const ScopesPtr& scopes) { state.on_work(*scopes); },
      [&state](respawn_atom, const Scope& scope) { state.on_respawn(scope); },
  };
}

}  // namespace flexsync::actors
