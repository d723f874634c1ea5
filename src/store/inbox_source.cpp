#include "store/inbox_source.hpp"

#include <pqxx/pqxx>

#include "store/array.hpp"
#include "store/pool_submit.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

namespace {

constexpr const char* kTakeOwnership = R"(
  INSERT INTO tenant_owner (tenant_id, environment_id, epoch) VALUES ($1, $2, 1)
  ON CONFLICT (tenant_id, environment_id) DO UPDATE SET epoch = tenant_owner.epoch + 1
  RETURNING epoch)";

constexpr const char* kReadWatermark =
    "SELECT coalesce((SELECT seq FROM inbox_watermarks WHERE tenant_id = $1 AND environment_id = $2), 0)";

constexpr const char* kSaveWatermark = R"(
  INSERT INTO inbox_watermarks (tenant_id, environment_id, seq) VALUES ($1, $2, $3)
  ON CONFLICT (tenant_id, environment_id) DO UPDATE SET seq = excluded.seq
  WHERE inbox_watermarks.seq < excluded.seq)";

// OFFSET 0 keeps the planner from turning the look-ups into a hash join over the whole history: a page must cost
// what a page holds, whatever the statistics say.
#define UNSETTLED                                                                               \
  "NOT EXISTS (SELECT 1 FROM inbox_outcomes o WHERE o.tenant_id = $1 AND o.environment_id = $2" \
  " AND o.seq = i.seq OFFSET 0)"

// The local entity of an object: by its live mapping, else by its shadow (which outlives the mapping, and comes before
// the entity: a reservation).
#define ENTITY_OF(type, id)                                                                                       \
  "coalesce((SELECT m.entity_id FROM entity_integration_mappings m"                                               \
  "          WHERE m.tenant_id = $1 AND m.environment_id = $2 AND m.provider_entity_id = " id                     \
  "            AND m.entity_type = CASE WHEN " type " IN ('product', 'price') THEN 'plan' ELSE " type             \
  " END"                                                                                                          \
  "            AND m.provider_type = 'stripe' AND m.status = 'published' LIMIT 1),"                               \
  "         (SELECT s.entity_id FROM stripe_objects s"                                                            \
  "          WHERE s.tenant_id = $1 AND s.environment_id = $2 AND s.object_type = " type " AND s.stripe_id = " id \
  "), '') AS entity_id"

#define ROW_COLUMNS                                                                                         \
  "i.seq, i.event_id, i.event_type, i.object_type, i.object_id, i.request_id, i.payload, " FLEXSYNC_MICROS( \
      "i.received_at") " AS received, " ENTITY_OF("i.object_type", "i.object_id")

constexpr const char* kPage =
    "SELECT " ROW_COLUMNS
    ", 0 AS attempts FROM ("
    "  SELECT *, sum(payload_bytes) OVER (ORDER BY seq) - payload_bytes AS bytes_before FROM ("
    "    SELECT * FROM inbox i"
    "    WHERE i.tenant_id = $1 AND i.environment_id = $2 AND i.seq > $3 AND i.ignored_reason = ''"
    "      AND i.object_id <> ALL ($4::text[]) AND " UNSETTLED
    "    ORDER BY i.seq LIMIT $5) page) i "
    "WHERE bytes_before < $6 ORDER BY seq";

constexpr const char* kObjectPage =
    "SELECT " ROW_COLUMNS
    ", 0 AS attempts FROM inbox i"
    " WHERE i.tenant_id = $1 AND i.environment_id = $2 AND i.object_id = $4 AND i.seq > $3 AND i.ignored_reason = ''"
    "   AND " UNSETTLED " ORDER BY i.seq LIMIT $5";

constexpr const char* kDue =
    "SELECT " ROW_COLUMNS
    ", p.attempts, " FLEXSYNC_MICROS(
        "CASE p.state WHEN 'redriven' THEN NULL ELSE p.parked_at END") " AS parked_at FROM parked_events p"
    "  JOIN inbox i ON i.tenant_id = $1 AND i.environment_id = $2 AND i.event_id = p.event_id"
    " WHERE p.tenant_id = $1 AND p.environment_id = $2 AND p.state IN ('retrying', 'blocked', 'redriven')"
    "   AND p.next_attempt_at <= " FLEXSYNC_TIME("$3") " ORDER BY p.next_attempt_at LIMIT $4";

constexpr const char* kFindCustomers = R"(
  SELECT claim, coalesce(
    (SELECT c.id FROM customers c
     WHERE c.tenant_id = $1 AND c.environment_id = $2 AND c.id = claim),
    (SELECT c.id FROM customers c
     WHERE c.tenant_id = $1 AND c.environment_id = $2 AND c.external_id = claim AND c.status <> 'deleted'))
  FROM unnest($3::text[]) AS claim)";

constexpr const char* kFindEntities = "SELECT type, id, " ENTITY_OF(
    "object.type", "object.id") " FROM unnest($3::text[], $4::text[]) AS object(type, id)";

