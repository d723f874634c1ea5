// Rows and the types of usage, at their border (see rows.hpp).
#pragma once

#include <map>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <vector>

#include "domain/usage.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

inline constexpr std::string_view kUsageEventColumns =
    "event_id, event_name, external_customer_id, customer_id, properties, source,"
    " " FLEXSYNC_MICROS("occurred_at") " AS occurred_at, " FLEXSYNC_MICROS("received_at") " AS received_at";
inline constexpr std::string_view kMeterColumns =
    "meters.id, meters.name, meters.event_name, meters.aggregation, meters.field, meters.multiplier, meters.filters,"
    " meters.reset_usage, meters.status, meters.created_by, meters.updated_by,"
    " " FLEXSYNC_MICROS("meters.created_at") " AS created_at, " FLEXSYNC_MICROS("meters.updated_at") " AS updated_at";
inline constexpr std::string_view kMeterMappingColumns =
    "id, meter_id, stripe_meter_id, event_name, customer_key, value_key, scale, sync_enabled, status,"
    " " FLEXSYNC_MICROS("start_at") " AS start_at,"
    " " FLEXSYNC_MICROS("m.created_at") " AS created_at, " FLEXSYNC_MICROS("m.updated_at") " AS updated_at";
inline constexpr std::string_view kUsageBatchColumns =
    "b.id, b.customer_id, b.meter_id, b.stripe_customer_id, b.event_name, b.customer_key, b.value_key, b.quantity,"
    " b.value, b.scale, b.event_count, b.sequence, b.identifier, b.status, b.attempts, b.error_code, b.error_message,"
    " " FLEXSYNC_MICROS("b.window_start") " AS window_start, " FLEXSYNC_MICROS("b.window_end") " AS window_end,"
    " " FLEXSYNC_MICROS("b.event_at") " AS event_at, " FLEXSYNC_MICROS("b.next_attempt_at") " AS next_attempt_at,"
    " " FLEXSYNC_MICROS("b.first_sent_at") " AS first_sent_at, " FLEXSYNC_MICROS("b.synced_at") " AS synced_at,"
    " " FLEXSYNC_MICROS("b.created_at") " AS created_at, " FLEXSYNC_MICROS("b.updated_at") " AS updated_at";

UsageEvent usage_event_from_row(const pqxx::row& row);
Meter meter_from_row(const pqxx::row& row);
MeterMapping meter_mapping_from_row(const pqxx::row& row);
UsageBatch usage_batch_from_row(const pqxx::row& row);

// Throws std::runtime_error for what is no number of ours: such a row was not written by this program.
Decimal decimal_from(const pqxx::field& field);

// A JSON object of texts and back, exactly: U+0000 travels escaped.
std::string properties_to_json(const std::map<std::string, std::string>& properties);
std::map<std::string, std::string> properties_from_json(const std::string& json);

// [{"key":…,"values":[…]}], as FlexPrice has them.
std::string filters_to_json(const std::vector<MeterFilter>& filters);
std::vector<MeterFilter> filters_from_json(const std::string& json);

}  // namespace flexsync::store
