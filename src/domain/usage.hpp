// Usage: events as they come, meters that measure them, rollups that add them up, batches that are billed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/customer.hpp"
#include "domain/decimal.hpp"
#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync {

// FlexPrice's event. (tenant, environment, id) counts once, whatever its timestamp; the first content wins.
struct UsageEvent {
  UsageEventId id;
  std::string event_name;
  std::string external_customer_id;  // as the caller names the customer
  CustomerId customer_id;            // known when the customer is; empty: kept, counts once the customer appears
  Timestamp timestamp;
  std::map<std::string, std::string> properties;  // numbers travel as their text, exactly as sent
  std::string source;
  Timestamp received;

  friend bool operator==(const UsageEvent&, const UsageEvent&) = default;
};

enum class Aggregation : std::uint8_t { count, sum, sum_with_multiplier };

// "COUNT", "SUM", "SUM_WITH_MULTIPLIER"
std::string to_string(Aggregation aggregation);
std::optional<Aggregation> parse_aggregation(const std::string& text);

// A property must have one of these values.
struct MeterFilter {
  std::string key;
  std::vector<std::string> values;

  friend bool operator==(const MeterFilter&, const MeterFilter&) = default;
};

struct Meter {
  MeterId id;
  std::string name;
  std::string event_name;
  Aggregation aggregation = Aggregation::count;
  std::string field;       // the property that is summed; empty for COUNT
  Decimal multiplier = 1;  // for SUM_WITH_MULTIPLIER
  std::vector<MeterFilter> filters;
  std::string reset_usage = "BILLING_PERIOD";  // or NEVER
  Status status = Status::published;
  Timestamp created_at;
  Timestamp updated_at;
  std::string created_by;
  std::string updated_by;

  friend bool operator==(const Meter&, const Meter&) = default;
};

// Which Stripe meter a meter is billed through.
struct MeterMapping {
  MeterMappingId id;
  MeterId meter_id;
  StripeId stripe_meter_id;  // mtr_…
  std::string event_name;    // Stripe's, of its meter events
  std::string customer_key;  // of the payload: "stripe_customer_id"
  std::string value_key;     // of the payload: "value"
  int scale = 0;             // value sent = quantity x 10^scale, whole; the remainder carries over. -15..15
  Timestamp start_at;        // nothing before it is ever billed; a segment is cut here
  bool sync_enabled = true;
  Status status = Status::published;
  Timestamp created_at;
  Timestamp updated_at;

  friend bool operator==(const MeterMapping&, const MeterMapping&) = default;
};

// Half-open; here a window (default 60 minutes from the full hour, UTC), cut at the mapping's start_at.
struct Segment {
  Timestamp start;
  Timestamp end;

  friend auto operator<=>(const Segment&, const Segment&) = default;  // NOLINT(modernize-use-nullptr): its own rewrite
};

// One row per customer, meter and segment.
struct Rollup {
  CustomerId customer_id;
  MeterId meter_id;
  Segment segment;
  Decimal quantity;
  std::int64_t event_count = 0;
  Decimal batched_quantity;  // what batches hold of it
  std::int64_t batched_count = 0;
  int next_sequence = 1;  // of the next batch of this segment

  friend bool operator==(const Rollup&, const Rollup&) = default;
};

enum class BatchStatus : std::uint8_t {
  pending,    // durable, to be sent (again, from next_attempt_at on)
  sent,       // Stripe has taken it, or had it already
  carried,    // less than one whole unit of the mapping's scale: nothing to send, the next batch has it
  rejected,   // Stripe refused it; its quantity stays with it until it is returned
  returned,   // rejected, and its quantity given back to the rollup: the next sequence bills it
  ambiguous,  // nobody can tell whether Stripe has it: for a person
  expired,    // older than Stripe takes (35 days)
};

std::string to_string(BatchStatus status);
std::optional<BatchStatus> parse_batch_status(const std::string& text);

// What is billed: durable before it is sent, and the same event to Stripe however often it is sent.
struct UsageBatch {
  BatchId id;
  CustomerId customer_id;
  MeterId meter_id;
  StripeId stripe_customer_id;
  std::string event_name;    // Stripe's
  std::string customer_key;  // of the payload
  std::string value_key;
  Decimal quantity;  // of the rollup: quantity - batched
  Decimal value;     // what is sent: whole, <= 15 digits = truncated((quantity + carry before) x 10^scale)
  int scale = 0;
  std::int64_t event_count = 0;
  Segment window;
  int sequence = 1;
  std::string identifier;  // derived from tenant, environment, customer, meter, event name, segment, sequence
  Timestamp timestamp;     // of the meter event: inside the window
  BatchStatus status = BatchStatus::pending;
  int attempts = 0;
  Timestamp next_attempt_at;
  std::string error_code;
  std::string error_message;
  std::optional<Timestamp> first_sent_at;  // when an attempt first may have reached Stripe
  std::optional<Timestamp> synced_at;
  Timestamp created_at;
  Timestamp updated_at;

  friend bool operator==(const UsageBatch&, const UsageBatch&) = default;
};

// What became of an attempt to send one batch.
struct BatchResult {
  BatchId id;
  BatchStatus status = BatchStatus::pending;  // pending: again at next_attempt_at
  int attempts = 0;
  Timestamp next_attempt_at;
  std::string error_code;
  std::string error_message;
  std::optional<Timestamp> first_sent_at;
  std::optional<Timestamp> synced_at;

  friend bool operator==(const BatchResult&, const BatchResult&) = default;
};

}  // namespace flexsync
