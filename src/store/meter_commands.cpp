#include "store/meter_commands.hpp"

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include "domain/ulid.hpp"
#include "store/audit.hpp"
#include "store/meter_set.hpp"
#include "store/provisioning.hpp"
#include "store/usage_queries.hpp"
#include "store/usage_recount.hpp"
#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kFiltersMax = 20;
constexpr std::size_t kFilterValuesMax = 100;

constexpr const char* kInsert =
    "INSERT INTO meters (tenant_id, environment_id, id, name, event_name, aggregation, field, multiplier, filters,"
    "                    reset_usage, status, created_at, updated_at, created_by, updated_by)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'published', " FLEXSYNC_TIME("$11") ", " FLEXSYNC_TIME(
        "$11") ", $12, $12) ON CONFLICT DO NOTHING";
constexpr const char* kSetFilters =
    "UPDATE meters SET filters = $2, updated_by = $3, updated_at = " FLEXSYNC_TIME("$4") " WHERE id = $1";
constexpr const char* kDelete =
    "UPDATE meters SET status = 'deleted', updated_by = $2, updated_at = " FLEXSYNC_TIME("$3") " WHERE id = $1";
constexpr const char* kLiveMapping = "SELECT id FROM meter_mappings WHERE meter_id = $1 AND status = 'published'";

Json audited(const Meter& meter) {
  return {{"name", meter.name},
          {"event_name", meter.event_name},
          {"aggregation", to_string(meter.aggregation)},
          {"field", meter.field},
          {"multiplier", meter.multiplier.str()},
          {"filters", Json::parse(filters_to_json(meter.filters))},
          {"reset_usage", meter.reset_usage}};
}

Result<void> invalid(const std::string& field, const std::string& why) {
  return fail(ErrorCode::validation_error, field + " " + why, {{field, why}});
}

Result<void> check_filters(const std::vector<MeterFilter>& filters) {
  if (filters.size() > kFiltersMax) {
    return invalid("filters", "must be at most " + std::to_string(kFiltersMax));
  }
  for (const auto& filter : filters) {
    if (filter.key.empty() || filter.values.empty() || filter.values.size() > kFilterValuesMax) {
      return invalid("filters", "need a key and 1 to " + std::to_string(kFilterValuesMax) + " values each");
    }
    const auto storable = [](const std::string& text) { return is_storable(text); };
    if (!is_storable(filter.key) || !std::all_of(filter.values.begin(), filter.values.end(), storable)) {
      return invalid("filters", "must be valid UTF-8 without U+0000");
    }
  }
  return {};
}

Result<void> check_meter(Meter& wanted) {
  for (const auto& [field, text] : {std::pair{"name", &wanted.name}, std::pair{"event_name", &wanted.event_name}}) {
    if (auto valid = check_name(field, *text); !valid) {
      return valid;
    }
  }
  if (wanted.aggregation == Aggregation::count) {
    wanted.field.clear();
  } else if (auto valid = check_name("aggregation.field", wanted.field); !valid) {
    return valid;
  }
  if (wanted.aggregation != Aggregation::sum_with_multiplier) {
    wanted.multiplier = 1;
  } else if (wanted.multiplier.is_zero()) {
    return invalid("aggregation.multiplier", "must not be 0");
  }
  if (wanted.reset_usage != "BILLING_PERIOD" && wanted.reset_usage != "NEVER") {
    return invalid("reset_usage", "must be BILLING_PERIOD or NEVER");
  }
  return check_filters(wanted.filters);
}

ActiveMeter active(pqxx::transaction_base& tx, const Scope& scope, const MeterId& id) {
  for (auto& meter : read_meters(tx, scope)) {
    if (meter.meter.id == id) {
      return meter;
    }
  }
  throw std::logic_error("meter " + id.str() + " is not among the published ones");
}

}  // namespace

Result<Meter> StoreMeterCommands::create_meter(const Scope& scope, Meter wanted, const Principal& by) {
  if (auto valid = check_meter(wanted); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto now = clock_.now();
  wanted.id = new_id<MeterId>(prefix::kMeter, now);
  wanted.status = Status::published;
  wanted.created_at = wanted.updated_at = now;
  wanted.created_by = wanted.updated_by = by.label;
  const auto create = [&](pqxx::transaction_base& tx) -> Result<Meter> {
    if (auto found = require_environment(tx, scope); !found) {
      return tl::unexpected(found.error());
    }
    seize_meter_set(tx, scope);
    seize_ledger(tx, scope);
    const auto inserted =
        tx.exec_params(kInsert, scope.tenant.str(), scope.environment.str(), wanted.id.str(), wanted.name,
                       wanted.event_name, to_string(wanted.aggregation), wanted.field, wanted.multiplier.str(),
                       filters_to_json(wanted.filters), wanted.reset_usage, to_unix_micros(now), by.label);
    if (inserted.affected_rows() > 0) {  // else: of the first try, whose answer was lost
      count_again(tx, scope, {wanted, std::nullopt}, {}, window_);
      raise_meter_set(tx, scope);
      write_audit(tx, {scope, "meter", wanted.id.str(), "create"}, by, Json::object(), audited(wanted), now);
    }
    return wanted;
  };
  return pool_.call(scope, "the meter cannot be created", create);
}

Result<Meter> StoreMeterCommands::update_meter_filters(const Scope& scope, const MeterId& id,
                                                       std::vector<MeterFilter> filters, const Principal& by) {
  if (auto valid = check_filters(filters); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto now = clock_.now();
  const auto update = [&](pqxx::transaction_base& tx) -> Result<Meter> {
    seize_meter_set(tx, scope);
    seize_ledger(tx, scope);
    auto meter = find_meter(tx, id);
    if (!meter || meter->filters == filters) {
      return meter;
    }
    const auto before = audited(*meter)["filters"];
    tx.exec_params(kSetFilters, id.str(), filters_to_json(filters), by.label, to_unix_micros(now));
    meter->filters = filters;
    meter->updated_at = now;
    meter->updated_by = by.label;
    count_again(tx, scope, active(tx, scope, id), {.only = {}, .definition_changed = true}, window_);
    raise_meter_set(tx, scope);
    write_audit(tx, {scope, "meter", id.str(), "update"}, by, {{"filters", before}},
                {{"filters", audited(*meter)["filters"]}}, now);
    return meter;
  };
  return pool_.call(scope, "the meter cannot be updated", update);
}

Result<void> StoreMeterCommands::delete_meter(const Scope& scope, const MeterId& id, const Principal& by) {
  const auto now = clock_.now();
  const auto remove = [&](pqxx::transaction_base& tx) -> Result<void> {
    seize_meter_set(tx, scope);
    seize_ledger(tx, scope);
    const auto meter = find_meter(tx, id);
    if (!meter) {
      return tl::unexpected(meter.error());
    }
    if (const auto mapping = tx.exec_params(kLiveMapping, id.str()); !mapping.empty()) {
      return fail(ErrorCode::invalid_operation, "the meter is billed through Stripe: delete its mapping first",
                  {{"meter_mapping_id", text_from(mapping[0][0])}});
    }
    tx.exec_params(kDelete, id.str(), by.label, to_unix_micros(now));
    stop_counting(tx, scope, id);
    raise_meter_set(tx, scope);
    write_audit(tx, {scope, "meter", id.str(), "delete"}, by, audited(*meter), Json::object(), now);
    return {};
  };
  return pool_.call(scope, "the meter cannot be deleted", remove);
}

}  // namespace flexsync::store
