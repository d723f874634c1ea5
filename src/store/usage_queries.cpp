#include "store/usage_queries.hpp"

#include <pqxx/pqxx>

#include "store/usage_batch_filter.hpp"
#include "store/usage_rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

constexpr PageStatement kEvents{
    kUsageEventColumns, "usage_events", {"usage_events.occurred_at", "usage_events.event_id"}};
constexpr PageStatement kMeters{kMeterColumns, "meters", {"meters.created_at", "meters.id"}};
constexpr PageStatement kMeterMappings{kMeterMappingColumns, "meter_mappings AS m", {"m.created_at", "m.id"}};
constexpr PageStatement kBatches{kUsageBatchColumns, "stripe_sync_batches AS b", {"b.created_at", "b.id"}};

constexpr std::string_view kLive = "status <> 'deleted'";

// Where an event lies in time is in its key, as long as that is kept; later its id is sought through all of them.
constexpr std::string_view kById =
    "usage_events.event_id = ? AND (NOT EXISTS (SELECT 1 FROM sought) OR occurred_at = (SELECT at FROM sought))";

constexpr const char* kEventCounts = R"(
  SELECT count(*), count(*) FILTER (WHERE customer_id = ''),
         count(*) FILTER (WHERE customer_id <> '' AND NOT metered)
  FROM usage_events LEFT JOIN LATERAL (SELECT EXISTS (
    SELECT 1 FROM meters WHERE meters.event_name = usage_events.event_name AND meters.status = 'published') AS metered)
    AS m ON true)";

constexpr const char* kRollupCounts =
    "SELECT count(*) FILTER (WHERE NOT over), count(*) FILTER (WHERE over AND mapped),"
    "       count(*) FILTER (WHERE over AND NOT mapped)"
    " FROM (SELECT r.segment_end <= " FLEXSYNC_TIME(
        "$1") " AS over,"
              "   EXISTS (SELECT 1 FROM meter_mappings m WHERE m.meter_id = r.meter_id AND m.status = 'published'"
              "             AND m.sync_enabled)"
              "   AND EXISTS (SELECT 1 FROM entity_integration_mappings e WHERE e.entity_id = r.customer_id"
              "                 AND e.entity_type = 'customer' AND e.provider_type = 'stripe'"
              "                 AND e.status = 'published') AS mapped"
              "  FROM usage_rollups r WHERE r.pending AND NOT EXISTS ("
              "    SELECT 1 FROM meter_mappings m WHERE m.meter_id = r.meter_id AND m.status = 'published'"
              "      AND r.segment_start < m.start_at)) AS pending";

constexpr const char* kBatchCounts = "SELECT status, count(*) FROM stripe_sync_batches GROUP BY status";
constexpr const char* kLastSynced =
    "SELECT " FLEXSYNC_MICROS("max(synced_at)") " AS last_synced_at FROM stripe_sync_batches";

template <class T, class Id, class FromRow>
Result<T> find_one(pqxx::transaction_base& tx, const PageStatement& statement, std::string_view id_is, const Id& id,
                   const std::string& what, FromRow from_row) {
  Where where;
  where.add(kLive);
  where.add(id_is, id.str());
  if (!where.check()) {
    return fail(ErrorCode::not_found, "there is no such " + what + ": its id is not valid text");
  }
  const auto rows = where.exec(tx, page_sql(statement, where, ListOptions{}));
  if (rows.empty()) {
    return fail(ErrorCode::not_found, "there is no " + what + " " + id.str());
  }
  return from_row(rows[0]);
}

}  // namespace

Result<Meter> find_meter(pqxx::transaction_base& tx, const MeterId& id) {
  return find_one<Meter>(tx, kMeters, "meters.id = ?", id, "meter", meter_from_row);
}

Result<MeterMapping> find_meter_mapping(pqxx::transaction_base& tx, const MeterMappingId& id) {
  return find_one<MeterMapping>(tx, kMeterMappings, "m.id = ?", id, "meter mapping", meter_mapping_from_row);
}

