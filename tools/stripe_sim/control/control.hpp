// The /_sim side: what a test or the demo asks of the simulator itself. Loopback only, without a key.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "stripe_sim/api_faults.hpp"
#include "stripe_sim/rate_limits.hpp"
#include "stripe_sim/router.hpp"
#include "stripe_sim/simulator.hpp"
#include "stripe_sim/traffic.hpp"

namespace stripe_sim {

struct ControlCall {
  Simulator& simulator;
  ApiFaults& api_faults;
  RateLimits& limits;
  Traffic& traffic;
  Json body;   // an empty object when none was sent
  Json query;  // decoded like a form
  std::vector<std::string> arguments;
  Responder respond;

  std::string query_text(const std::string& name) const;
  std::int64_t query_integer(const std::string& name, std::int64_t fallback, std::int64_t max) const;
};

// Answers through `respond`, now or later; throws StripeError for a wrong request.
using ControlHandler = std::function<void(ControlCall&)>;
using ControlRoutes = Router<ControlHandler>;

// A route that has its answer at once.
void add_immediate(ControlRoutes& routes, const std::string& method, const std::string& pattern,
                   std::function<Json(ControlCall&)> handler);

void add_api_control_routes(ControlRoutes& routes);
void add_billing_control_routes(ControlRoutes& routes);
void add_world_routes(ControlRoutes& routes);
void add_webhook_control_routes(ControlRoutes& routes);
void add_version_control_routes(ControlRoutes& routes);

class Control {
 public:
  Control(Simulator& simulator, ApiFaults& api_faults, RateLimits& limits, Traffic& traffic);

  void handle(const HttpRequest& request, Responder respond);

 private:
  Simulator& simulator_;
  ApiFaults& api_faults_;
  RateLimits& limits_;
  Traffic& traffic_;
  ControlRoutes routes_;
};

}  // namespace stripe_sim
