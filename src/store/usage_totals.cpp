#include "store/usage_totals.hpp"

#include <pqxx/pqxx>

#include "store/rows.hpp"

namespace flexsync::store {

namespace {

constexpr const char* kEventTotals =
    "SELECT count(*), count(*) FILTER (WHERE customer_id = ''), count(*) FILTER (WHERE customer_id <> ''"
    "   AND NOT EXISTS (SELECT 1 FROM meters m WHERE m.event_name = e.event_name AND m.status = 'published'))"
    " FROM usage_events e";
constexpr const char* kRollupTotals =
    "SELECT coalesce(sum(event_count), 0), coalesce(sum(batched_count), 0),"
    "  coalesce(sum(rest) FILTER (WHERE NOT over AND NOT early), 0),"
    "  coalesce(sum(rest) FILTER (WHERE over AND mapped AND NOT early), 0),"
    "  coalesce(sum(rest) FILTER (WHERE over AND NOT mapped AND NOT early), 0),"
    "  coalesce(sum(rest) FILTER (WHERE early), 0), count(*) FILTER (WHERE frozen)"
    " FROM (SELECT r.event_count, r.batched_count, r.event_count - r.batched_count AS rest, r.frozen,"
    "   r.segment_end <= " FLEXSYNC_TIME("$1") " AS over, coalesce(r.segment_start < m.start_at, false) AS early,"
    "   coalesce(m.sync_enabled, false) AND EXISTS ("
    "     SELECT 1 FROM entity_integration_mappings e WHERE e.entity_id = r.customer_id"
    "       AND e.entity_type = 'customer' AND e.provider_type = 'stripe' AND e.status = 'published') AS mapped"
    "  FROM usage_rollups r LEFT JOIN meter_mappings m ON m.meter_id = r.meter_id AND m.status = 'published') r";
constexpr const char* kBatchTotals =
    "SELECT status, count(*), sum(event_count)::bigint FROM stripe_sync_batches WHERE status <> 'returned'"
    " GROUP BY status";

std::int64_t number(const pqxx::field& field) {
  return field.as<std::int64_t>();
}

}  // namespace

UsageTotals read_usage_totals(pqxx::transaction_base& tx, Timestamp closable) {
  UsageTotals totals;
  const auto events = tx.exec1(kEventTotals);
  totals.ingested = number(events[0]);
  totals.unattributed = number(events[1]);
  totals.unmetered = number(events[2]);
  const auto rollups = tx.exec_params1(kRollupTotals, to_unix_micros(closable));
  int column = 0;
  for (auto* total : {&totals.counted, &totals.batched, &totals.not_yet_due, &totals.due, &totals.unmapped,
                      &totals.before_start, &totals.frozen}) {
    *total = number(rollups[column++]);
  }
  for (const auto& row : tx.exec(kBatchTotals)) {
    totals.batches[row[0].c_str()] = {number(row[1]), number(row[2])};
  }
  return totals;
}

}  // namespace flexsync::store
