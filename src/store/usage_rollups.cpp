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
    " SELECT ($1::text[])[scope], ($2::text[])[scope], customer, meter,"
    " " FLEXSYNC_TIME("since") ", " FLEXSYNC_TIME("until")
    ", quantity, count FROM ("
    "   SELECT unnest($3::int[]) AS scope, unnest($4::text[]) AS customer, unnest($5::text[]) AS meter,"
    "          unnest($6::bigint[]) AS since, unnest($7::bigint[]) AS until, unnest($8::numeric[]) AS quantity,"
    "          unnest($9::bigint[]) AS count) AS row"
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
  ArrayLiteral tenants;  // each scope once: a row names its own by number
  ArrayLiteral environments;
  std::int64_t number = 0;
  const Scope* last = nullptr;
  UsageColumns<7> columns;
  for (const auto& [key, sum] : increments_) {
    const auto& [scope, customer, meter, segment] = key;
    if (last == nullptr || *last != scope) {
      tenants.add(scope.tenant.str());
      environments.add(scope.environment.str());
      ++number;
      last = &scope;
    }
    columns.row(number, customer.str(), meter.str(), segment.start, segment.end, sum.quantity.str(), sum.event_count);
  }
  columns.exec(tx, kAdd, {tenants.take(), environments.take()});
}

}  // namespace flexsync::store