// A price of which nothing but the id is known was led with its product to one entity.
constexpr const char* kFindProducts = R"(
  SELECT price.stripe_id, coalesce(nullif(nullif(price.state, '')::json->>'product', ''),
    (SELECT product.stripe_id FROM stripe_objects product
     WHERE product.tenant_id = $1 AND product.environment_id = $2 AND product.object_type = 'product'
       AND product.entity_id = price.entity_id LIMIT 1))
  FROM stripe_objects price
  WHERE price.tenant_id = $1 AND price.environment_id = $2 AND price.object_type = 'price'
    AND price.stripe_id = ANY ($3::text[]))";

constexpr const char* kFindUnmapped = R"(
  SELECT wanted.email, found.id FROM (SELECT DISTINCT unnest($3::text[]) AS email) AS wanted, LATERAL (
    SELECT c.id FROM customers c
    WHERE c.tenant_id = $1 AND c.environment_id = $2 AND c.email = wanted.email AND c.status = 'published'
      AND NOT EXISTS (
        SELECT 1 FROM outbox o
        WHERE o.tenant_id = $1 AND o.environment_id = $2 AND o.entity_id = c.id AND o.state = 'ready')
      AND NOT EXISTS (
        SELECT 1 FROM entity_integration_mappings m
        WHERE m.tenant_id = $1 AND m.environment_id = $2 AND m.entity_type = 'customer' AND m.entity_id = c.id
          AND m.provider_type = 'stripe' AND m.status = 'published')
    ORDER BY c.id LIMIT 2) AS found)";

constexpr const char* kTenantsWithWork =
    "SELECT tenant_id, environment_id FROM tenants_with_work(" FLEXSYNC_TIME("$1") ")"
    " UNION SELECT tenant_id, environment_id FROM tenants_with_outbox(" FLEXSYNC_TIME("$1") ")"
    " UNION SELECT tenant_id, environment_id FROM tenants_with_usage(" FLEXSYNC_TIME("$1") ")"
    " UNION SELECT tenant_id, environment_id FROM tenants_to_catch_up(" FLEXSYNC_TIME("nullif($2::bigint, 0)") ")";

InboxRow to_row(const pqxx::row& row, bool was_parked) {
  InboxRow event;
  event.seq = row["seq"].as<std::int64_t>();
  event.event_id = StripeEventId{row["event_id"].c_str()};
  event.type = row["event_type"].c_str();
  event.object_type = row["object_type"].c_str();
  event.object_id = row["object_id"].c_str();
  event.request_id = row["request_id"].c_str();
  event.received = from_unix_micros(row["received"].as<std::int64_t>());
  event.payload = pqxx::binarystring(row["payload"]).str();
  event.entity_id = row["entity_id"].c_str();
  event.was_parked = was_parked;
  event.attempts = row["attempts"].as<int>();
  return event;
}

std::map<ObjectKey, std::string> find_objects(pqxx::transaction_base& tx, const Scope& scope,
                                              const std::vector<ObjectKey>& objects) {
  ArrayLiteral types;
  ArrayLiteral ids;
  for (const auto& object : objects) {
    types.add(object.type);
    ids.add(object.id.str());
  }
  std::map<ObjectKey, std::string> found;
  for (const auto& row :
       tx.exec_params(kFindEntities, scope.tenant.str(), scope.environment.str(), types.take(), ids.take())) {
    if (auto entity = text_from(row["entity_id"]); !entity.empty()) {
      found.emplace(ObjectKey{text_from(row["type"]), StripeId{text_from(row["id"])}}, std::move(entity));
    }
  }
  return found;
}

std::map<std::string, std::string> find_claimed(pqxx::transaction_base& tx, const Scope& scope,
                                                const std::vector<std::string>& claims) {
  std::map<std::string, std::string> found;
  for (const auto& row :
       tx.exec_params(kFindCustomers, scope.tenant.str(), scope.environment.str(), text_array(claims))) {
    if (!row[1].is_null()) {
      found.emplace(row[0].c_str(), row[1].c_str());
    }
  }
  return found;
}

std::map<StripeId, StripeId> find_products(pqxx::transaction_base& tx, const Scope& scope,
                                           const std::vector<StripeId>& prices) {
  ArrayLiteral ids;
  for (const auto& price : prices) {
    ids.add(price.str());
  }
  std::map<StripeId, StripeId> found;
  for (const auto& row : tx.exec_params(kFindProducts, scope.tenant.str(), scope.environment.str(), ids.take())) {
    if (!row[1].is_null()) {
      found.emplace(text_from(row[0]), text_from(row[1]));
    }
  }
  return found;
}

std::map<std::string, std::vector<std::string>> find_unmapped(pqxx::transaction_base& tx, const Scope& scope,
                                                              const std::vector<std::string>& emails) {
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& row :
       tx.exec_params(kFindUnmapped, scope.tenant.str(), scope.environment.str(), text_array(emails))) {
    found[text_from(row[0])].push_back(text_from(row[1]));
  }
  return found;
}

}  // namespace

