#include "actors/reconciler.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <utility>

#include "actors/log_failure.hpp"
#include "actors/send_home.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

constexpr std::chrono::milliseconds kTickMin{1};

}  // namespace

void reconciler_state::init(pointer self_pointer, ServicesPtr used_services, Scope own_scope,
                            stripe_client_actor client) {
  self = self_pointer;
  services = std::move(used_services);
  scope = std::move(own_scope);
  stripe_client_ = std::move(client);
  metrics.emplace(services->metrics, name);
}

bool reconciler_state::works() const {
  return owned_ && services->reconcile != nullptr && services->intake != nullptr &&
         services->config.reconcile_interval.count() > 0;
}

// --- when ---------------------------------------------------------------------------------------------------------

void reconciler_state::on_owned() {
  const bool first = !std::exchange(owned_, true);
  const auto& config = services->config;
  rest_until_ = now() + std::min(config.reconcile_start, config.reconcile_interval);
  if (works()) {
    look();
    if (first) {
      self->delayed_send(self, services->config.reconcile_marks_interval, due_atom::value);
    }
  }
}

// A round that is under way may be another account's.
void reconciler_state::on_rekeyed() {
  if (works()) {
    look();
  }
}

void reconciler_state::look() {
  round_.reset();
  services->reconcile->basis(
      scope, send_home<begun_atom, std::optional<store::ReconcileBasis>>(reconciler_actor{self}, ++rounds_));
}

void reconciler_state::on_basis(std::uint64_t round, const Result<std::optional<store::ReconcileBasis>>& basis) {
  if (round != rounds_) {
    return;
  }
  if (!basis) {
    fail_and_retry(basis.error().message, now() + services->config.reconcile_retry);
    return;
  }
  if (!*basis) {
    return;  // there is no connection: `rekeyed` says when there is
  }
  const auto last = (*basis)->walked_at.value_or((*basis)->since);
  const auto due = std::max(last + services->config.reconcile_interval, rest_until_);
  if (due > now()) {
    rest_until(due);
    return;
  }
  round_.emplace(Round{.basis = **basis, .walk = sync::ReconcileWalk(now()), .next_call = now()});
  go_on();
}

// Also the end of a round that was given up.
void reconciler_state::rest_until(Timestamp due) {
  ++rounds_;
  round_.reset();
  tick_at(due);
}

void reconciler_state::tick_at(Timestamp at) {
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(at - now());
  self->delayed_send(self, std::max(pause, kTickMin), tick_atom::value, rounds_);
}

void reconciler_state::on_tick(std::uint64_t round) {
  if (round != rounds_) {
    return;
  }
  if (round_) {
    go_on();
  } else {
    look();
  }
}

void reconciler_state::fail_and_retry(const std::string& why, Timestamp at) {
  if (std::exchange(last_failure_, why) != why) {
    log::warn("the comparison with Stripe could not go on; it begins again",
              {{"tenant_id", scope.tenant.str()}, {"error", why}});
  }
  rest_until(at);
}

reconciler_actor::behavior_type reconciler(reconciler_state::pointer self, ServicesPtr services, Scope scope,
                                           stripe_client_actor stripe_client) {
  auto& state = self->state;
  state.init(self, std::move(services), std::move(scope), std::move(stripe_client));
  log_failure(self, reconciler_state::name, "tenant_id", state.scope.tenant.str());
  return {
      [&state](owned_atom) { state.on_owned(); },
      [&state](rekeyed_atom) { state.on_rekeyed(); },
      [&state](tick_atom, std::uint64_t round) { state.on_tick(round); },
      [&state](due_atom) { state.on_marks_tick(); },
      [&state](begun_atom, std::uint64_t round, const BasisPtr& basis) { state.on_basis(round, *basis); },
      [&state, self](known_atom, std::uint64_t round, const KnownObjectsPtr& known) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_known(round, *known);
      },
      [&state](page_atom, std::uint64_t round, const MirrorPagePtr& page) { state.on_mirrored(round, *page); },
      [&state](marked_atom, const MirrorPagePtr& marked) { state.on_marked(*marked); },
      [&state](stored_atom, std::uint64_t round, const CountPtr& stored) { state.on_stored(round, *stored); },
      [&state](booked_atom, std::uint64_t round, const BookedPtr& finished) { state.on_finished(round, *finished); },
  };
}

}  // namespace flexsync::actors
