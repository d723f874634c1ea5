#include <nlohmann/json.hpp>

#include "domain/ulid.hpp"
#include "store/audit.hpp"
#include "store/connection_secrets.hpp"
#include "store/provisioning.hpp"
#include "store/rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kConfigBytesMax = 64 * 1024;

constexpr const char* kInsert =
    "INSERT INTO connections (tenant_id, environment_id, id, name, provider_type, account_id, livemode, metadata,"
    "                         sync_config, secrets, created_by, updated_by, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, nullif($7, '')::boolean, $8, $9, $10, $11, $11, " FLEXSYNC_TIME(
        "$12") ", " FLEXSYNC_TIME("$12") ") ON CONFLICT DO NOTHING";
constexpr const char* kFindLive = "SELECT id FROM connections WHERE provider_type = $1 AND status = 'published'";
constexpr const char* kLock = " FOR UPDATE";
constexpr const char* kUpdate =
    "UPDATE connections SET name = $2, account_id = $3, livemode = nullif($4, '')::boolean, metadata = $5,"
    "  sync_config = $6, secrets = secrets || $7::jsonb, updated_by = $8, updated_at = " FLEXSYNC_TIME(
        "$9") " WHERE id = $1";
// The row stays for the audit, its secrets do not.
constexpr const char* kDelete =
    "UPDATE connections SET status = 'deleted', secrets = '{}', updated_by = $2, updated_at = " FLEXSYNC_TIME(
        "$3") " WHERE id = $1 AND status <> 'deleted' RETURNING name";
constexpr PageStatement kPage{kConnectionColumns, "connections AS c", {"c.created_at", "c.id"}};

std::string text_of(std::optional<bool> flag) {
  return flag ? (*flag ? "true" : "false") : "";
}

// What an audit row shows of a connection; of secrets only which were set.
Json audited(const Connection& connection) {
  auto json = Json{{"name", connection.name},
                   {"account_id", connection.account_id},
                   {"metadata", connection.metadata},
                   {"sync_config", Json::parse(connection.sync_config)}};
  if (connection.livemode) {
    json["livemode"] = *connection.livemode;
  }
  return json;
}

Json names_of(const Json& sealed) {
  auto names = Json::array();
  for (const auto& [field, value] : sealed.items()) {
    names.push_back(field);
  }
  return names;
}

// Leaves only the fields that differ.
void keep_differences(Json& before, Json& after) {
  const Json all = before;
  for (const auto& [field, value] : all.items()) {
    if (after.contains(field) && after[field] == value) {
      before.erase(field);
      after.erase(field);
    }
  }
}

bool says_something(const std::string& config) {
  return !config.empty() && config != "{}";
}

Result<void> check_fields(const Connection& wanted) {
  for (const auto& [key, value] : wanted.metadata) {
    if (!is_storable(key) || !is_storable(value)) {
      return fail(ErrorCode::validation_error, "metadata is not valid UTF-8 text, or contains U+0000",
                  {{"metadata", "must be valid UTF-8 without U+0000"}});
    }
  }
  if (metadata_to_json(wanted.metadata).size() > kConfigBytesMax || wanted.sync_config.size() > kConfigBytesMax) {
    return fail(ErrorCode::validation_error, "metadata and sync_config may have at most 64 KiB each");
  }
  if (says_something(wanted.sync_config)) {
    const auto json = Json::parse(wanted.sync_config, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || wanted.sync_config.find("\\u0000") != std::string::npos) {
      return fail(ErrorCode::validation_error, "sync_config is not a JSON object",
                  {{"sync_config", "must be an object"}});
    }
  }
  return {};
}

Result<void> check_new(const Connection& wanted, const StripeSecrets& secrets) {
  if (auto valid = check_name("name", wanted.name); !valid) {
    return valid;
  }
  if (wanted.provider_type != "stripe") {
    return fail(ErrorCode::validation_error, "provider_type must be \"stripe\"", {{"provider_type", "must be stripe"}});
  }
  if (secrets.secret_key.empty() && secrets.webhook_secrets.empty()) {
    return fail(ErrorCode::validation_error,
                "encrypted_secret_data needs a secret_key, to call Stripe, or a webhook_secret, to hear from it",
                {{"encrypted_secret_data", "needs secret_key or webhook_secret"}});
  }
  if (!is_storable(wanted.scope.tenant.str()) || !is_storable(wanted.scope.environment.str())) {
    return fail(ErrorCode::not_found, "there is no such tenant or environment");
  }
  if (auto valid = check_fields(wanted); !valid) {
    return valid;
  }
  return check_secrets(secrets, std::nullopt);
}

Result<Connection> select_one(pqxx::transaction_base& tx, const ConnectionId& id, const char* lock) {
  Where where;
  where.add("c.status <> 'deleted'");
  where.add("c.id = ?", id.str());
  const auto rows = where.exec(tx, page_sql(kPage, where, ListOptions{}) + lock);
  if (rows.empty()) {
    return fail(ErrorCode::not_found, "there is no connection " + id.str());
  }
  return connection_from_row(rows[0]);
}

// The fields of `wanted` and `secrets` that say something, over what is stored.
Connection merge(Connection stored, const Connection& wanted, const StripeSecrets& secrets, Timestamp now) {
  if (!wanted.name.empty()) {
    stored.name = wanted.name;
  }
  if (!wanted.metadata.empty()) {
    stored.metadata = wanted.metadata;
  }
  if (says_something(wanted.sync_config)) {
    stored.sync_config = wanted.sync_config;
  }
  if (!secrets.account_id.empty()) {
    stored.account_id = secrets.account_id;
  }
  if (!secrets.secret_key.empty()) {
    stored.livemode = livemode_of(secrets.secret_key);
  }
  stored.updated_at = now;
  return stored;
}

}  // namespace

