#include <map>
#include <pqxx/pqxx>
#include <tuple>

#include "domain/metering.hpp"
#include "store/meter_commands.hpp"
#include "store/meter_set.hpp"
#include "store/usage_batch_filter.hpp"
#include "store/usage_columns.hpp"
#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

// So many in one call; whoever has more calls again.
constexpr int kReturnedMax = 10'000;

constexpr NamedStatement kCarry{"usage_carry_change", R"(
  INSERT INTO usage_carries (tenant_id, environment_id, customer_id, meter_id, carry)
  SELECT $1, $2, customer, meter, carry
  FROM unnest($3::text[], $4::text[], $5::numeric[]) AS row(customer, meter, carry)
  ON CONFLICT (tenant_id, environment_id, customer_id, meter_id) DO UPDATE SET carry = excluded.carry)"};
constexpr const char* kReadCarry = "SELECT carry FROM usage_carries WHERE customer_id = $1 AND meter_id = $2";

constexpr NamedStatement kGiveBack{
    "usage_rollups_give_back",
    "UPDATE usage_rollups r SET batched_quantity = r.batched_quantity - row.quantity,"
    "  batched_count = r.batched_count - row.count, pending = true"
    " FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::numeric[], $8::bigint[])"
    "   AS row(customer, meter, since, until, quantity, count)"
    " WHERE r.tenant_id = $1 AND r.environment_id = $2 AND r.segment_start = " FLEXSYNC_TIME(
        "since") "   AND r.customer_id = customer AND r.meter_id = meter AND r.segment_end = " FLEXSYNC_TIME("until")};

// Batch and audit row in one statement.
constexpr NamedStatement kReturn{
    "usage_batches_return",
    "WITH changed AS ("
    "  UPDATE stripe_sync_batches b SET status = 'returned', updated_at = " FLEXSYNC_TIME("$5")
    "  WHERE b.tenant_id = $1 AND b.environment_id = $2 AND b.id = ANY ($6::text[]) RETURNING b.id, b.error_message)"
    " INSERT INTO audit_log (tenant_id, environment_id, entity_type, entity_id, action, actor, before, after,"
    "                        request_id, at)"
    " SELECT $1, $2, 'usage_batch', id, 'return', $3, json_build_object('status', 'rejected', 'error', error_message),"
    "        json_build_object('status', 'returned'), $4, " FLEXSYNC_TIME("$5") " FROM changed"};

struct Sum {
  Decimal quantity;
  std::int64_t count = 0;
};

using CarryKey = std::pair<CustomerId, MeterId>;

std::vector<UsageBatch> read_rejected(pqxx::transaction_base& tx, const Where& where) {
  const auto sql = "SELECT " + std::string(kUsageBatchColumns) + " FROM stripe_sync_batches AS b" + where.sql() +
                   " ORDER BY b.window_start, b.sequence LIMIT " + std::to_string(kReturnedMax) + " FOR UPDATE";
  std::vector<UsageBatch> batches;
  for (const auto& row : where.exec(tx, sql)) {
    batches.push_back(usage_batch_from_row(row));
  }
  return batches;
}

Decimal read_carry(pqxx::transaction_base& tx, const CarryKey& key) {
  const auto rows = tx.exec_params(kReadCarry, key.first.str(), key.second.str());
  return rows.empty() ? Decimal{} : decimal_from(rows[0][0]);
}

void give_back(pqxx::transaction_base& tx, const Scope& scope, const std::vector<UsageBatch>& batches) {
  std::map<std::tuple<CustomerId, MeterId, Segment>, Sum> rollups;  // in the order in which intake takes them
  std::map<CarryKey, Decimal> carries;
  for (const auto& batch : batches) {
    auto& sum = rollups[{batch.customer_id, batch.meter_id, batch.window}];
    sum.quantity += batch.quantity;
    sum.count += batch.event_count;
    const CarryKey key{batch.customer_id, batch.meter_id};
    const auto carry = carries.contains(key) ? carries.at(key) : read_carry(tx, key);
    carries[key] = carry_after_return(batch, carry);
  }
  UsageColumns<6> changed;
  for (const auto& [key, sum] : rollups) {
    const auto& [customer, meter, segment] = key;
    changed.row(customer.str(), meter.str(), segment.start, segment.end, sum.quantity.str(), sum.count);
  }
  UsageColumns<3> carried;
  for (const auto& [key, carry] : carries) {
    carried.row(key.first.str(), key.second.str(), carry.str());
  }
  changed.exec(tx, kGiveBack, {scope.tenant.str(), scope.environment.str()});
  carried.exec(tx, kCarry, {scope.tenant.str(), scope.environment.str()});
}

}  // namespace

Result<std::int64_t> StoreMeterCommands::return_rejected(const Scope& scope, const BatchFilter& filter,
                                                         const Principal& by) {
  auto rejected = filter;
  rejected.status = to_string(BatchStatus::rejected);
  const auto where = batches_that_match(rejected);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto now = clock_.now();
  const auto give = [&](pqxx::transaction_base& tx) -> Result<std::int64_t> {
    seize_ledger(tx, scope);
    const auto batches = read_rejected(tx, where);
    give_back(tx, scope, batches);
    UsageColumns<1> ids;
    for (const auto& batch : batches) {
      ids.row(batch.id.str());
    }
    ids.exec(
        tx, kReturn,
        {scope.tenant.str(), scope.environment.str(), by.label, by.request_id, std::to_string(to_unix_micros(now))});
    return static_cast<std::int64_t>(batches.size());
  };
  return pool_.call(scope, "rejected batches cannot be returned", give);
}

}  // namespace flexsync::store
