// One per process: starts tenant supervisors when there is work, restarts them with back-off when they fail.
#pragma once

#include <optional>
#include <unordered_map>

#include "actors/actor_metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"

namespace flexsync::actors {

struct node_supervisor_state {
  using pointer = node_supervisor_actor::stateful_pointer<node_supervisor_state>;

  static constexpr const char* name = "node_supervisor";

  ~node_supervisor_state();

  void init(pointer self_pointer, ServicesPtr used_services);
  void on_wake(const Scope& scope);
  void on_due(const Scope& scope);
  void on_execute(const PendingCommandPtr& command);
  void on_ask(const Scope& scope, const PendingCallPtr& call);
  void on_rekeyed(const Scope& scope);
  void on_tick();
  void on_work(const Result<std::vector<Scope>>& scopes);
  void on_down(const caf::down_msg& down);
  void on_respawn(const Scope& scope);

  pointer self = nullptr;
  ServicesPtr services;
  std::optional<ActorMetrics> metrics;

 private:
  struct Tenant {
    tenant_supervisor_actor actor;
    bool down = false;
    int failures = 0;  // in a row: one that lived long enough begins anew
    Timestamp started;
  };

  Tenant& tenant(const Scope& scope);
  void spawn(const Scope& scope, Tenant& tenant);

  std::unordered_map<Scope, Tenant> tenants_;
};

node_supervisor_actor::behavior_type node_supervisor(node_supervisor_state::pointer self, ServicesPtr services);

}  // namespace flexsync::actors
