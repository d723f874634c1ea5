// Stripe's billing meters: the meter itself, the event that bills a batch, and what it has counted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/decimal.hpp"
#include "domain/error.hpp"
#include "domain/usage.hpp"

namespace flexsync::stripe {

// The body of create_meter_event: event name, payload (customer, value), identifier, timestamp. The same batch gives
// the same bytes.
std::string meter_event_body(const UsageBatch& batch);

struct BillingMeter {
  StripeId id;
  std::string event_name;
  std::string status;        // "active", "inactive"
  std::string formula;       // of default_aggregation: "sum", "count", "last"
  std::string customer_key;  // customer_mapping.event_payload_key
  std::string value_key;     // value_settings.event_payload_key
};

// From GET /v1/billing/meters/{id}. validation_error names what is missing.
Result<BillingMeter> parse_billing_meter(std::string_view json);

// What a meter has counted for a customer in a span of time.
struct MeterSummary {
  StripeId id;
  Timestamp start;
  Timestamp end;
  Decimal value;  // exactly as it was sent: never by way of a floating-point number
};

struct MeterSummaryPage {
  std::vector<MeterSummary> summaries;
  bool has_more = false;
};

Result<MeterSummaryPage> parse_meter_summaries(std::string_view json);

}  // namespace flexsync::stripe
