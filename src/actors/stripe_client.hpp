// The only way to Stripe for one tenant and environment: a plain look-up with a timeout.
#pragma once

#include <caf/response_promise.hpp>
#include <caf/typed_response_promise.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "actors/actor_metrics.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"

namespace flexsync::actors {

struct stripe_client_state {
  using pointer = stripe_client_actor::stateful_pointer<stripe_client_state>;
  using promise = caf::typed_response_promise<RetrieveOutcomePtr>;

  static constexpr const char* name = "stripe_client";

  ~stripe_client_state();  // answers what is outstanding: a dropped promise never would be

  void init(pointer self_pointer, ServicesPtr used_services, Scope own_scope);
  promise fetch(const std::string& object_type, const StripeId& id);
  void on_fetched(std::uint64_t call, const RetrieveOutcomePtr& outcome);

  pointer self = nullptr;
  ServicesPtr services;
  Scope scope;
  std::optional<ActorMetrics> metrics;

 private:
  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, promise> outstanding_;
};

stripe_client_actor::behavior_type stripe_client(stripe_client_state::pointer self, ServicesPtr services, Scope scope);

}  // namespace flexsync::actors
