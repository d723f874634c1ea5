// Stripe's limits on requests (https://docs.stripe.com/rate-limits), off until POST /_sim/api/limits switches them on.
//
// Stripe's own are token buckets of unknown depth. These allow so many requests in any one second whatsoever, which is
// the stricter reading: a client that keeps to it keeps to Stripe's.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

struct LimitSettings {
  bool on = false;
  int global_live = 100;  // requests a second, per account
  int global_test = 25;
  int endpoint = 25;             // per account and endpoint
  int meter_events_live = 1000;  // a limit of their own; in test mode they count against the global one
  int global_concurrent = 0;     // requests on their way at once; 0: no limit
  int endpoint_concurrent = 0;
  int window_ms = 1000;  // what counts as a second
};

class RateLimits {
 public:
  // What is not named stays. Throws StripeError naming the wrong field.
  void set(const Json& body);
  Json state() const;

  // Counts the request in, or says which limit refuses it. One that was counted in leaves again.
  std::optional<std::string> enter(const std::string& account_key, bool livemode, const std::string& endpoint);
  void leave(const std::string& account_key, const std::string& endpoint);

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Meter {
    std::deque<Time> recent;
    int under_way = 0;
  };

  bool is_full(Meter& meter, int limit, Time now) const;

  mutable std::mutex mutex_;
  LimitSettings settings_;
  std::map<std::string, Meter> meters_;  // by account, and by account and endpoint
};

}  // namespace stripe_sim
