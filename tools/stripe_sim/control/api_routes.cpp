// Control routes about requests to /v1: faults, events that are not generated, limits, and what came in.
#include "stripe_sim/control/control.hpp"
#include "stripe_sim/errors.hpp"

namespace stripe_sim {

namespace {

Json set_faults(ControlCall& call) {
  call.api_faults.set(call.body);
  return call.api_faults.state();
}

Json silence(ControlCall& call) {
  const std::lock_guard lock(call.simulator.mutex());
  return call.simulator.silence().state();
}

Json set_silence(ControlCall& call) {
  const std::lock_guard lock(call.simulator.mutex());
  call.simulator.silence().set(call.body);
  return call.simulator.silence().state();
}

Json set_limits(ControlCall& call) {
  call.limits.set(call.body);
  return call.limits.state();
}

Json stats(ControlCall& call) {
  const std::string api_key = call.query_text("api_key");
  const auto owner = call.simulator.owner_of(api_key);
  if (!api_key.empty() && !owner) {
    throw invalid_key(api_key);
  }
  return call.traffic.state(owner ? owner->account_key : std::string());
}

// Answers what was counted until now.
Json reset_stats(ControlCall& call) {
  const Json counted = call.traffic.state({});
  call.traffic.reset();
  return counted;
}

}  // namespace

void add_api_control_routes(ControlRoutes& routes) {
  add_immediate(routes, "GET", "/_sim/api/faults", [](ControlCall& call) { return call.api_faults.state(); });
  add_immediate(routes, "POST", "/_sim/api/faults", set_faults);
  add_immediate(routes, "GET", "/_sim/api/silence", silence);
  add_immediate(routes, "POST", "/_sim/api/silence", set_silence);
  add_immediate(routes, "GET", "/_sim/api/limits", [](ControlCall& call) { return call.limits.state(); });
  add_immediate(routes, "POST", "/_sim/api/limits", set_limits);
  add_immediate(routes, "GET", "/_sim/api/stats", stats);
  add_immediate(routes, "POST", "/_sim/api/stats/reset", reset_stats);
}

}  // namespace stripe_sim
