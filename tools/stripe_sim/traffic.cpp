#include "stripe_sim/traffic.hpp"

#include <algorithm>

namespace stripe_sim {

void Traffic::begin(const std::string& account_key, const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  Account& account = accounts_[account_key];
  ++account.requests;
  ++account.endpoints[endpoint].requests;
  account.in_flight_max = std::max(account.in_flight_max, ++account.in_flight);
  const Time now = std::chrono::steady_clock::now();
  while (!account.last_second.empty() && account.last_second.front() <= now - std::chrono::seconds(1)) {
    account.last_second.pop_front();
  }
  account.last_second.push_back(now);
  account.peak_per_second = std::max(account.peak_per_second, account.last_second.size());
}

void Traffic::end(const std::string& account_key, const std::string& endpoint, const std::string& outcome,
                  bool is_replay) {
  const std::lock_guard lock(mutex_);
  Account& account = accounts_[account_key];
  --account.in_flight;
  account.replayed += is_replay ? 1 : 0;
  ++account.outcomes[outcome];
  ++account.endpoints[endpoint].outcomes[outcome];
}

Json Traffic::render_account(const std::string& key, const Account& account) {
  Json endpoints = Json::object();
  for (const auto& [name, endpoint] : account.endpoints) {
    endpoints[name] = {{"requests", endpoint.requests}, {"statuses", endpoint.outcomes}};
  }
  const auto limited = account.outcomes.find("429");
  return {{"account", key.empty() ? Json() : Json(key.substr(0, key.find('/')))},
          {"livemode", key.ends_with("/live")},
          {"requests", account.requests},
          {"replayed", account.replayed},
          {"rate_limited", limited == account.outcomes.end() ? 0 : limited->second},
          {"peak_per_second", account.peak_per_second},
          {"in_flight", account.in_flight},
          {"in_flight_max", account.in_flight_max},
          {"statuses", account.outcomes},
          {"endpoints", std::move(endpoints)}};
}

Json Traffic::state(const std::string& account_key) const {
  const std::lock_guard lock(mutex_);
  Json accounts = Json::array();
  for (const auto& [key, account] : accounts_) {
    if (account_key.empty() || key == account_key) {
      accounts.push_back(render_account(key, account));
    }
  }
  return {{"accounts", std::move(accounts)}};
}

void Traffic::reset() {
  const std::lock_guard lock(mutex_);
  for (auto& [key, account] : accounts_) {
    const std::uint64_t in_flight = account.in_flight;
    account = Account{};
    account.in_flight = account.in_flight_max = in_flight;
  }
}

}  // namespace stripe_sim
