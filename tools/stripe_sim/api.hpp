// The /v1 side: who asks, which route, what it answers, and Stripe's headers around it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "stripe_sim/api_faults.hpp"
#include "stripe_sim/params.hpp"
#include "stripe_sim/router.hpp"
#include "stripe_sim/simulator.hpp"

namespace stripe_sim {

// What a resource's handler gets. The simulator's lock is held.
struct ApiCall {
  Simulator& simulator;
  Account& account;
  Params params;
  std::vector<std::string> arguments;  // of the path
  RequestOrigin origin;

  const std::string& id() const { return arguments.front(); }
  ObjectStore& objects(const std::string& name) { return account.objects[name]; }
};

// Returns the body of a 200; anything else is a StripeError.
using ApiHandler = std::function<Json(ApiCall&)>;
using ApiRoutes = Router<ApiHandler>;

class Api {
 public:
  Api(Simulator& simulator, ApiFaults& faults);

  Answer handle(const HttpRequest& request);

 private:
  Json call(const HttpRequest& request, const RequestOrigin& origin);
  std::string new_request_id();

  Simulator& simulator_;
  ApiFaults& faults_;
  ApiRoutes routes_;
};

}  // namespace stripe_sim
