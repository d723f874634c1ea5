#include "store/usage_audit.hpp"

#include <map>
#include <pqxx/pqxx>

#include "domain/metering.hpp"
#include "store/meter_set.hpp"
#include "store/session.hpp"
#include "store/usage_recount.hpp"
#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

constexpr const char* kOneSnapshot = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";

// Each rollup beside what its batches hold.
constexpr const char* kRollups =
    "SELECT r.customer_id, r.meter_id, " FLEXSYNC_MICROS("r.segment_start") " AS segment_start,"
    "  " FLEXSYNC_MICROS("r.segment_end") " AS segment_end, r.quantity, r.event_count, r.batched_quantity,"
    "  r.batched_count, r.frozen, coalesce(b.quantity, 0) AS held_quantity, coalesce(b.count, 0) AS held_count"
    " FROM usage_rollups r LEFT JOIN LATERAL ("
    "   SELECT sum(b.quantity) AS quantity, sum(b.event_count)::bigint AS count FROM stripe_sync_batches b"
    "   WHERE b.tenant_id = $1 AND b.environment_id = $2 AND b.window_start = r.segment_start"
    "     AND b.customer_id = r.customer_id AND b.meter_id = r.meter_id AND b.window_end = r.segment_end"
    "     AND b.status <> 'returned' OFFSET 0) b ON true"
    " WHERE r.tenant_id = $1 AND r.environment_id = $2 AND r.segment_start >= " FLEXSYNC_TIME("$3")
    "   AND r.segment_start < " FLEXSYNC_TIME("$4") " ORDER BY r.segment_start, r.customer_id, r.meter_id";

// What has no rollup to belong to is a difference, too.
constexpr const char* kOrphans =
    "SELECT b.customer_id, b.meter_id, " FLEXSYNC_MICROS("b.window_start") " AS segment_start,"
    "  " FLEXSYNC_MICROS("b.window_end") " AS segment_end, b.quantity, b.event_count FROM stripe_sync_batches b"
    " WHERE NOT EXISTS (SELECT 1 FROM usage_rollups r WHERE r.tenant_id = $1 AND r.environment_id = $2"
    "   AND r.segment_start = b.window_start AND r.customer_id = b.customer_id AND r.meter_id = b.meter_id"
    "   AND r.segment_end = b.window_end OFFSET 0) LIMIT 1";

// Batches that were made too late have no value, and their quantity goes into no other.
constexpr const char* kValues = R"(
  SELECT customer_id, meter_id, scale, sum(quantity) AS quantity, sum(value) AS value, 0 AS carry
  FROM stripe_sync_batches WHERE status <> 'returned' AND NOT (status = 'expired' AND value = 0)
  GROUP BY customer_id, meter_id, scale
  UNION ALL SELECT customer_id, meter_id, 0, 0, 0, carry FROM usage_carries
  ORDER BY customer_id, meter_id)";

constexpr const char* kAccepted =
    "SELECT customer_id, meter_id, stripe_customer_id, " FLEXSYNC_MICROS("hour") " AS hour,"
    "  coalesce((SELECT m.stripe_meter_id FROM meter_mappings m WHERE m.meter_id = b.meter_id"
    "            AND m.event_name = b.event_name ORDER BY m.created_at DESC, m.id DESC LIMIT 1), '')"
    "    AS stripe_meter_id,"
    "  sum(value) FILTER (WHERE status = 'sent') AS value, sum(value) FILTER (WHERE status <> 'sent') AS undecided"
    " FROM (SELECT *, date_bin('1 hour', event_at, 'epoch') AS hour FROM stripe_sync_batches) b"
    " WHERE status = 'sent' OR status = 'ambiguous' OR (status = 'pending' AND first_sent_at IS NOT NULL)"
    " GROUP BY customer_id, meter_id, stripe_customer_id, event_name, hour"
    " ORDER BY hour, customer_id, meter_id, stripe_customer_id, event_name";

constexpr Timestamp kBeginning = from_unix_seconds(-60LL * 1000 * 1000 * 1000);
constexpr Timestamp kEnd = from_unix_seconds(250LL * 1000 * 1000 * 1000);

struct Sum {
  Decimal quantity;
  std::int64_t count = 0;
  bool frozen = false;
};

using Group = std::pair<CustomerId, MeterId>;
using Hours = std::map<Timestamp, std::map<Group, Sum>>;

Timestamp hour_of(Timestamp time) {
  return std::chrono::floor<std::chrono::hours>(time);
}

std::int64_t number(const pqxx::field& field) {
  return field.as<std::int64_t>();
}

Group group_from(const pqxx::row& row) {
  return {CustomerId{text_from(row["customer_id"])}, MeterId{text_from(row["meter_id"])}};
}

Segment segment_from(const pqxx::row& row) {
  return {time_from(row["segment_start"]), time_from(row["segment_end"])};
}

class Auditor {
 public:
  Auditor(pqxx::transaction_base& tx, const Scope& scope, std::chrono::minutes window)
      : tx_(tx), scope_(scope), window_(window) {}

  std::optional<UsageDifference> first_difference() {
    compare_counts();
    if (!difference_) {
      find_orphan();
    }
    if (!difference_) {
      compare_values();
    }
    return difference_;
  }

 private:
  // Events come by time: when they reach an hour, the ones before it are complete.
  void compare_counts() {
    const auto meters = read_meters(tx_, scope_);
    EventWalk walk(tx_, scope_, "", std::nullopt);
    auto compared = kBeginning;
    for (auto events = walk.next(); !events.empty() && !difference_; events = walk.next()) {
      for (const auto& increment : add_up(events, meters, window_)) {
        auto& sum = counted_[hour_of(increment.segment.start)][{increment.customer_id, increment.meter_id}];
        sum.quantity += increment.quantity;
        sum.count += increment.event_count;
      }
      const auto complete = hour_of(events.back().timestamp);
      if (complete > compared) {
        compare_hours(std::exchange(compared, complete), complete);
      }
    }
    if (!difference_) {
      compare_hours(compared, kEnd);
    }
  }

