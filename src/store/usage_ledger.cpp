#include "store/usage_ledger.hpp"

#include <memory>
#include <pqxx/pqxx>

#include "store/meter_set.hpp"
#include "store/read_pool.hpp"
#include "store/usage_closing.hpp"
#include "store/usage_columns.hpp"
#include "store/usage_rollups.hpp"
#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

constexpr std::chrono::hours kKeysKept{36 * 24};

// As change sets do: a supervisor that starts takes this lock exclusively to raise the epoch.
constexpr NamedStatement kShareOwner{
    "usage_owner_share", "SELECT pg_advisory_xact_lock_shared(hashtextextended($1::text || '/' || $2::text, 0))"};
constexpr NamedStatement kReadEpoch{"usage_epoch_read",
                                    "SELECT epoch FROM tenant_owner WHERE tenant_id = $1 AND environment_id = $2"};

// By window; of a customer and meter only the first, and none while one of theirs is under way.
const std::string kPending =
    "WITH busy AS MATERIALIZED (SELECT customer_id, meter_id FROM stripe_sync_batches"
    "   WHERE tenant_id = $1 AND environment_id = $2 AND id = ANY ($5::text[]))"
    " SELECT " + std::string(kUsageBatchColumns) +
    " FROM stripe_sync_batches b"
    " WHERE b.tenant_id = $1 AND b.environment_id = $2 AND b.status = 'pending'"
    "   AND b.next_attempt_at <= " FLEXSYNC_TIME("$3")
    "   AND NOT EXISTS (SELECT 1 FROM busy WHERE busy.customer_id = b.customer_id AND busy.meter_id = b.meter_id)"
    "   AND NOT EXISTS (SELECT 1 FROM stripe_sync_batches f WHERE f.tenant_id = $1 AND f.environment_id = $2"
    "     AND f.status = 'pending' AND f.customer_id = b.customer_id AND f.meter_id = b.meter_id"
    "     AND (f.window_start, f.sequence, f.id) < (b.window_start, b.sequence, b.id) OFFSET 0)"
    " ORDER BY b.window_start, b.sequence LIMIT $4";

constexpr NamedStatement kBook{
    "usage_batches_book",
    "UPDATE stripe_sync_batches b SET status = row.status, attempts = row.attempts,"
    "  next_attempt_at = " FLEXSYNC_TIME("next") ", error_code = code, error_message = message,"
    "  first_sent_at = coalesce(b.first_sent_at, " FLEXSYNC_TIME("nullif(first, 0)") "),"
    "  synced_at = coalesce(" FLEXSYNC_TIME("nullif(synced, 0)") ", b.synced_at), updated_at = " FLEXSYNC_TIME("$3")
    " FROM unnest($4::text[], $5::text[], $6::int[], $7::bigint[], $8::text[], $9::text[], $10::bigint[],"
    "             $11::bigint[]) AS row(id, status, attempts, next, code, message, first, synced)"
    " WHERE b.tenant_id = $1 AND b.environment_id = $2 AND b.id = row.id AND b.status = 'pending'"};

// The names that unattributed events give are looked at one by one, however many events give the same; those that
// now name a customer get their events attributed.
const std::string kMatch =
    "WITH RECURSIVE named(external) AS ("
    "  (SELECT external_customer_id FROM usage_events"
    "   WHERE tenant_id = $1 AND environment_id = $2 AND customer_id = '' ORDER BY external_customer_id LIMIT 1)"
    "  UNION ALL"
    "  SELECT (SELECT u.external_customer_id FROM usage_events u"
    "          WHERE u.tenant_id = $1 AND u.environment_id = $2 AND u.customer_id = ''"
    "            AND u.external_customer_id > named.external ORDER BY u.external_customer_id LIMIT 1)"
    "  FROM named WHERE named.external IS NOT NULL),"
    " known AS ("
    "  SELECT external, (SELECT c.id FROM customers c WHERE c.tenant_id = $1 AND c.environment_id = $2"
    "                      AND c.external_id = named.external AND c.status <> 'deleted' OFFSET 0) AS customer"
    "  FROM named WHERE external IS NOT NULL),"
    " taken AS MATERIALIZED ("
    "  SELECT e.row_id, known.customer FROM known CROSS JOIN LATERAL ("
    "    SELECT u.ctid AS row_id FROM usage_events u"
    "    WHERE u.tenant_id = $1 AND u.environment_id = $2 AND u.customer_id = ''"
    "      AND u.external_customer_id = known.external OFFSET 0) e"
    "  WHERE known.customer IS NOT NULL LIMIT $3)"
    " UPDATE usage_events SET customer_id = taken.customer FROM taken"
    " WHERE usage_events.ctid = taken.row_id AND tenant_id = $1 AND environment_id = $2 AND customer_id = ''"
    " RETURNING " +
    std::string(kUsageEventColumns);

std::vector<std::string> parameters(const Scope& scope) {
  return {scope.tenant.str(), scope.environment.str()};
}

// Runs `work`, which gives a value or an error of its own, and hands on what there is.
template <class Value, class Work>
void submit(ReadPool& pool, const Scope& scope, const char* what, Work work, std::function<void(Result<Value>)> reply) {
  auto value = std::make_shared<Result<Value>>();
  pool.submit(
      scope, what, [value, work = std::move(work)](pqxx::transaction_base& tx) { *value = work(tx); },
      [value, reply = std::move(reply)](std::optional<Error> error) {
        if (error) {
          reply(tl::unexpected(std::move(*error)));
        } else {
          reply(std::move(*value));
        }
      });
}

