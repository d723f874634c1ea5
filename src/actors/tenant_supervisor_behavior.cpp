#include <caf/all.hpp>

#include "actors/tenant_supervisor.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

void handle_failures(tenant_supervisor_state::pointer self) {
  self->set_down_handler([self](caf::down_msg& down) { self->state.on_entity_down(down); });
  self->set_exception_handler([self](std::exception_ptr& e) -> caf::error {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& failure) {
      log::error("tenant_supervisor failed",
                 {{"tenant_id", self->state.scope.tenant.str()}, {"error", failure.what()}});
    }
    return caf::sec::runtime_error;
  });
}

}  // namespace

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
      [&state, self](finished_atom, const CustomerId& entity, std::int64_t seq, bool parked) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_finished(entity, seq, parked);
      },
      [&state](deposed_atom) { state.on_deposed(); },
      [&state](tick_atom) { state.on_tick(); },
      [&state](owned_atom, const OwnershipPtr& owned) { state.on_owned(*owned); },
      [&state, self](page_atom, const InboxPagePtr& page, bool parked) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_page(*page, parked);
      },
      [&state](claims_atom, const ClaimsPtr& claims) { state.on_claims(*claims); },
      [&state](settled_atom, std::int64_t seq, const ChangeReplyPtr& reply) { state.on_settled(seq, *reply); },
      [&state](respawn_atom, const CustomerId& entity) { state.on_respawn(entity); },
  };
}

}  // namespace flexsync::actors