  void compare_hours(Timestamp from, Timestamp to) {
    const auto rolled_up = read_rollups(from, to);
    const auto end = counted_.lower_bound(to);
    for (auto hour = counted_.begin(); hour != end; ++hour) {
      const auto other = rolled_up.find(hour->first);
      compare_hour(hour->first, hour->second, other == rolled_up.end() ? std::map<Group, Sum>{} : other->second);
    }
    for (const auto& [hour, groups] : rolled_up) {
      if (!counted_.contains(hour)) {
        compare_hour(hour, {}, groups);
      }
    }
    counted_.erase(counted_.begin(), end);
  }

  void compare_hour(Timestamp hour, const std::map<Group, Sum>& counted, const std::map<Group, Sum>& rolled_up) {
    const Segment segment{hour, hour + std::chrono::hours(1)};
    const auto compare = [&](const Group& group, const Sum& events, const Sum& rollup) {
      if (!rollup.frozen && (events.quantity != rollup.quantity || events.count != rollup.count)) {
        report({"events and rollup", group.first, group.second, segment, events.quantity, rollup.quantity, events.count,
                rollup.count});
      }
    };
    for (const auto& [group, sum] : counted) {
      const auto other = rolled_up.find(group);
      compare(group, sum, other == rolled_up.end() ? Sum{} : other->second);
    }
    for (const auto& [group, sum] : rolled_up) {
      if (!counted.contains(group)) {
        compare(group, Sum{}, sum);
      }
    }
  }

  // By hour; each one is compared with its batches on the way.
  Hours read_rollups(Timestamp from, Timestamp to) {
    Hours hours;
    for (const auto& row : tx_.exec_params(kRollups, scope_.tenant.str(), scope_.environment.str(),
                                           to_unix_micros(from), to_unix_micros(to))) {
      const auto group = group_from(row);
      const auto segment = segment_from(row);
      auto& sum = hours[hour_of(segment.start)][group];
      sum.quantity += decimal_from(row["quantity"]);
      sum.count += number(row["event_count"]);
      sum.frozen = sum.frozen || row["frozen"].as<bool>();
      const auto batched = decimal_from(row["batched_quantity"]);
      const auto held = decimal_from(row["held_quantity"]);
      if (batched != held || number(row["batched_count"]) != number(row["held_count"])) {
        report({"rollup and batches", group.first, group.second, segment, batched, held, number(row["batched_count"]),
                number(row["held_count"])});
      }
    }
    return hours;
  }

  void find_orphan() {
    for (const auto& row : tx_.exec_params(kOrphans, scope_.tenant.str(), scope_.environment.str())) {
      const auto group = group_from(row);
      report({"rollup and batches",
              group.first,
              group.second,
              segment_from(row),
              {},
              decimal_from(row["quantity"]),
              0,
              number(row["event_count"])});
    }
  }

  // Over all time: what batches hold is what was sent of it, and the carry.
  void compare_values() {
    std::optional<Group> group;
    Decimal quantity;
    Decimal sent;
    const auto compare = [&] {
      if (group && quantity != sent) {
        report({"batches and values", group->first, group->second, std::nullopt, quantity, sent, 0, 0});
      }
    };
    for (const auto& row : tx_.exec(kValues)) {
      if (auto next = group_from(row); group != next) {
        compare();
        group = std::move(next);
        quantity = sent = 0;
      }
      quantity += decimal_from(row["quantity"]);
      sent += decimal_from(row["value"]).times_power_of_ten(-row["scale"].as<int>()) + decimal_from(row["carry"]);
    }
    compare();
  }

  void report(UsageDifference difference) {
    if (!difference_) {
      difference_ = std::move(difference);
    }
  }

  pqxx::transaction_base& tx_;
  const Scope& scope_;
  std::chrono::minutes window_;
  Hours counted_;
  std::optional<UsageDifference> difference_;
};

std::vector<AcceptedUsage> read_accepted(pqxx::transaction_base& tx) {
  std::vector<AcceptedUsage> accepted;
  for (const auto& row : tx.exec(kAccepted)) {
    const auto hour = time_from(row["hour"]);
    const auto value = [&](const char* column) {
      return row[column].is_null() ? Decimal{} : decimal_from(row[column]);
    };
    accepted.push_back({CustomerId{text_from(row["customer_id"])},
                        MeterId{text_from(row["meter_id"])},
                        StripeId{text_from(row["stripe_customer_id"])},
                        StripeId{text_from(row["stripe_meter_id"])},
                        {hour, hour + std::chrono::hours(1)},
                        value("value"),
                        value("undecided")});
  }
  return accepted;
}

}  // namespace

Result<UsageAuditReport> UsageAudit::run(const Scope& scope, Timestamp now) {
  const auto audit = [&](pqxx::transaction_base& tx) -> Result<UsageAuditReport> {
    tx.exec(kOneSnapshot);  // before anything is read, the scope's settings included
    enter_scope(tx, scope);
    UsageAuditReport report;
    report.totals = read_usage_totals(tx, now - grace_);
    report.first_difference = Auditor(tx, scope, window_).first_difference();
    if (!report.first_difference) {
      report.accepted = read_accepted(tx);
    }
    return report;
  };
  return pool_.call(std::nullopt, "usage cannot be audited", audit);
}

}  // namespace flexsync::store