Result<void> require_epoch(pqxx::transaction_base& tx, const Scope& scope, std::int64_t epoch) {
  exec_named(tx, kShareOwner, parameters(scope));
  const auto rows = exec_named(tx, kReadEpoch, parameters(scope));
  if (rows.empty() || rows[0][0].as<std::int64_t>() != epoch) {
    return fail(ErrorCode::version_conflict, "another supervisor has taken over the tenant's usage");
  }
  return {};
}

Result<std::int64_t> attribute(pqxx::transaction_base& tx, const Scope& scope, int events_max,
                               std::chrono::minutes window) {
  share_meter_set(tx, scope);
  auto values = parameters(scope);
  values.push_back(std::to_string(events_max));
  std::vector<UsageEvent> events;
  for (const auto& row : exec_named(tx, {"usage_events_match", kMatch.c_str()}, values)) {
    events.push_back(usage_event_from_row(row));
  }
  if (!events.empty()) {
    RollupIncrements increments;
    increments.add(scope, add_up(events, read_meters(tx, scope), window));
    increments.write(tx);
  }
  return static_cast<std::int64_t>(events.size());
}

// The time stands in the text: as a parameter the planner would take it for any time, and read every key there is.
std::string sweep_sql(Timestamp before) {
  const auto old = "received_at < '" + to_rfc3339(before) + "'";
  return "DELETE FROM usage_event_keys k USING (SELECT event_id FROM usage_event_keys"
         "  WHERE tenant_id = $1 AND environment_id = $2 AND " +
         old +
         " LIMIT $3) AS row"
         " WHERE k.tenant_id = $1 AND k.environment_id = $2 AND k.event_id = row.event_id AND k." +
         old;
}

}  // namespace

void StoreUsageLedger::close_windows(const Scope& scope, CloseRequest request,
                                     std::function<void(Result<Closed>)> reply) {
  const auto close = [scope, request](pqxx::transaction_base& tx) -> Result<Closed> {
    if (auto current = require_epoch(tx, scope, request.epoch); !current) {
      return tl::unexpected(current.error());
    }
    seize_ledger(tx, scope);
    return close_due_windows(tx, scope, request);
  };
  submit<Closed>(pool_, scope, "closing usage windows", close, std::move(reply));
}

void StoreUsageLedger::read_pending(const Scope& scope, Timestamp now, int rows_max, std::vector<BatchId> in_flight,
                                    std::function<void(Result<std::vector<UsageBatch>>)> reply) {
  ArrayLiteral busy;
  for (const auto& id : in_flight) {
    busy.add(id.str());
  }
  auto values = parameters(scope);
  values.insert(values.end(), {std::to_string(to_unix_micros(now)), std::to_string(rows_max), busy.take()});
  const auto read = [values](pqxx::transaction_base& tx) -> Result<std::vector<UsageBatch>> {
    std::vector<UsageBatch> batches;
    for (const auto& row : exec_named(tx, {"usage_batches_pending", kPending.c_str()}, values)) {
      batches.push_back(usage_batch_from_row(row));
    }
    return batches;
  };
  submit<std::vector<UsageBatch>>(pool_, scope, "reading usage batches", read, std::move(reply));
}

void StoreUsageLedger::book(const Scope& scope, std::int64_t epoch, std::vector<BatchResult> results, Timestamp now,
                            std::function<void(Result<void>)> reply) {
  const auto book = [scope, epoch, now, results = std::move(results)](pqxx::transaction_base& tx) -> Result<void> {
    if (auto current = require_epoch(tx, scope, epoch); !current) {
      return current;
    }
    UsageColumns<8> columns;
    for (const auto& r : results) {
      columns.row(r.id.str(), to_string(r.status), std::int64_t{r.attempts}, r.next_attempt_at, r.error_code,
                  r.error_message, r.first_sent_at.value_or(Timestamp{}), r.synced_at.value_or(Timestamp{}));
    }
    auto values = parameters(scope);
    values.push_back(std::to_string(to_unix_micros(now)));
    columns.exec(tx, kBook, values);
    return {};
  };
  submit<void>(pool_, scope, "booking usage batches", book, std::move(reply));
}

void StoreUsageLedger::match_again(const Scope& scope, std::int64_t epoch, int events_max, Timestamp /*now*/,
                                   std::function<void(Result<std::int64_t>)> reply) {
  const auto match = [scope, epoch, events_max, window = window_](pqxx::transaction_base& tx) -> Result<std::int64_t> {
    if (auto current = require_epoch(tx, scope, epoch); !current) {
      return tl::unexpected(current.error());
    }
    return attribute(tx, scope, events_max, window);
  };
  submit<std::int64_t>(pool_, scope, "matching usage again", match, std::move(reply));
}

void StoreUsageLedger::sweep_keys(const Scope& scope, Timestamp now, int rows_max,
                                  std::function<void(Result<std::int64_t>)> reply) {
  const auto sweep = [scope, before = now - kKeysKept, rows_max](pqxx::transaction_base& tx) -> Result<std::int64_t> {
    const auto deleted =
        tx.exec_params(sweep_sql(before), scope.tenant.str(), scope.environment.str(), rows_max).affected_rows();
    return static_cast<std::int64_t>(deleted);
  };
  submit<std::int64_t>(pool_, scope, "sweeping keys of usage events", sweep, std::move(reply));
}

}  // namespace flexsync::store
