#include "stripe_sim/meter_ledger.hpp"

#include <limits>

namespace stripe_sim {

namespace {

constexpr std::int64_t kIdentifierSeconds = 86'400;

// 9,000 values of 15 digits overflow; the largest number then stands for "too much" in place of nonsense.
std::int64_t add(std::int64_t sum, std::int64_t value) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(sum, value, &result)) {
    return value > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
  }
  return result;
}

}  // namespace

bool MeterLedger::take_identifier(const std::string& identifier, std::int64_t now) {
  const auto [taken, is_new] = identifiers_.try_emplace(identifier, now);
  if (!is_new && now < taken->second + kIdentifierSeconds) {
    return false;
  }
  taken->second = now;
  return true;
}

void MeterLedger::record(const std::string& meter, const std::string& customer, std::int64_t timestamp,
                         std::int64_t value) {
  readings_[{meter, customer}].emplace(timestamp, value);
}

const MeterLedger::Readings& MeterLedger::readings_of(const std::string& meter, const std::string& customer) const {
  static const Readings kNone;
  const auto found = readings_.find({meter, customer});
  return found == readings_.end() ? kNone : found->second;
}

std::int64_t MeterLedger::aggregate(const std::string& meter, const std::string& customer, Formula formula,
                                    std::int64_t start, std::int64_t end) const {
  const Readings& readings = readings_of(meter, customer);
  std::int64_t result = 0;
  const auto last = readings.lower_bound(end);
  for (auto reading = readings.lower_bound(start); reading != last; ++reading) {
    switch (formula) {
      case Formula::sum:
        result = add(result, reading->second);
        break;
      case Formula::count:
        ++result;
        break;
      case Formula::last:
        result = reading->second;
        break;
    }
  }
  return result;
}

std::vector<std::int64_t> MeterLedger::used_windows(const std::string& meter, const std::string& customer,
                                                    std::int64_t start, std::int64_t end,
                                                    std::int64_t window_seconds) const {
  const Readings& readings = readings_of(meter, customer);
  std::vector<std::int64_t> windows;
  for (auto reading = readings.lower_bound(start); reading != readings.lower_bound(end);) {
    windows.push_back(reading->first - reading->first % window_seconds);
    reading = readings.lower_bound(windows.back() + window_seconds);
  }
  return {windows.rbegin(), windows.rend()};
}

}  // namespace stripe_sim
