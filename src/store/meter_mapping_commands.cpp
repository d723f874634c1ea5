#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include "domain/ulid.hpp"
#include "store/audit.hpp"
#include "store/meter_commands.hpp"
#include "store/meter_set.hpp"
#include "store/usage_queries.hpp"
#include "store/usage_recount.hpp"
#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

using Json = nlohmann::json;

constexpr int kScaleMax = 15;

constexpr const char* kInsert =
    "INSERT INTO meter_mappings (tenant_id, environment_id, id, meter_id, stripe_meter_id, event_name, customer_key,"
    "                            value_key, scale, start_at, sync_enabled, status, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, " FLEXSYNC_TIME("$10") ", $11, 'published', " FLEXSYNC_TIME(
        "$12") ", " FLEXSYNC_TIME("$12") ") ON CONFLICT DO NOTHING";
constexpr const char* kFindLive =
    "SELECT id, meter_id FROM meter_mappings"
    " WHERE (meter_id = $1 OR stripe_meter_id = $2) AND status = 'published' ORDER BY id = $3 DESC LIMIT 1";
constexpr const char* kEnable =
    "UPDATE meter_mappings SET sync_enabled = $2, updated_at = " FLEXSYNC_TIME("$3") " WHERE id = $1";
constexpr const char* kDelete =
    "UPDATE meter_mappings SET status = 'deleted', updated_at = " FLEXSYNC_TIME("$2") " WHERE id = $1";

Json audited(const MeterMapping& mapping) {
  return {{"meter_id", mapping.meter_id.str()},       {"stripe_meter_id", mapping.stripe_meter_id.str()},
          {"event_name", mapping.event_name},         {"scale", mapping.scale},
          {"start_at", to_rfc3339(mapping.start_at)}, {"sync_enabled", mapping.sync_enabled}};
}

Result<void> check_mapping(const MeterMapping& wanted) {
  if (!is_storable(wanted.meter_id.str()) || wanted.meter_id.empty()) {
    return fail(ErrorCode::validation_error, "meter_id names no meter", {{"meter_id", "must name a meter"}});
  }
  if (!is_storable(wanted.stripe_meter_id.str()) || wanted.stripe_meter_id.empty()) {
    return fail(ErrorCode::validation_error, "provider_meter_id names no meter",
                {{"provider_meter_id", "must name a meter of Stripe's"}});
  }
  if (wanted.scale < -kScaleMax || wanted.scale > kScaleMax) {
    return fail(ErrorCode::validation_error, "scale must be from -15 to 15", {{"scale", "must be from -15 to 15"}});
  }
  return {};
}

// Batches are differences: only a sum of them is the usage.
Result<void> check_stripe_meter(const StripeMeter& meter) {
  if (meter.formula != "sum") {
    return fail(ErrorCode::validation_error,
                "the Stripe meter aggregates by \"" + meter.formula + "\": usage needs one with formula \"sum\"",
                {{"provider_meter_id", "must have the formula sum"}});
  }
  if (meter.status != "active") {
    return fail(ErrorCode::validation_error, "the Stripe meter is " + meter.status + ": reactivate it first",
                {{"provider_meter_id", "must be active"}});
  }
  return {};
}

std::int64_t insert(pqxx::transaction_base& tx, const Scope& scope, const MeterMapping& m) {
  const auto inserted =
      tx.exec_params(kInsert, scope.tenant.str(), scope.environment.str(), m.id.str(), m.meter_id.str(),
                     m.stripe_meter_id.str(), m.event_name, m.customer_key, m.value_key, m.scale,
                     to_unix_micros(m.start_at), m.sync_enabled, to_unix_micros(m.created_at));
  return static_cast<std::int64_t>(inserted.affected_rows());
}

// The hour that the start cuts is counted anew, in two parts.
Segment hour_around(Timestamp time) {
  const Timestamp hour = std::chrono::floor<std::chrono::hours>(time);
  return {hour, hour + std::chrono::hours(1)};
}

}  // namespace

