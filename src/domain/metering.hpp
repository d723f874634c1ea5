// What usage amounts to: which meters measure an event, into which segment it falls, what a batch bills of a rollup.
// Pure arithmetic, exact; the store applies it inside its transactions.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "domain/usage.hpp"

namespace flexsync {

// A meter as intake sees it: with its mapping's start, where there is one.
struct ActiveMeter {
  Meter meter;
  std::optional<Timestamp> cut;  // a segment never spans it
};

// The segment of a time: the window it lies in (whole windows since the epoch: those of 60 minutes begin at the full
// hour, UTC), cut.
Segment segment_of(Timestamp time, std::chrono::minutes window, std::optional<Timestamp> cut);

// Of the whole part of what one event adds: a rollup's column has room for a million of the largest.
inline constexpr int kMeasureDigitsMax = 24;

// What the event adds to the meter; nothing when event_name or filters do not match, or the field is absent or no
// number (such an event is kept and shown as unmetered), or it is beyond kMeasureDigitsMax or
// Decimal's limits.
std::optional<Decimal> measure(const Meter& meter, const UsageEvent& event);

// One increment per customer, meter and segment.
struct RollupIncrement {
  CustomerId customer_id;
  MeterId meter_id;
  Segment segment;
  Decimal quantity;
  std::int64_t event_count = 0;

  friend bool operator==(const RollupIncrement&, const RollupIncrement&) = default;
};

// The events' increments, in key order (customer, meter, segment): writers that take rows in one order never deadlock.
// Events without a customer add nothing.
std::vector<RollupIncrement> add_up(std::span<const UsageEvent> events, std::span<const ActiveMeter> meters,
                                    std::chrono::minutes window);

// --- batches ------------------------------------------------------------------------------------------------------

inline constexpr int kValueDigitsMax = 15;  // Stripe: a value of 15 digits at most

// A rollup that is due, with what its batch needs.
struct DueRollup {
  Rollup rollup;
  MeterMapping mapping;
  StripeId stripe_customer_id;
  Decimal carry;  // of this customer and meter: what earlier batches could not send in whole units
};

struct PlannedBatch {
  UsageBatch batch;
  Decimal carry;  // afterwards
};

// The batch of (rollup - batched) plus carry: value = truncated(that x 10^scale), the rest is the new carry. A value of
// 0 is `carried`, one whose timestamp is older than `age_max` is `expired` (value 0, the carry unchanged), one of too
// many digits is `rejected`, with the reason; its value is kept as computed, so that it can be returned.
//
// So at any time, over all batches of a customer and meter but returned ones and those made `expired` (value 0):
// sum of quantity = sum of value / 10^scale + carry.
PlannedBatch plan_batch(const Scope& scope, const DueRollup& due, Timestamp now, std::chrono::hours age_max);

// SHA-256 over (tenant, environment, customer, meter, event name, segment, sequence), each with its length before it,
// hex, prefixed "fs_": <= 100 characters. The same batch is the same event to Stripe however often it is sent.
std::string batch_identifier(const Scope& scope, const CustomerId& customer, const MeterId& meter,
                             const std::string& event_name, const Segment& segment, int sequence);

// Where a batch's meter event stands in time: the last whole second inside the segment (cuts are at whole seconds), so
// that it falls on the invoice of the period the usage belongs to.
Timestamp batch_timestamp(const Segment& segment);

// What the carry is after a rejected batch is returned to its rollup, which then has the batch's quantity again: what
// the batch had taken of the carry comes back, what it had left to it goes. May be negative, or more than a unit.
Decimal carry_after_return(const UsageBatch& batch, const Decimal& carry);

}  // namespace flexsync
