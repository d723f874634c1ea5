#include "app/usage_settlement.hpp"

#include <algorithm>
#include <set>

namespace flexsync::app {

namespace {

template <class Map, class Key>
typename Map::mapped_type find_or_nothing(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type{} : found->second;
}

}  // namespace

SentUsage sent_usage(const std::vector<store::AcceptedUsage>& rows) {
  SentUsage usage;
  for (const auto& row : rows) {
    auto& hours = usage[{row.stripe_meter_id, row.stripe_customer_id}];
    auto& hour = hours.try_emplace(row.hour.start, SentHour{row.customer_id, row.meter_id, {}, {}}).first->second;
    hour.sent += row.value;
    hour.undecided += row.undecided;
  }
  return usage;
}

Segment span_of(const std::map<Timestamp, SentHour>& hours) {
  return {hours.begin()->first, hours.rbegin()->first + std::chrono::hours(1)};
}

Settlement settle(const SentUsage& before, const AcceptedByStripe& accepted, const SentUsage& after) {
  Settlement settlement;
  for (const auto& [account, stripe] : accepted) {
    ++settlement.accounts;
    const auto earlier = find_or_nothing(before, account);
    const auto later = find_or_nothing(after, account);
    std::set<Timestamp> hours;
    for (const auto& [hour, books] : earlier) {
      hours.insert(hour);
    }
    for (const auto& [hour, value] : stripe) {
      hours.insert(hour);
    }
    for (const auto& hour : hours) {
      const auto first = find_or_nothing(earlier, hour);
      const auto second = find_or_nothing(later, hour);
      const auto value = find_or_nothing(stripe, hour);
      const auto [low, high] =
          std::minmax({first.sent, first.sent + first.undecided, second.sent, second.sent + second.undecided});
      settlement.sent += second.sent;
      settlement.accepted += value;
      if (value < low || high < value) {
        ++settlement.different;
        auto& difference = settlement.first_difference;
        if (!difference || hour < difference->hour.start) {
          difference = {account, {hour, hour + std::chrono::hours(1)}, later.contains(hour) ? second : first, value};
        }
      } else {
        ++(low == high ? settlement.equal : settlement.unsettled);
      }
    }
  }
  return settlement;
}

}  // namespace flexsync::app
