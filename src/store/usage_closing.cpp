#include "store/usage_closing.hpp"

#include <map>
#include <pqxx/pqxx>

#include "domain/metering.hpp"
#include "domain/ulid.hpp"
#include "store/usage_columns.hpp"
#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

const std::string kMappings = "SELECT " + std::string(kMeterMappingColumns) +
                              " FROM meter_mappings AS m"
                              " WHERE tenant_id = $1 AND environment_id = $2 AND status = 'published' AND sync_enabled";

// First which are due, the oldest, found by meter; then the rows themselves, locked in the order in which intake
// takes them.
constexpr NamedStatement kDue{
    "usage_rollups_due",
    "WITH due AS MATERIALIZED ("
    "  SELECT r.segment_start, r.segment_end, r.customer_id, r.meter_id, e.provider_entity_id FROM meter_mappings m"
    "    CROSS JOIN LATERAL ("
    "      SELECT u.segment_start, u.segment_end, u.customer_id, u.meter_id FROM usage_rollups u"
    "      WHERE u.tenant_id = $1 AND u.environment_id = $2 AND u.meter_id = m.meter_id AND u.pending"
    "        AND u.segment_end <= " FLEXSYNC_TIME("$3") " AND u.segment_start >= m.start_at OFFSET 0) r"
    "    CROSS JOIN LATERAL ("
    "      SELECT i.provider_entity_id FROM entity_integration_mappings i"
    "      WHERE i.tenant_id = $1 AND i.environment_id = $2 AND i.entity_id = r.customer_id"
    "        AND i.entity_type = 'customer' AND i.provider_type = 'stripe' AND i.status = 'published' OFFSET 0) e"
    "  WHERE m.tenant_id = $1 AND m.environment_id = $2 AND m.status = 'published' AND m.sync_enabled"
    "  ORDER BY r.segment_start, r.segment_end, r.customer_id, r.meter_id LIMIT $4)"
    " SELECT r.customer_id, r.meter_id, " FLEXSYNC_MICROS("r.segment_start") " AS segment_start,"
    "   " FLEXSYNC_MICROS("r.segment_end") " AS segment_end, r.quantity, r.event_count, r.batched_quantity,"
    "   r.batched_count, r.next_sequence, d.provider_entity_id"
    " FROM due d JOIN usage_rollups r ON r.tenant_id = $1 AND r.environment_id = $2"
    "   AND r.segment_start = d.segment_start AND r.customer_id = d.customer_id AND r.meter_id = d.meter_id"
    "   AND r.segment_end = d.segment_end AND r.pending"
    " ORDER BY r.customer_id, r.meter_id, r.segment_start, r.segment_end FOR UPDATE OF r"};

constexpr NamedStatement kCarries{"usage_carries_read", R"(
  SELECT c.customer_id, c.meter_id, c.carry FROM unnest($3::text[], $4::text[]) AS row(customer, meter)
    JOIN usage_carries c ON c.tenant_id = $1 AND c.environment_id = $2 AND c.customer_id = row.customer
      AND c.meter_id = row.meter)"};

constexpr NamedStatement kSaveCarries{"usage_carries_save", R"(
  INSERT INTO usage_carries (tenant_id, environment_id, customer_id, meter_id, carry)
  SELECT $1, $2, customer, meter, carry
  FROM unnest($3::text[], $4::text[], $5::numeric[]) AS row(customer, meter, carry)
  ON CONFLICT (tenant_id, environment_id, customer_id, meter_id) DO UPDATE SET carry = excluded.carry)"};

constexpr NamedStatement kBatches{
    "usage_batches_insert",
    "INSERT INTO stripe_sync_batches (tenant_id, environment_id, id, customer_id, meter_id, stripe_customer_id,"
    "  event_name, customer_key, value_key, quantity, value, scale, event_count, window_start, window_end, sequence,"
    "  identifier, event_at, status, attempts, next_attempt_at, error_code, error_message, created_at, updated_at)"
    " SELECT $1, $2, id, customer, meter, stripe, name, customer_key, value_key, quantity, value, scale, count,"
    "   " FLEXSYNC_TIME("since") ", " FLEXSYNC_TIME("until") ", sequence, identifier, " FLEXSYNC_TIME("at")
    ", status, 0, " FLEXSYNC_TIME("$3") ", error_code, error_message, " FLEXSYNC_TIME("$3") ", " FLEXSYNC_TIME("$3")
    " FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],"
    "             $11::numeric[], $12::numeric[], $13::int[], $14::bigint[], $15::bigint[], $16::bigint[], $17::int[],"
    "             $18::text[], $19::bigint[], $20::text[], $21::text[], $22::text[])"
    "   AS row(id, customer, meter, stripe, name, customer_key, value_key, quantity, value, scale, count, since, until,"
    "          sequence, identifier, at, status, error_code, error_message)"};

// The rows are locked, so what is batched now is what the batches hold.
constexpr NamedStatement kBatched{
    "usage_rollups_batched",
    "UPDATE usage_rollups r SET batched_quantity = r.quantity, batched_count = r.event_count,"
    "  next_sequence = r.next_sequence + 1, pending = false"
    " FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[]) AS row(customer, meter, since, until)"
    " WHERE r.tenant_id = $1 AND r.environment_id = $2 AND r.segment_start = " FLEXSYNC_TIME(
        "since") "   AND r.customer_id = customer AND r.meter_id = meter AND r.segment_end = " FLEXSYNC_TIME("until")};

