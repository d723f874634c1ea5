// What the meters of one account have taken in, by meter and customer, in an order in which it can be summed: an audit
// asks for thousands of summaries, so that reading every meter event for each of them would take minutes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

enum class Formula { sum, count, last };

class MeterLedger {
 public:
  // False when the identifier was taken within the last 24 hours.
  bool take_identifier(const std::string& identifier, std::int64_t now);

  void record(const std::string& meter, const std::string& customer, std::int64_t timestamp, std::int64_t value);

  // Over start <= timestamp < end; `last` is the latest by timestamp, then by arrival.
  std::int64_t aggregate(const std::string& meter, const std::string& customer, Formula formula, std::int64_t start,
                         std::int64_t end) const;

  // Newest first: where the windows of that length begin that hold any usage.
  std::vector<std::int64_t> used_windows(const std::string& meter, const std::string& customer, std::int64_t start,
                                         std::int64_t end, std::int64_t window_seconds) const;

 private:
  using Readings = std::multimap<std::int64_t, std::int64_t>;  // value by timestamp, equal ones by arrival

  const Readings& readings_of(const std::string& meter, const std::string& customer) const;

  std::map<std::pair<std::string, std::string>, Readings> readings_;
  std::unordered_map<std::string, std::int64_t> identifiers_;  // with the time of arrival
};

}  // namespace stripe_sim
