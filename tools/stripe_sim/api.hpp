// The /v1 side: who asks, which route, what it answers, and Stripe's headers around it.
//
// A request passes, in Stripe's order: faults of the edge, the API key, the rate limits, the route, the API version,
// the parameters' encoding, the idempotency key, and only then the resource. What is refused before the idempotency key
// leaves no trace under it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stripe_sim/api_faults.hpp"
#include "stripe_sim/params.hpp"
#include "stripe_sim/rate_limits.hpp"
#include "stripe_sim/router.hpp"
#include "stripe_sim/simulator.hpp"
#include "stripe_sim/traffic.hpp"

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
  Api(Simulator& simulator, ApiFaults& faults, RateLimits& limits, Traffic& traffic);

  Answer handle(const HttpRequest& request);

 private:
  // One request on its way through. Its steps may lie apart in time, where a fault makes it slow.
  struct Exchange {
    HttpRequest request;
    RequestOrigin origin;
    std::string api_key;
    std::optional<KeyOwner> owner;
    std::optional<ApiRoutes::Match> match;
    std::string endpoint;
    std::optional<ApiFault> fault;
    Json parameters;
    std::string version;         // asked for; empty: the account's
    bool is_counted_in = false;  // by the rate limits
    bool holds_key = false;      // the idempotency key is in use by this request
    bool is_kept = false;        // the outcome is to be kept under it
    bool is_replay = false;
    std::optional<Answer> outcome;  // without Stripe's headers
  };
  using ExchangePtr = std::shared_ptr<Exchange>;
  using Step = Answer (Api::*)(const ExchangePtr&);

  ExchangePtr begin(const HttpRequest& request);
  Answer admit(const ExchangePtr& exchange);
  Answer execute(const ExchangePtr& exchange);
  Answer conclude(const ExchangePtr& exchange);
  Answer strike(const ExchangePtr& exchange);
  Answer finish(const ExchangePtr& exchange, Answer answer);

  void check_key(const Exchange& exchange) const;
  void check_version(const Exchange& exchange) const;
  void claim_idempotency_key(Exchange& exchange);
  void settle_idempotency_key(Exchange& exchange);
  Answer call(Exchange& exchange);
  Answer take(const ExchangePtr& exchange, Step step);
  Answer pause(const ExchangePtr& exchange, Step step);

  Simulator& simulator_;
  ApiFaults& faults_;
  RateLimits& limits_;
  Traffic& traffic_;
  ApiRoutes routes_;
};

}  // namespace stripe_sim