using CarryKey = std::pair<CustomerId, MeterId>;

std::vector<std::string> parameters(const Scope& scope) {
  return {scope.tenant.str(), scope.environment.str()};
}

std::map<MeterId, MeterMapping> read_mappings(pqxx::transaction_base& tx, const Scope& scope) {
  std::map<MeterId, MeterMapping> mappings;
  for (const auto& row : exec_named(tx, {"usage_mappings", kMappings.c_str()}, parameters(scope))) {
    auto mapping = meter_mapping_from_row(row);
    mappings.emplace(mapping.meter_id, std::move(mapping));
  }
  return mappings;
}

Rollup rollup_from_row(const pqxx::row& row) {
  Rollup rollup;
  rollup.customer_id = CustomerId{text_from(row["customer_id"])};
  rollup.meter_id = MeterId{text_from(row["meter_id"])};
  rollup.segment = {time_from(row["segment_start"]), time_from(row["segment_end"])};
  rollup.quantity = decimal_from(row["quantity"]);
  rollup.event_count = row["event_count"].as<std::int64_t>();
  rollup.batched_quantity = decimal_from(row["batched_quantity"]);
  rollup.batched_count = row["batched_count"].as<std::int64_t>();
  rollup.next_sequence = row["next_sequence"].as<int>();
  return rollup;
}

std::vector<DueRollup> read_due(pqxx::transaction_base& tx, const Scope& scope, const CloseRequest& request) {
  const auto mappings = read_mappings(tx, scope);
  auto values = parameters(scope);
  values.push_back(std::to_string(to_unix_micros(request.now - request.grace)));
  values.push_back(std::to_string(request.batches_max));
  std::vector<DueRollup> due;
  for (const auto& row : exec_named(tx, kDue, values)) {
    auto rollup = rollup_from_row(row);
    const auto mapping = mappings.find(rollup.meter_id);
    if (mapping != mappings.end()) {  // unless it was switched off between the two statements
      due.push_back({std::move(rollup), mapping->second, StripeId{text_from(row["provider_entity_id"])}, {}});
    }
  }
  return due;
}

std::map<CarryKey, Decimal> read_carries(pqxx::transaction_base& tx, const Scope& scope,
                                         const std::vector<DueRollup>& due) {
  std::map<CarryKey, Decimal> carries;
  UsageColumns<2> columns;
  for (const auto& [rollup, mapping, stripe_customer, carry] : due) {
    if (carries.try_emplace({rollup.customer_id, rollup.meter_id}).second) {
      columns.row(rollup.customer_id.str(), rollup.meter_id.str());
    }
  }
  for (const auto& row : columns.exec(tx, kCarries, parameters(scope))) {
    carries[{CustomerId{text_from(row[0])}, MeterId{text_from(row[1])}}] = decimal_from(row[2]);
  }
  return carries;
}

// Rows of the three tables, filled batch by batch.
struct Books {
  UsageColumns<19> batches;
  UsageColumns<4> rollups;
  UsageColumns<3> carries;

  void add(const UsageBatch& b) {
    batches.row(b.id.str(), b.customer_id.str(), b.meter_id.str(), b.stripe_customer_id.str(), b.event_name,
                b.customer_key, b.value_key, b.quantity.str(), b.value.str(), std::int64_t{b.scale}, b.event_count,
                b.window.start, b.window.end, std::int64_t{b.sequence}, b.identifier, b.timestamp, to_string(b.status),
                b.error_code, b.error_message);
    rollups.row(b.customer_id.str(), b.meter_id.str(), b.window.start, b.window.end);
  }
};

}  // namespace

Closed close_due_windows(pqxx::transaction_base& tx, const Scope& scope, const CloseRequest& request) {
  auto due = read_due(tx, scope, request);
  auto carries = read_carries(tx, scope, due);
  const auto carries_before = carries;
  Books books;
  for (auto& rollup : due) {  // of one customer and meter the oldest first: its carry is the next one's
    auto& carry = carries[{rollup.rollup.customer_id, rollup.rollup.meter_id}];
    rollup.carry = carry;
    auto planned = plan_batch(scope, rollup, request.now, request.age_max);
    if (planned.batch.id.empty()) {
      planned.batch.id = new_id<BatchId>(prefix::kBatch, request.now);
    }
    books.add(planned.batch);
    carry = planned.carry;
  }
  for (const auto& [key, carry] : carries) {
    if (carry != carries_before.at(key)) {
      books.carries.row(key.first.str(), key.second.str(), carry.str());
    }
  }
  auto with_time = parameters(scope);
  with_time.push_back(std::to_string(to_unix_micros(request.now)));
  books.batches.exec(tx, kBatches, with_time);
  books.rollups.exec(tx, kBatched, parameters(scope));
  books.carries.exec(tx, kSaveCarries, parameters(scope));
  const auto made = static_cast<std::int64_t>(due.size());
  return {made, made >= request.batches_max};
}

}  // namespace flexsync::store
