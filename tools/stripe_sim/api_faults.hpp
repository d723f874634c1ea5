// Faults on the answers of /v1, asked for one by one through POST /_sim/api/faults.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

struct ApiFault {
  std::string method;       // empty: any
  std::string path_prefix;  // empty: any
  int status = 0;           // answered with Stripe's error body of that status
  bool reset = false;       // the connection is reset instead of answered
  int delay_ms = 0;
  bool after = false;  // the request takes effect first: its outcome is unknown to the client, but not to Stripe
  int count = 1;       // how many requests it strikes
  std::vector<std::pair<std::string, std::string>> headers;  // added to the answer
};

class ApiFaults {
 public:
  // Replaces what was left. Throws StripeError naming the wrong field.
  void set(const Json& next);

  // The first fault that fits the request, counted down.
  std::optional<ApiFault> take(const std::string& method, const std::string& path);

  std::size_t remaining() const;

 private:
  mutable std::mutex mutex_;
  std::vector<ApiFault> next_;
};

}  // namespace stripe_sim