Result<Connection> StoreProvisioning::create_connection(Connection wanted, const StripeSecrets& secrets,
                                                        const Principal& by) {
  if (auto valid = check_new(wanted, secrets); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto now = clock_.now();
  wanted.id = new_id<ConnectionId>(prefix::kConnection, now);
  wanted.account_id = secrets.account_id.empty() ? wanted.account_id : secrets.account_id;
  wanted.livemode = livemode_of(secrets.secret_key);
  wanted.sync_config = says_something(wanted.sync_config) ? wanted.sync_config : "{}";
  wanted.status = Status::published;
  wanted.created_by = by.label;
  wanted.created_at = wanted.updated_at = now;
  const auto& scope = wanted.scope;
  const auto sealed = seal_secrets(secrets_, scope, wanted.id, secrets);
  const auto insert = [&](pqxx::transaction_base& tx) -> Result<Connection> {
    if (auto found = require_environment(tx, scope); !found) {
      return tl::unexpected(found.error());
    }
    const auto inserted = tx.exec_params(kInsert, scope.tenant.str(), scope.environment.str(), wanted.id.str(),
                                         wanted.name, wanted.provider_type, wanted.account_id, text_of(wanted.livemode),
                                         metadata_to_json(wanted.metadata), wanted.sync_config, sealed.dump(), by.label,
                                         to_unix_micros(now));
    if (inserted.affected_rows() == 0) {
      const auto live = tx.exec_params(kFindLive, wanted.provider_type);
      if (live.empty() || text_from(live[0][0]) != wanted.id.str()) {
        return fail(ErrorCode::already_exists,
                    "this environment has a Stripe connection already: update or delete that one first",
                    {{"connection_id", live.empty() ? "" : text_from(live[0][0])}});
      }
      return wanted;  // of the first try, whose answer was lost
    }
    auto after = audited(wanted);
    after["secrets_set"] = names_of(sealed);
    write_audit(tx, {scope, "connection", wanted.id.str(), "create"}, by, Json::object(), after, now);
    return wanted;
  };
  auto created = pool_.call(scope, "the connection cannot be created", insert);
  hooks_.connection_changed(scope);
  return created;
}

Result<Connection> StoreProvisioning::update_connection(Connection wanted, const StripeSecrets& secrets,
                                                        const Principal& by) {
  const auto& scope = wanted.scope;
  if (!is_storable(wanted.id.str())) {
    return fail(ErrorCode::not_found, "there is no such connection: its id is not valid text");
  }
  if (!wanted.name.empty()) {
    if (auto valid = check_name("name", wanted.name); !valid) {
      return tl::unexpected(valid.error());
    }
  }
  if (auto valid = check_fields(wanted); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto now = clock_.now();
  const auto sealed = seal_secrets(secrets_, scope, wanted.id, secrets);
  const auto update = [&](pqxx::transaction_base& tx) -> Result<Connection> {
    const auto stored = select_one(tx, wanted.id, kLock);
    if (!stored) {
      return stored;
    }
    if (auto valid = check_secrets(secrets, stored->livemode); !valid) {
      return tl::unexpected(valid.error());
    }
    const auto merged = merge(*stored, wanted, secrets, now);
    tx.exec_params(kUpdate, merged.id.str(), merged.name, merged.account_id, text_of(merged.livemode),
                   metadata_to_json(merged.metadata), merged.sync_config, sealed.dump(), by.label, to_unix_micros(now));
    auto before = audited(*stored);
    auto after = audited(merged);
    keep_differences(before, after);
    if (!sealed.empty()) {
      after["secrets_set"] = names_of(sealed);
    }
    write_audit(tx, {scope, "connection", merged.id.str(), "update"}, by, before, after, now);
    return merged;
  };
  auto updated = pool_.call(scope, "the connection cannot be updated", update);
  hooks_.connection_changed(scope);
  return updated;
}

Result<Page<Connection>> StoreProvisioning::connections(const Scope& scope, const ListOptions& list) {
  Where where;
  where.add("c.status <> 'deleted'");
  where.add_times("c.created_at", list);
  return pool_.call(scope, "connections cannot be listed", [&](pqxx::transaction_base& tx) -> Result<Page<Connection>> {
    return select_page<Connection>(tx, kPage, where, list, connection_from_row);
  });
}

Result<Connection> StoreProvisioning::connection(const Scope& scope, const ConnectionId& id) {
  if (!is_storable(id.str())) {
    return fail(ErrorCode::not_found, "there is no such connection: its id is not valid text");
  }
  return pool_.call(scope, "the connection cannot be read",
                    [&](pqxx::transaction_base& tx) { return select_one(tx, id, ""); });
}

Result<void> StoreProvisioning::delete_connection(const Scope& scope, const ConnectionId& id, const Principal& by) {
  if (!is_storable(id.str())) {
    return fail(ErrorCode::not_found, "there is no such connection: its id is not valid text");
  }
  const auto now = clock_.now();
  auto deleted = pool_.call(scope, "the connection cannot be deleted", [&](pqxx::transaction_base& tx) -> Result<void> {
    const auto rows = tx.exec_params(kDelete, id.str(), by.label, to_unix_micros(now));
    if (rows.empty()) {
      return fail(ErrorCode::not_found, "there is no connection " + id.str());
    }
    const Json before = {{"name", text_from(rows[0][0])}};
    write_audit(tx, {scope, "connection", id.str(), "delete"}, by, before, Json::object(), now);
    return {};
  });
  hooks_.connection_changed(scope);
  return deleted;
}

}  // namespace flexsync::store
