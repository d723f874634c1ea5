#include "store/usage_rollups.hpp"

#include <pqxx/pqxx>

#include "store/rows.hpp"
#include "store/usage_columns.hpp"

namespace flexsync::store {

namespace {

// A rollup that was batched whole has something new: it is pending again.
constexpr NamedStatement kAdd{
    "usage_rollups_add",
    "INSERT INTO usage_rollups (tenant_id, environment_id, customer_id, meter_id, segment_start, segment_end, quantity,"
    "                           event_count)"
    " SELECT tenant, environment, customer, meter, " FLEXSYNC_TIME("since") ", " FLEXSYNC_TIME("until")
    ", quantity, count FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],"
    "                         $7::numeric[], $8::bigint[])"
    "   AS row(tenant, environment, customer, meter, since, until, quantity, count)"
    " ON CONFLICT (tenant_id, environment_id, segment_start, customer_id, meter_id, segment_end) DO UPDATE SET"
    "   quantity = usage_rollups.quantity + excluded.quantity,"
    "   event_count = usage_rollups.event_count + excluded.event_count, pending = true"};

}  // namespace

void RollupIncrements::add(const Scope& scope, std::vector<RollupIncrement> increments) {
  for (auto& increment : increments) {
    auto& sum =
        increments_[{scope, std::move(increment.customer_id), std::move(increment.meter_id), increment.segment}];
    sum.quantity += increment.quantity;
    sum.event_count += increment.event_count;
  }
}

void RollupIncrements::write(pqxx::transaction_base& tx) const {
  UsageColumns<8> columns;
  for (const auto& [key, sum] : increments_) {
    const auto& [scope, customer, meter, segment] = key;
    columns.row(scope.tenant.str(), scope.environment.str(), customer.str(), meter.str(), segment.start, segment.end,
                sum.quantity.str(), sum.event_count);
  }
  columns.exec(tx, kAdd);
}

}  // namespace flexsync::store
