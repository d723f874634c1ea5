#include "store/meter_set.hpp"

#include <pqxx/pqxx>

#include "store/usage_columns.hpp"
#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

constexpr std::size_t kCachedScopesMax = 16'384;

#define METER_SET_KEY(tenant, environment) "hashtextextended('meters/' || " tenant " || '/' || " environment ", 0)"

constexpr NamedStatement kShare{"meter_set_share",
                                "SELECT pg_advisory_xact_lock_shared(" METER_SET_KEY("$1::text", "$2::text") ")"};
constexpr NamedStatement kSeize{"meter_set_seize",
                                "SELECT pg_advisory_xact_lock(" METER_SET_KEY("$1::text", "$2::text") ")"};
constexpr NamedStatement kSeizeLedger{
    "usage_ledger_seize",
    "SELECT pg_advisory_xact_lock(hashtextextended('ledger/' || $1::text || '/' || $2::text, 0))"};
constexpr NamedStatement kTryShare{"meter_set_try_share",
                                   "SELECT pg_try_advisory_xact_lock_shared(" METER_SET_KEY(
                                       "tenant", "environment") ") FROM unnest($1::text[], $2::text[])"
                                                                " AS row(tenant, environment)"};
constexpr NamedStatement kVersions{"meter_set_versions", R"(
  SELECT coalesce((SELECT version FROM meter_sets s
                   WHERE s.tenant_id = row.tenant AND s.environment_id = row.environment OFFSET 0), 0)
  FROM unnest($1::text[], $2::text[]) AS row(tenant, environment))"};
constexpr NamedStatement kRaise{"meter_set_raise", R"(
  INSERT INTO meter_sets (tenant_id, environment_id, version) VALUES ($1, $2, 1)
  ON CONFLICT (tenant_id, environment_id) DO UPDATE SET version = meter_sets.version + 1)"};

// A mapping cuts the segments whether or not it is switched on: switching it off must not move them.
const std::string kMeters =
    "SELECT " + std::string(kMeterColumns) + ", " FLEXSYNC_MICROS("m.start_at") +
    " AS cut FROM meters LEFT JOIN meter_mappings AS m ON m.tenant_id = meters.tenant_id"
    " AND m.environment_id = meters.environment_id AND m.meter_id = meters.id AND m.status = 'published'"
    " WHERE meters.tenant_id = $1 AND meters.environment_id = $2 AND meters.status = 'published' ORDER BY meters.id";

std::vector<std::string> parameters(const Scope& scope) {
  return {scope.tenant.str(), scope.environment.str()};
}

UsageColumns<2> columns(const std::set<Scope>& scopes) {
  UsageColumns<2> columns;
  for (const auto& scope : scopes) {
    columns.row(scope.tenant.str(), scope.environment.str());
  }
  return columns;
}

}  // namespace

void share_meter_set(pqxx::transaction_base& tx, const Scope& scope) {
  exec_named(tx, kShare, parameters(scope));
}

void seize_meter_set(pqxx::transaction_base& tx, const Scope& scope) {
  exec_named(tx, kSeize, parameters(scope));
}

void seize_ledger(pqxx::transaction_base& tx, const Scope& scope) {
  exec_named(tx, kSeizeLedger, parameters(scope));
}

std::set<Scope> try_share_meter_sets(pqxx::transaction_base& tx, const std::set<Scope>& scopes) {
  const auto result = columns(scopes).exec(tx, kTryShare);
  std::set<Scope> shared;
  auto scope = scopes.begin();
  for (const auto& row : result) {
    if (row[0].as<bool>()) {
      shared.insert(*scope);
    }
    ++scope;
  }
  return shared;
}

void raise_meter_set(pqxx::transaction_base& tx, const Scope& scope) {
  exec_named(tx, kRaise, parameters(scope));
}

std::vector<ActiveMeter> read_meters(pqxx::transaction_base& tx, const Scope& scope) {
  std::vector<ActiveMeter> meters;
  for (const auto& row : exec_named(tx, {"meter_set_meters", kMeters.c_str()}, parameters(scope))) {
    meters.push_back({meter_from_row(row), optional_time_from(row["cut"])});
  }
  return meters;
}

void MeterCache::refresh(pqxx::transaction_base& tx, const std::set<Scope>& scopes) {
  if (entries_.size() > kCachedScopesMax) {
    entries_.clear();
  }
  const auto result = columns(scopes).exec(tx, kVersions);
  auto scope = scopes.begin();
  for (const auto& row : result) {
    const auto version = row[0].as<std::int64_t>();
    auto& entry = entries_[*scope];
    if (entry.version != version) {
      entry.meters = read_meters(tx, *scope);
      entry.version = version;
    }
    ++scope;
  }
}

const std::vector<ActiveMeter>& MeterCache::meters(const Scope& scope) const {
  return entries_.at(scope).meters;
}

}  // namespace flexsync::store
