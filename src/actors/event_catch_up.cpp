#include "actors/event_catch_up.hpp"

#include <algorithm>
#include <caf/all.hpp>
#include <utility>

#include "actors/log_failure.hpp"
#include "telemetry/log.hpp"

namespace flexsync::actors {

namespace {

constexpr std::chrono::milliseconds kTickMin{1};

}  // namespace

void event_catch_up_state::init(pointer self_pointer, ServicesPtr used_services, Scope own_scope,
                                stripe_client_actor client) {
  self = self_pointer;
  services = std::move(used_services);
  scope = std::move(own_scope);
  stripe_client_ = std::move(client);
  metrics.emplace(services->metrics, name);
}

bool event_catch_up_state::works() const {
  return owned_ && services->catch_up != nullptr && services->intake != nullptr &&
         services->config.catch_up_interval.count() > 0;
}

// --- when ---------------------------------------------------------------------------------------------------------

void event_catch_up_state::on_owned() {
  owned_ = true;
  on_rekeyed();
}

// Whatever is under way is given up: it may have been another account's.
void event_catch_up_state::on_rekeyed() {
  if (works()) {
    begin(store::WalkWhen::now);
  }
}

// Somebody may have set the cursor back.
void event_catch_up_state::on_due() {
  if (works() && !busy_) {
    begin(store::WalkWhen::if_due);
  }
}

void event_catch_up_state::on_tick(std::uint64_t number) {
  if (number != ticks_) {
    return;
  }
  if (busy_) {
    self->delayed_send(self, services->config.tick, tick_atom::value, number);
  } else if (now() < due_) {
    rest_until(due_);
  } else {
    begin(store::WalkWhen::now);
  }
}

// Also the end of a walk that was given up.
void event_catch_up_state::rest_until(Timestamp due) {
  ++walks_;
  walk_.reset();
  busy_ = false;
  due_ = due;
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(due - now());
  self->delayed_send(self, std::max(pause, kTickMin), tick_atom::value, ++ticks_);
}

// A connection that stays paused for hours is worth one line.
void event_catch_up_state::fail_and_retry(const std::string& what, const std::string& why, Timestamp at) {
  if (std::exchange(last_failure_, why) != why) {
    log::warn(what + "; it is tried again", {{"tenant_id", scope.tenant.str()}, {"error", why}});
  }
  rest_until(at);
}

event_catch_up_actor::behavior_type event_catch_up(event_catch_up_state::pointer self, ServicesPtr services,
                                                   Scope scope, stripe_client_actor stripe_client) {
  auto& state = self->state;
  state.init(self, std::move(services), std::move(scope), std::move(stripe_client));
  log_failure(self, event_catch_up_state::name, "tenant_id", state.scope.tenant.str());
  return {
      [&state](owned_atom) { state.on_owned(); },
      [&state](due_atom) { state.on_due(); },
      [&state](rekeyed_atom) { state.on_rekeyed(); },
      [&state](tick_atom, std::uint64_t number) { state.on_tick(number); },
      [&state](begun_atom, std::uint64_t walk, const BegunPtr& begun) { state.on_begun(walk, *begun); },
      [&state, self](stored_atom, std::uint64_t walk, const CountPtr& late) {
        const ActorMetrics::Handling handling(*state.metrics, self->mailbox().size());
        state.on_stored(walk, *late);
      },
      [&state](moved_atom, std::uint64_t walk, const MovedPtr& moved) { state.on_moved(walk, *moved); },
  };
}

}  // namespace flexsync::actors