void StoreInboxSource::take_ownership(const Scope& scope, std::function<void(Result<Ownership>)> reply) {
  submit<Ownership>(
      pool_, scope, "taking over a tenant's work",
      [scope](pqxx::transaction_base& tx) {
        tx.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                       scope.tenant.str() + "/" + scope.environment.str());
        Ownership owned;
        owned.epoch =
            tx.exec_params1(kTakeOwnership, scope.tenant.str(), scope.environment.str())[0].as<std::int64_t>();
        owned.watermark =
            tx.exec_params1(kReadWatermark, scope.tenant.str(), scope.environment.str())[0].as<std::int64_t>();
        return owned;
      },
      std::move(reply));
}

void StoreInboxSource::read_page(const Scope& scope, PageRequest request,
                                 std::function<void(Result<std::vector<InboxRow>>)> reply) {
  submit<std::vector<InboxRow>>(
      pool_, scope, "reading the inbox",
      [scope, request = std::move(request)](pqxx::transaction_base& tx) {
        const auto result = request.object_id.empty()
                                ? tx.exec_params(kPage, scope.tenant.str(), scope.environment.str(), request.after,
                                                 text_array(request.busy_objects), request.rows_max, request.bytes_max)
                                : tx.exec_params(kObjectPage, scope.tenant.str(), scope.environment.str(),
                                                 request.after, request.object_id, request.rows_max);
        std::vector<InboxRow> rows;
        rows.reserve(result.size());
        for (const auto& row : result) {
          rows.push_back(to_row(row, false));
        }
        return rows;
      },
      std::move(reply));
}

void StoreInboxSource::read_due(const Scope& scope, Timestamp now, int rows_max,
                                std::function<void(Result<std::vector<InboxRow>>)> reply) {
  submit<std::vector<InboxRow>>(
      pool_, scope, "reading parked events",
      [scope, now, rows_max](pqxx::transaction_base& tx) {
        std::vector<InboxRow> rows;
        for (const auto& row :
             tx.exec_params(kDue, scope.tenant.str(), scope.environment.str(), to_unix_micros(now), rows_max)) {
          rows.push_back(to_row(row, true));
          rows.back().parked_at = optional_time_from(row["parked_at"]);
        }
        return rows;
      },
      std::move(reply));
}

void StoreInboxSource::find_entities(const Scope& scope, EntitiesWanted wanted,
                                     std::function<void(Result<FoundEntities>)> reply) {
  submit<FoundEntities>(
      pool_, scope, "looking for the entities of objects",
      [scope, wanted = std::move(wanted)](pqxx::transaction_base& tx) {
        FoundEntities found;
        if (!wanted.objects.empty()) {
          found.objects = find_objects(tx, scope, wanted.objects);
        }
        if (!wanted.claims.empty()) {
          found.claims = find_claimed(tx, scope, wanted.claims);
        }
        if (!wanted.prices.empty()) {
          found.products = find_products(tx, scope, wanted.prices);
        }
        if (!wanted.emails.empty()) {
          found.unmapped = find_unmapped(tx, scope, wanted.emails);
        }
        return found;
      },
      std::move(reply));
}

void StoreInboxSource::save_watermark(const Scope& scope, std::int64_t seq) {
  pool_.submit(
      scope, "saving the inbox watermark",
      [scope, seq](pqxx::transaction_base& tx) {
        tx.exec_params(kSaveWatermark, scope.tenant.str(), scope.environment.str(), seq);
      },
      [](const std::optional<Error>&) {});
}

void StoreInboxSource::tenants_with_work(Timestamp now, Timestamp catch_up_due,
                                         std::function<void(Result<std::vector<Scope>>)> reply) {
  submit<std::vector<Scope>>(
      pool_, std::nullopt, "looking for tenants with work",
      [now, catch_up_due](pqxx::transaction_base& tx) {
        std::vector<Scope> scopes;
        for (const auto& row : tx.exec_params(kTenantsWithWork, to_unix_micros(now), to_unix_micros(catch_up_due))) {
          scopes.push_back({TenantId{row[0].c_str()}, EnvironmentId{row[1].c_str()}});
        }
        return scopes;
      },
      std::move(reply));
}

void StoreInboxSource::depths(std::function<void(Result<std::vector<Depth>>)> reply) {
  submit<std::vector<Depth>>(
      pool_, std::nullopt, "measuring the inbox",
      [](pqxx::transaction_base& tx) {
        std::vector<Depth> depths;
        for (const auto& row : tx.exec("SELECT tenant_id, environment_id, depth, "
                                       "coalesce(" FLEXSYNC_MICROS("oldest") ", 0) AS oldest, dead "
                                                                             "FROM inbox_depths()")) {
          depths.push_back({{TenantId{row[0].c_str()}, EnvironmentId{row[1].c_str()}},
                            row[2].as<std::int64_t>(),
                            from_unix_micros(row[3].as<std::int64_t>()),
                            row[4].as<std::int64_t>()});
        }
        return depths;
      },
      std::move(reply));
}

}  // namespace flexsync::store
