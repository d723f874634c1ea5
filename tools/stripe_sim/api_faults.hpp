// Faults on the answers of /v1, asked for through POST /_sim/api/faults: some strike the next requests, others stand
// until they are ended.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/types.hpp"

namespace stripe_sim {

// What a fault may be bound to.
struct FaultTarget {
  std::string method;
  std::string path;
  std::string api_key;
  std::string account_id;
  std::string idempotency_key;  // binds no fault, but tells random choices apart
};

struct ApiFault {
  // Empty: any.
  std::string method;
  std::string path_prefix;
  std::string api_key;
  std::string account_id;

  int status = 0;      // answered with Stripe's error body of that status
  std::string kind;    // of a 429: a rate limit's reason, or lock_timeout
  bool reset = false;  // the connection is reset instead of answered
  int delay_ms = 0;
  bool after = false;  // the request takes effect first: its outcome is unknown to the client, but not to Stripe
  int count = 1;       // how many requests it strikes
  double probability = 1;
  std::uint64_t seed = 0;
  Headers headers;  // added to the answer

  bool is_answer() const { return status != 0 || reset; }
  StripeError error() const;
};

class ApiFaults {
 public:
  explicit ApiFaults(std::uint64_t seed) : seed_(seed) {}

  // {"next": [...], "outage": ..., "revoked_keys": [...]}: each replaces what was there, what is not named stays, and
  // an empty object ends everything. Throws StripeError naming the wrong field.
  void set(const Json& body);

  // The first fault that fits the request: those for the next requests, counted down, then the standing ones.
  std::optional<ApiFault> take(const FaultTarget& target);

  bool is_revoked(const std::string& api_key) const;
  std::size_t remaining() const;
  Json state() const;

 private:
  std::uint64_t seed_;
  mutable std::mutex mutex_;
  std::vector<ApiFault> next_;
  std::vector<ApiFault> outages_;
  std::set<std::string> revoked_keys_;
  std::map<std::string, std::uint64_t> requests_seen_;  // alike ones, so that each of them is a choice of its own
};

}  // namespace stripe_sim
