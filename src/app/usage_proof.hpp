// The last row of the audit: has Stripe accepted what our sent batches say it has? Asked of Stripe's own summaries.
#pragma once

#include <string>
#include <vector>

#include "domain/error.hpp"
#include "store/usage_audit.hpp"
#include "stripe/transport.hpp"

namespace flexsync::app {

// One customer and meter, over all hours with batches.
struct AcceptedRow {
  CustomerId customer_id;
  MeterId meter_id;
  StripeId stripe_customer_id;
  StripeId stripe_meter_id;
  Segment span;
  Decimal sent;
  Decimal undecided;  // may have arrived, may not: not settled yet, or ambiguous
  Decimal accepted;   // what Stripe's summaries add up to

  bool is_settled() const { return undecided.is_zero(); }
  bool is_equal() const { return sent == accepted; }
};

// The rows that Stripe is to be asked for: hours added up per customer and meter.
std::vector<AcceptedRow> rows_to_ask(const std::vector<store::AcceptedUsage>& hours);

// Fills in `accepted`. Blocks. service_unavailable where Stripe cannot be asked, with the reason.
Result<void> ask_stripe(stripe::Transport& transport, const Secret& key, std::chrono::milliseconds timeout,
                        std::vector<AcceptedRow>& rows);

}  // namespace flexsync::app
