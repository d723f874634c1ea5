#include "store/catch_up_cursors.hpp"

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include "store/audit.hpp"
#include "store/pool_submit.hpp"
#include "store/provisioning.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

namespace {

#define CURSOR_COLUMNS \
  "connection_id, " FLEXSYNC_MICROS("cursor_at") " AS cursor_at, revision, (SELECT livemode FROM live) " \
                                                 "AS livemode"

// A new connection's cursor takes the former one's place, under another revision.
constexpr const char* kBegin =
    "WITH live AS ("
    "  SELECT id, livemode, created_at FROM connections"
    "  WHERE tenant_id = $1 AND environment_id = $2 AND provider_type = 'stripe' AND status = 'published')"
    " INSERT INTO catch_up_cursors AS k"
    "   SELECT $1, $2, id, created_at, " FLEXSYNC_TIME("$4") ", 1 FROM live"
    " ON CONFLICT (tenant_id, environment_id) DO UPDATE SET due_at = excluded.due_at,"
    "   connection_id = excluded.connection_id,"
    "   cursor_at = CASE WHEN k.connection_id = excluded.connection_id THEN k.cursor_at ELSE excluded.cursor_at END,"
    "   revision = k.revision + CASE WHEN k.connection_id = excluded.connection_id THEN 0 ELSE 1 END"
    " WHERE $5::boolean OR k.due_at <= " FLEXSYNC_TIME("$3") " OR k.connection_id <> excluded.connection_id"
    " RETURNING " CURSOR_COLUMNS;

constexpr const char* kMove =
    "UPDATE catch_up_cursors SET cursor_at = " FLEXSYNC_TIME("$5") ", due_at = " FLEXSYNC_TIME(
        "$6") " WHERE tenant_id = $1 AND environment_id = $2 AND connection_id = $3 AND revision = $4";

constexpr const char* kSetBack =
    "UPDATE catch_up_cursors SET cursor_at = least(cursor_at, " FLEXSYNC_TIME("$3") "),"
    "   due_at = " FLEXSYNC_TIME("$4") ", revision = revision + 1"
    " WHERE tenant_id = $1 AND environment_id = $2"
    " RETURNING " FLEXSYNC_MICROS("cursor_at");

std::optional<CatchUpCursor> begun(pqxx::transaction_base& tx, const Scope& scope, WalkWhen when, Timestamp now,
                                   Timestamp due) {
  const auto rows = tx.exec_params(kBegin, scope.tenant.str(), scope.environment.str(), to_unix_micros(now),
                                   to_unix_micros(due), when == WalkWhen::now);
  if (rows.empty()) {
    return std::nullopt;
  }
  const auto& row = rows[0];
  CatchUpCursor cursor;
  cursor.connection = ConnectionId{text_from(row["connection_id"])};
  cursor.at = time_from(row["cursor_at"]);
  cursor.revision = row["revision"].as<std::int64_t>();
  if (!row["livemode"].is_null()) {
    cursor.livemode = row["livemode"].as<bool>();
  }
  return cursor;
}

}  // namespace

void StoreCatchUpCursors::begin(const Scope& scope, WalkWhen when, Timestamp now, Timestamp due,
                                std::function<void(Result<std::optional<CatchUpCursor>>)> reply) {
  submit<std::optional<CatchUpCursor>>(
      pool_, scope, "reading where to catch up from",
      [scope, when, now, due](pqxx::transaction_base& tx) { return begun(tx, scope, when, now, due); },
      std::move(reply));
}

void StoreCatchUpCursors::move(const Scope& scope, const CatchUpCursor& begun, Timestamp reached, Timestamp due,
                               std::function<void(Result<bool>)> reply) {
  submit<bool>(
      pool_, scope, "moving the cursor of events",
      [scope, begun, reached, due](pqxx::transaction_base& tx) {
        return tx.exec_params(kMove, scope.tenant.str(), scope.environment.str(), begun.connection.str(),
                              begun.revision, to_unix_micros(reached), to_unix_micros(due))
                   .affected_rows() == 1;
      },
      std::move(reply));
}

Result<Timestamp> StoreCatchUpCursors::set_back(const Scope& scope, Timestamp since, Timestamp now,
                                                const Principal& by) {
  return pool_.call(scope, "the cursor of events cannot be set", [&](pqxx::transaction_base& tx) -> Result<Timestamp> {
    if (auto exists = require_environment(tx, scope); !exists) {
      return tl::unexpected(exists.error());
    }
    const auto before = begun(tx, scope, WalkWhen::now, now, now);
    if (!before) {
      return fail(ErrorCode::not_found, "the environment has no connection to Stripe");
    }
    const auto row = tx.exec_params1(kSetBack, scope.tenant.str(), scope.environment.str(), to_unix_micros(since),
                                     to_unix_micros(now));
    const auto at = time_from(row[0]);
    if (at < before->at) {
      write_audit(tx, {scope, "connection", before->connection.str(), "backfill"}, by,
                  {{"events_read_until", to_rfc3339(before->at)}}, {{"events_read_until", to_rfc3339(at)}}, now);
    }
    return at;
  });
}

}  // namespace flexsync::store
