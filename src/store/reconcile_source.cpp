#include "store/reconcile_source.hpp"

#include <pqxx/pqxx>
#include <utility>

#include "store/array.hpp"
#include "store/pool_submit.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

namespace {

constexpr const char* kBasis =
    "SELECT c.id, " FLEXSYNC_MICROS("c.created_at") " AS since, " FLEXSYNC_MICROS(
        "w.finished_at") " AS walked_at FROM connections c"
    " LEFT JOIN reconcile_walks w ON w.tenant_id = $1 AND w.environment_id = $2 AND w.connection_id = c.id"
    " WHERE c.tenant_id = $1 AND c.environment_id = $2 AND c.provider_type = 'stripe' AND c.status = 'published'";

constexpr const char* kFinish =
    "INSERT INTO reconcile_walks (tenant_id, environment_id, connection_id, finished_at, compared, different)"
    " VALUES ($1, $2, $3, " FLEXSYNC_TIME("$4") ", $5, $6)"
    " ON CONFLICT (tenant_id, environment_id) DO UPDATE SET connection_id = excluded.connection_id,"
    "   finished_at = excluded.finished_at, compared = excluded.compared, different = excluded.different";

// A parked event names its object, a blocked or failed one of a deletion or of a product's price its inbox row's.
constexpr const char* kWaits =
    ", EXISTS (SELECT 1 FROM parked_events p WHERE p.tenant_id = $1 AND p.environment_id = $2"
    "            AND p.object_id <> '' AND p.object_id = s.stripe_id OFFSET 0) AS waits FROM ";

const std::string kKnown =
    "SELECT " + std::string(kStripeObjectColumns) + kWaits +
    "unnest($4::text[]) AS wanted CROSS JOIN LATERAL ("
    "  SELECT * FROM stripe_objects o WHERE o.tenant_id = $1 AND o.environment_id = $2 AND o.object_type = $3"
    "    AND o.stripe_id = wanted OFFSET 0) s";

constexpr const char* kWaiting =
    "SELECT DISTINCT p.object_id FROM parked_events p WHERE p.tenant_id = $1 AND p.environment_id = $2"
    " AND p.object_id <> '' AND p.object_type = $3 AND p.object_id = ANY ($4::text[])";

const std::string kMirrored =
    "SELECT " + std::string(kStripeObjectColumns) + kWaits +
    "(SELECT * FROM stripe_objects o WHERE o.tenant_id = $1 AND o.environment_id = $2 AND o.object_type = $3"
    "   AND o.stripe_id > $4 AND NOT o.deleted AND o.true_to < " FLEXSYNC_TIME(
        "$5") " ORDER BY o.stripe_id LIMIT $6) s ORDER BY stripe_id";

const std::string kMarked =
    "SELECT * FROM (SELECT " + std::string(kStripeObjectColumns) + kWaits +
    "(SELECT * FROM stripe_objects o WHERE o.tenant_id = $1 AND o.environment_id = $2 AND o.needs_reconcile"
    "   AND (NOT o.deleted OR o.object_type = 'subscription') LIMIT $3) s) marked WHERE NOT waits";  // which may change

std::vector<MirroredObject> read_mirrored(const pqxx::result& rows) {
  std::vector<MirroredObject> objects;
  objects.reserve(static_cast<std::size_t>(rows.size()));
  for (const auto& row : rows) {
    objects.push_back({stripe_object_from_row(row), row["waits"].as<bool>()});
  }
  return objects;
}

}  // namespace

void StoreReconcileSource::basis(const Scope& scope, std::function<void(Result<std::optional<ReconcileBasis>>)> reply) {
  submit<std::optional<ReconcileBasis>>(
      pool_, scope, "reading what to compare with Stripe",
      [scope](pqxx::transaction_base& tx) -> std::optional<ReconcileBasis> {
        const auto rows = tx.exec_params(kBasis, scope.tenant.str(), scope.environment.str());
        if (rows.empty()) {
          return std::nullopt;
        }
        return ReconcileBasis{ConnectionId{text_from(rows[0]["id"])}, time_from(rows[0]["since"]),
                              optional_time_from(rows[0]["walked_at"])};
      },
      std::move(reply));
}

void StoreReconcileSource::known(const Scope& scope, const std::string& object_type, std::vector<StripeId> ids,
                                 std::function<void(Result<std::map<StripeId, KnownObject>>)> reply) {
  ArrayLiteral wanted;
  for (const auto& id : ids) {
    wanted.add(id.str());
  }
  submit<std::map<StripeId, KnownObject>>(
      pool_, scope, "comparing with Stripe",
      [scope, object_type, wanted = wanted.take()](pqxx::transaction_base& tx) {
        std::map<StripeId, KnownObject> found;
        for (auto& [shadow, waits] :
             read_mirrored(tx.exec_params(kKnown, scope.tenant.str(), scope.environment.str(), object_type, wanted))) {
          const auto id = shadow.stripe_id;
          found.emplace(id, KnownObject{std::move(shadow), waits});
        }
        for (const auto& row :
             tx.exec_params(kWaiting, scope.tenant.str(), scope.environment.str(), object_type, wanted)) {
          // Unless its shadow is there.
          found.try_emplace(StripeId{text_from(row[0])}, KnownObject{std::nullopt, true});
        }
        return found;
      },
      std::move(reply));
}

void StoreReconcileSource::mirrored(const Scope& scope, MirrorPage page,
                                    std::function<void(Result<std::vector<MirroredObject>>)> reply) {
  submit<std::vector<MirroredObject>>(
      pool_, scope, "reading what is mirrored",
      [scope, page = std::move(page)](pqxx::transaction_base& tx) {
        return read_mirrored(tx.exec_params(kMirrored, scope.tenant.str(), scope.environment.str(), page.object_type,
                                            page.after, to_unix_micros(page.seen_before), page.rows_max));
      },
      std::move(reply));
}

void StoreReconcileSource::marked(const Scope& scope, int rows_max,
                                  std::function<void(Result<std::vector<MirroredObject>>)> reply) {
  submit<std::vector<MirroredObject>>(
      pool_, scope, "reading what Stripe is to be asked for",
      [scope, rows_max](pqxx::transaction_base& tx) {
        return read_mirrored(tx.exec_params(kMarked, scope.tenant.str(), scope.environment.str(), rows_max));
      },
      std::move(reply));
}

void StoreReconcileSource::finish(const Scope& scope, const ConnectionId& connection, Timestamp at,
                                  std::int64_t compared, std::int64_t different,
                                  std::function<void(Result<void>)> reply) {
  pool_.submit(
      scope, "booking the comparison with Stripe",
      [=](pqxx::transaction_base& tx) {
        tx.exec_params(kFinish, scope.tenant.str(), scope.environment.str(), connection.str(), to_unix_micros(at),
                       compared, different);
      },
      [reply = std::move(reply)](std::optional<Error> error) {
        reply(error ? Result<void>(tl::unexpected(std::move(*error))) : Result<void>());
      });
}

}  // namespace flexsync::store