Result<MeterMapping> StoreMeterCommands::create_meter_mapping(const Scope& scope, MeterMapping wanted,
                                                              const Principal& by) {
  if (auto valid = check_mapping(wanted); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto stripe_meter = look_up_(scope, wanted.stripe_meter_id);
  if (!stripe_meter) {
    return tl::unexpected(stripe_meter.error());
  }
  if (auto valid = check_stripe_meter(*stripe_meter); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto now = clock_.now();
  wanted.id = new_id<MeterMappingId>(prefix::kMeterMapping, now);
  wanted.event_name = stripe_meter->event_name;
  wanted.customer_key = stripe_meter->customer_key;
  wanted.value_key = stripe_meter->value_key;
  // A cut is at a whole second, as Stripe's times are; rounded up, nothing from before it is billed.
  wanted.start_at = std::chrono::ceil<std::chrono::seconds>(wanted.start_at == Timestamp{} ? now : wanted.start_at);
  wanted.status = Status::published;
  wanted.created_at = wanted.updated_at = now;
  const auto create = [&](pqxx::transaction_base& tx) -> Result<MeterMapping> {
    seize_meter_set(tx, scope);
    seize_ledger(tx, scope);
    const auto meter = find_meter(tx, wanted.meter_id);
    if (!meter) {
      return tl::unexpected(meter.error());
    }
    if (insert(tx, scope, wanted) == 0) {
      const auto live = tx.exec_params(kFindLive, wanted.meter_id.str(), wanted.stripe_meter_id.str(), wanted.id.str());
      if (!live.empty() && text_from(live[0][0]) == wanted.id.str()) {
        return wanted;  // of the first try, whose answer was lost
      }
      return fail(ErrorCode::already_exists, "the meter or the Stripe meter has a mapping already: delete that first",
                  {{"meter_mapping_id", live.empty() ? "" : text_from(live[0][0])}});
    }
    count_again(tx, scope, {*meter, wanted.start_at}, {.only = hour_around(wanted.start_at)}, window_);
    raise_meter_set(tx, scope);
    write_audit(tx, {scope, "meter_mapping", wanted.id.str(), "create"}, by, Json::object(), audited(wanted), now);
    return wanted;
  };
  return pool_.call(scope, "the meter mapping cannot be created", create);
}

Result<MeterMapping> StoreMeterCommands::update_meter_mapping(const Scope& scope, const MeterMappingId& id,
                                                              std::optional<bool> sync_enabled, const Principal& by) {
  const auto now = clock_.now();
  const auto update = [&](pqxx::transaction_base& tx) -> Result<MeterMapping> {
    seize_meter_set(tx, scope);
    auto mapping = find_meter_mapping(tx, id);
    if (!mapping || !sync_enabled || mapping->sync_enabled == *sync_enabled) {
      return mapping;
    }
    tx.exec_params(kEnable, id.str(), *sync_enabled, to_unix_micros(now));
    write_audit(tx, {scope, "meter_mapping", id.str(), "update"}, by, {{"sync_enabled", mapping->sync_enabled}},
                {{"sync_enabled", *sync_enabled}}, now);
    mapping->sync_enabled = *sync_enabled;
    mapping->updated_at = now;
    return mapping;
  };
  return pool_.call(scope, "the meter mapping cannot be updated", update);
}

Result<void> StoreMeterCommands::delete_meter_mapping(const Scope& scope, const MeterMappingId& id,
                                                      const Principal& by) {
  const auto now = clock_.now();
  const auto remove = [&](pqxx::transaction_base& tx) -> Result<void> {
    seize_meter_set(tx, scope);
    const auto mapping = find_meter_mapping(tx, id);
    if (!mapping) {
      return tl::unexpected(mapping.error());
    }
    tx.exec_params(kDelete, id.str(), to_unix_micros(now));
    raise_meter_set(tx, scope);
    write_audit(tx, {scope, "meter_mapping", id.str(), "delete"}, by, audited(*mapping), Json::object(), now);
    return {};
  };
  return pool_.call(scope, "the meter mapping cannot be deleted", remove);
}

}  // namespace flexsync::store
