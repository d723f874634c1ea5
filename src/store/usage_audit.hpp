// The audit of usage: is every event counted once, everything counted batched once, and everything batched sent once?
//
// It walks all there is in one snapshot, row by row, and stops at the first difference, which names every key and both
// figures. Counting compares by customer, meter and hour: segments are windows, cut or not, and lie within an hour
// whatever mappings have cut since.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "domain/usage.hpp"
#include "store/read_pool.hpp"
#include "store/usage_totals.hpp"

namespace flexsync::store {

struct UsageDifference {
  std::string what;  // "events and rollup", "rollup and batches", "batches and values"
  CustomerId customer_id;
  MeterId meter_id;
  std::optional<Segment> segment;   // nothing: over all time
  Decimal expected;                 // what the first of the two says
  Decimal found;                    // what the second says
  std::int64_t expected_count = 0;  // events behind either; 0 where values are compared
  std::int64_t found_count = 0;
};

// What Stripe must have for one of its meters and customers in one hour, to compare with its event summaries.
struct AcceptedUsage {
  CustomerId customer_id;
  MeterId meter_id;
  StripeId stripe_customer_id;
  StripeId stripe_meter_id;
  Segment hour;
  Decimal value;      // of the batches that are sent
  Decimal undecided;  // of those that may have arrived: under way, or ambiguous
};

struct UsageAuditReport {
  UsageTotals totals;
  std::optional<UsageDifference> first_difference;
  std::vector<AcceptedUsage> accepted;  // in order of hour; empty where there is a difference
};

class UsageAudit {
 public:
  UsageAudit(ReadPool& pool, std::chrono::minutes window, std::chrono::minutes grace)
      : pool_(pool), window_(window), grace_(grace) {}

  Result<UsageAuditReport> run(const Scope& scope, Timestamp now);

 private:
  ReadPool& pool_;
  std::chrono::minutes window_;
  std::chrono::minutes grace_;
};

}  // namespace flexsync::store
