#include "domain/metering.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "domain/sha256.hpp"
#include "domain/ulid.hpp"

namespace flexsync {

namespace {

bool passes(const MeterFilter& filter, const UsageEvent& event) {
  const auto property = event.properties.find(filter.key);
  return property != event.properties.end() &&
         std::find(filter.values.begin(), filter.values.end(), property->second) != filter.values.end();
}

// Its length before it: no two lists of parts give the same text.
void append(std::string& text, std::string_view part) {
  text += std::to_string(part.size());
  text += ':';
  text += part;
}

// Views into the events and meters that are added up.
using RollupKey = std::tuple<std::string_view, std::string_view, Segment>;

std::map<std::string_view, std::vector<const ActiveMeter*>> by_event_name(std::span<const ActiveMeter> meters) {
  std::map<std::string_view, std::vector<const ActiveMeter*>> result;
  for (const auto& active : meters) {
    result[active.meter.event_name].push_back(&active);
  }
  return result;
}

void reject_too_long(UsageBatch& batch) {
  batch.status = BatchStatus::rejected;
  batch.error_code = "value_too_long";
  batch.error_message = "the value " + batch.value.str() + " has " + std::to_string(batch.value.digits()) +
                        " digits, Stripe takes " + std::to_string(kValueDigitsMax) +
                        ": give the meter's mapping a smaller scale";
}

UsageBatch batch_of(const Scope& scope, const DueRollup& due, Timestamp now) {
  const auto& [rollup, mapping, stripe_customer, carry] = due;
  UsageBatch batch;
  batch.id = new_id<BatchId>(prefix::kBatch, now);
  batch.customer_id = rollup.customer_id;
  batch.meter_id = rollup.meter_id;
  batch.stripe_customer_id = stripe_customer;
  batch.event_name = mapping.event_name;
  batch.customer_key = mapping.customer_key;
  batch.value_key = mapping.value_key;
  batch.quantity = rollup.quantity - rollup.batched_quantity;
  batch.scale = mapping.scale;
  batch.event_count = rollup.event_count - rollup.batched_count;
  batch.window = rollup.segment;
  batch.sequence = rollup.next_sequence;
  batch.identifier = batch_identifier(scope, rollup.customer_id, rollup.meter_id, mapping.event_name, rollup.segment,
                                      rollup.next_sequence);
  batch.timestamp = batch_timestamp(rollup.segment);
  batch.next_attempt_at = now;
  batch.created_at = now;
  batch.updated_at = now;
  return batch;
}

}  // namespace

Segment segment_of(Timestamp time, std::chrono::minutes window, std::optional<Timestamp> cut) {
  const auto minutes = std::chrono::floor<std::chrono::minutes>(time).time_since_epoch();
  auto windows = minutes / window;
  if (minutes % window < std::chrono::minutes::zero()) {
    --windows;  // a quotient is cut towards zero, a window begins below its time, also before 1970
  }
  const Timestamp start{windows * window};
  const Segment whole{start, start + window};
  if (!cut || *cut <= whole.start || *cut >= whole.end) {
    return whole;
  }
  return time < *cut ? Segment{whole.start, *cut} : Segment{*cut, whole.end};
}

std::optional<Decimal> measure(const Meter& meter, const UsageEvent& event) {
  if (event.event_name != meter.event_name ||
      !std::all_of(meter.filters.begin(), meter.filters.end(),
                   [&](const MeterFilter& filter) { return passes(filter, event); })) {
    return std::nullopt;
  }
  if (meter.aggregation == Aggregation::count) {
    return Decimal(1);
  }
  const auto property = event.properties.find(meter.field);
  auto number = property == event.properties.end() ? std::nullopt : Decimal::parse(property->second);
  if (number && meter.aggregation == Aggregation::sum_with_multiplier) {
    number = *number * meter.multiplier;
  }
  return number && number->within_limits() && number->digits() <= kMeasureDigitsMax ? number : std::nullopt;
}

std::vector<RollupIncrement> add_up(std::span<const UsageEvent> events, std::span<const ActiveMeter> meters,
                                    std::chrono::minutes window) {
  const auto of_name = by_event_name(meters);
  std::map<RollupKey, RollupIncrement> sums;
  for (const auto& event : events) {
    const auto matching = of_name.find(event.event_name);
    if (event.customer_id.empty() || matching == of_name.end()) {
      continue;
    }
    for (const auto* active : matching->second) {
      const auto quantity = measure(active->meter, event);
      if (!quantity) {
        continue;
      }
      const auto segment = segment_of(event.timestamp, window, active->cut);
      auto& sum = sums[{event.customer_id.str(), active->meter.id.str(), segment}];
      sum.quantity += *quantity;
      ++sum.event_count;
    }
  }
  std::vector<RollupIncrement> result;
  result.reserve(sums.size());
  for (auto& [key, sum] : sums) {
    const auto& [customer, meter, segment] = key;
    result.push_back({CustomerId{std::string(customer)}, MeterId{std::string(meter)}, segment, std::move(sum.quantity),
                      sum.event_count});
  }
  return result;
}

PlannedBatch plan_batch(const Scope& scope, const DueRollup& due, Timestamp now, std::chrono::hours age_max) {
  PlannedBatch planned{batch_of(scope, due, now), due.carry};
  auto& batch = planned.batch;
  if (batch.timestamp < now - age_max) {
    batch.status = BatchStatus::expired;
    batch.error_code = "expired";
    batch.error_message = "the usage is older than Stripe takes, " + std::to_string(age_max / std::chrono::days{1}) +
                          " days: nothing was sent";
    return planned;
  }
  const auto total = batch.quantity + due.carry;
  batch.value = total.times_power_of_ten(batch.scale).truncated(0);
  planned.carry = total - batch.value.times_power_of_ten(-batch.scale);
  if (batch.value.is_zero()) {
    batch.status = BatchStatus::carried;
  } else if (batch.value.digits() > kValueDigitsMax) {
    reject_too_long(batch);
  }
  return planned;
}

std::string batch_identifier(const Scope& scope, const CustomerId& customer, const MeterId& meter,
                             const std::string& event_name, const Segment& segment, int sequence) {
  std::string text;
  append(text, scope.tenant.str());
  append(text, scope.environment.str());
  append(text, customer.str());
  append(text, meter.str());
  append(text, event_name);
  append(text, std::to_string(to_unix_micros(segment.start)));
  append(text, std::to_string(to_unix_micros(segment.end)));
  append(text, std::to_string(sequence));
  return "fs_" + sha256_hex(text);
}

Timestamp batch_timestamp(const Segment& segment) {
  return std::chrono::floor<std::chrono::seconds>(segment.end - std::chrono::microseconds{1});
}

Decimal carry_after_return(const UsageBatch& batch, const Decimal& carry) {
  return carry + batch.value.times_power_of_ten(-batch.scale) - batch.quantity;
}

}  // namespace flexsync
