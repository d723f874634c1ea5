// What came in on /v1, counted per account for GET /_sim/api/stats: a test sees whether a client kept to the limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

class Traffic {
 public:
  void begin(const std::string& account_key, const std::string& endpoint);

  // `outcome`: the status, or "reset".
  void end(const std::string& account_key, const std::string& endpoint, const std::string& outcome, bool is_replay);

  // Of one account, or of all when the key is empty.
  Json state(const std::string& account_key) const;

  // Counts from zero; what is on its way stays counted as that.
  void reset();

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Endpoint {
    std::uint64_t requests = 0;
    std::map<std::string, std::uint64_t> outcomes;
  };

  struct Account {
    std::uint64_t requests = 0;
    std::uint64_t replayed = 0;
    std::size_t peak_per_second = 0;  // the most in any one second of real time
    std::uint64_t in_flight = 0;
    std::uint64_t in_flight_max = 0;
    std::deque<Time> last_second;
    std::map<std::string, std::uint64_t> outcomes;
    std::map<std::string, Endpoint> endpoints;
  };

  static Json render_account(const std::string& key, const Account& account);

  mutable std::mutex mutex_;
  std::map<std::string, Account> accounts_;  // "": requests without a key that names one
};

}  // namespace stripe_sim
