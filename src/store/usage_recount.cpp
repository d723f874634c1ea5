#include "store/usage_recount.hpp"

#include <pqxx/pqxx>
#include <set>

#include "store/usage_columns.hpp"
#include "store/usage_rollups.hpp"
#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

constexpr const char* kFetch = "FETCH 5000 FROM usage_event_walk";

#define HOUR_OF(column) "date_bin('1 hour', " column ", 'epoch')"

// A rollup with a batch keeps its whole hour: of its customer and meter.
#define KEPT \
  "(SELECT k.customer_id, " HOUR_OF("k.segment_start") " AS hour FROM usage_rollups k"                           \
  " WHERE k.tenant_id = $1 AND k.environment_id = $2 AND k.meter_id = $3 AND k.next_sequence > 1"                 \
  "   AND k.segment_start >= " FLEXSYNC_TIME("$4") " AND k.segment_start < " FLEXSYNC_TIME("$5") ")"

#define OF_THE_METER                                                \
  " r.tenant_id = $1 AND r.environment_id = $2 AND r.meter_id = $3" \
  " AND r.segment_start >= " FLEXSYNC_TIME("$4") " AND r.segment_start < " FLEXSYNC_TIME("$5")

constexpr NamedStatement kFreeze{
    "usage_rollups_freeze",
    "UPDATE usage_rollups r SET frozen = true FROM " KEPT " AS kept WHERE" OF_THE_METER
    " AND r.customer_id = kept.customer_id AND " HOUR_OF("r.segment_start") " = kept.hour AND NOT r.frozen"};
constexpr NamedStatement kForget{
    "usage_rollups_forget", "DELETE FROM usage_rollups r WHERE" OF_THE_METER " AND NOT EXISTS (SELECT 1 FROM " KEPT
                            " AS kept"
                            " WHERE kept.customer_id = r.customer_id AND kept.hour = " HOUR_OF("r.segment_start") ")"};
constexpr NamedStatement kKept{"usage_rollups_kept",
                               "SELECT DISTINCT customer_id, " FLEXSYNC_MICROS("hour") " FROM " KEPT " AS kept"};

constexpr NamedStatement kForgetUnbilled{
    "usage_rollups_forget_unbilled",
    "DELETE FROM usage_rollups WHERE tenant_id = $1 AND environment_id = $2 AND meter_id = $3 AND next_sequence = 1"};
constexpr NamedStatement kEndBilled{"usage_rollups_end", R"(
  UPDATE usage_rollups SET pending = false, frozen = true
  WHERE tenant_id = $1 AND environment_id = $2 AND meter_id = $3)"};

// Within the range of timestamptz, beyond any event's.
constexpr Segment kAlways{from_unix_seconds(-60LL * 1000 * 1000 * 1000), from_unix_seconds(250LL * 1000 * 1000 * 1000)};

std::vector<std::string> parameters(const Scope& scope, const MeterId& meter, const Segment& range) {
  return {scope.tenant.str(), scope.environment.str(), meter.str(), std::to_string(to_unix_micros(range.start)),
          std::to_string(to_unix_micros(range.end))};
}

Timestamp hour_of(Timestamp time) {
  return std::chrono::floor<std::chrono::hours>(time);
}

// Leaves the events whose hour is not kept; they come in the order of time.
void drop_kept(pqxx::transaction_base& tx, const Scope& scope, const MeterId& meter, std::vector<UsageEvent>& events) {
  const Segment range{hour_of(events.front().timestamp), hour_of(events.back().timestamp) + std::chrono::hours(1)};
  std::set<std::pair<std::string, Timestamp>> kept;
  for (const auto& row : exec_named(tx, kKept, parameters(scope, meter, range))) {
    kept.emplace(row[0].c_str(), time_from(row[1]));
  }
  std::erase_if(events, [&](const UsageEvent& event) {
    return kept.contains({event.customer_id.str(), hour_of(event.timestamp)});
  });
}

}  // namespace

EventWalk::EventWalk(pqxx::transaction_base& tx, const Scope& scope, const std::string& event_name,
                     const std::optional<Segment>& only)
    : tx_(tx) {
  const auto range = only.value_or(kAlways);
  tx.exec_params("DECLARE usage_event_walk NO SCROLL CURSOR FOR SELECT " + std::string(kUsageEventColumns) +
                     " FROM usage_events WHERE tenant_id = $1 AND environment_id = $2"
                     "   AND occurred_at >= " FLEXSYNC_TIME("$3") " AND occurred_at < " FLEXSYNC_TIME(
                         "$4") " AND customer_id <> '' AND ($5 = '' OR event_name = $5)"
                               " ORDER BY occurred_at",
                 scope.tenant.str(), scope.environment.str(), to_unix_micros(range.start), to_unix_micros(range.end),
                 event_name);
}

EventWalk::~EventWalk() {
  try {
    tx_.exec("CLOSE usage_event_walk");
  } catch (const std::exception&) {  // the transaction has failed, and the walk with it
  }
}

std::vector<UsageEvent> EventWalk::next() {
  std::vector<UsageEvent> events;
  for (const auto& row : tx_.exec(kFetch)) {
    events.push_back(usage_event_from_row(row));
  }
  return events;
}

void count_again(pqxx::transaction_base& tx, const Scope& scope, const ActiveMeter& meter, const Recount& recount,
                 std::chrono::minutes window) {
  const auto& id = meter.meter.id;
  const auto range = parameters(scope, id, recount.only.value_or(kAlways));
  if (recount.definition_changed) {
    exec_named(tx, kFreeze, range);
  }
  exec_named(tx, kForget, range);
  EventWalk walk(tx, scope, meter.meter.event_name, recount.only);
  for (auto events = walk.next(); !events.empty(); events = walk.next()) {
    drop_kept(tx, scope, id, events);
    RollupIncrements increments;
    increments.add(scope, add_up(events, std::span(&meter, 1), window));
    increments.write(tx);
  }
}

void stop_counting(pqxx::transaction_base& tx, const Scope& scope, const MeterId& meter) {
  const std::vector<std::string> values = {scope.tenant.str(), scope.environment.str(), meter.str()};
  exec_named(tx, kForgetUnbilled, values);
  exec_named(tx, kEndBilled, values);
}

}  // namespace flexsync::store