Result<Page<UsageEvent>> StoreUsageQueries::usage_events(const Scope& scope, const UsageEventFilter& filter) {
  Where where;
  std::string with;
  if (!filter.event_id.empty()) {
    with = "WITH sought AS MATERIALIZED (SELECT occurred_at AS at FROM usage_event_keys WHERE event_id = $1) ";
    where.add(kById, filter.event_id);
  }
  where.add_if_given("event_name = ?", filter.event_name);
  where.add_if_given("external_customer_id = ?", filter.external_customer_id);
  where.add_times("occurred_at", filter.list);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto count = with + "SELECT count(*) FROM (SELECT 1 FROM usage_events" + where.sql() + " LIMIT " +
                     std::to_string(kUsageEventsCountedMax) + ") AS counted";
  const auto read = [&](pqxx::transaction_base& tx) -> Result<Page<UsageEvent>> {
    Page<UsageEvent> page;
    page.total = where.exec(tx, count).at(0)[0].as<std::int64_t>();
    for (const auto& row : where.exec(tx, with + page_sql(kEvents, where, filter.list))) {
      page.items.push_back(usage_event_from_row(row));
    }
    return page;
  };
  return pool_.call(scope, "usage events cannot be listed", read);
}

Result<Page<Meter>> StoreUsageQueries::meters(const Scope& scope, const ListOptions& list) {
  Where where;
  where.add(kLive);
  where.add_times("meters.created_at", list);
  return pool_.call(scope, "meters cannot be listed", [&](pqxx::transaction_base& tx) -> Result<Page<Meter>> {
    return select_page<Meter>(tx, kMeters, where, list, meter_from_row);
  });
}

Result<Meter> StoreUsageQueries::meter(const Scope& scope, const MeterId& id) {
  return pool_.call(scope, "the meter cannot be read", [&](pqxx::transaction_base& tx) { return find_meter(tx, id); });
}

Result<Page<MeterMapping>> StoreUsageQueries::meter_mappings(const Scope& scope, const ListOptions& list,
                                                             const std::string& meter_id) {
  Where where;
  where.add(kLive);
  where.add_if_given("meter_id = ?", meter_id);
  where.add_times("m.created_at", list);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto read = [&](pqxx::transaction_base& tx) -> Result<Page<MeterMapping>> {
    return select_page<MeterMapping>(tx, kMeterMappings, where, list, meter_mapping_from_row);
  };
  return pool_.call(scope, "meter mappings cannot be listed", read);
}

Result<MeterMapping> StoreUsageQueries::meter_mapping(const Scope& scope, const MeterMappingId& id) {
  return pool_.call(scope, "the meter mapping cannot be read",
                    [&](pqxx::transaction_base& tx) { return find_meter_mapping(tx, id); });
}

Result<Page<UsageBatch>> StoreUsageQueries::usage_batches(const Scope& scope, const BatchFilter& filter) {
  const auto where = batches_that_match(filter);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto read = [&](pqxx::transaction_base& tx) -> Result<Page<UsageBatch>> {
    return select_page<UsageBatch>(tx, kBatches, where, filter.list, usage_batch_from_row);
  };
  return pool_.call(scope, "usage batches cannot be listed", read);
}

Result<UsageStatus> StoreUsageQueries::usage_status(const Scope& scope) {
  const auto closable = to_unix_micros(clock_.now() - grace_);
  const auto read = [&](pqxx::transaction_base& tx) -> Result<UsageStatus> {
    UsageStatus status;
    const auto number = [](const pqxx::field& field) { return field.as<std::int64_t>(); };
    const auto events = tx.exec1(kEventCounts);
    status.events = number(events[0]);
    status.events_unattributed = number(events[1]);
    status.events_unmetered = number(events[2]);
    const auto rollups = tx.exec_params1(kRollupCounts, closable);
    status.rollups_open = number(rollups[0]);
    status.rollups_due = number(rollups[1]);
    status.rollups_unmapped = number(rollups[2]);
    for (const auto& row : tx.exec(kBatchCounts)) {
      status.batches[row[0].c_str()] = number(row[1]);
    }
    status.last_synced_at = optional_time_from(tx.exec1(kLastSynced)[0]);
    return status;
  };
  return pool_.call(scope, "the state of usage cannot be read", read);
}

}  // namespace flexsync::store
