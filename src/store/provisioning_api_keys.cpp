#include <nlohmann/json.hpp>

#include "domain/ulid.hpp"
#include "store/audit.hpp"
#include "store/key_hash.hpp"
#include "store/provisioning.hpp"
#include "store/rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

using Json = nlohmann::json;

constexpr const char* kInsert =
    "INSERT INTO api_keys (tenant_id, environment_id, id, name, type, key_hash, display, expires_at, created_at,"
    "                      updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, " FLEXSYNC_TIME("nullif($8, '')") ", " FLEXSYNC_TIME("$9") ", " FLEXSYNC_TIME(
        "$9") ") ON CONFLICT DO NOTHING";
constexpr const char* kRevoke = "UPDATE api_keys SET status = 'deleted', updated_at = " FLEXSYNC_TIME(
    "$2") " WHERE id = $1 AND status = 'published' RETURNING name";
constexpr PageStatement kPage{kApiKeyColumns, "api_keys AS k", {"k.created_at", "k.id"}};

constexpr std::size_t kDisplayHead = 8;
constexpr std::size_t kDisplayTail = 4;

// Enough to tell keys apart, far too little to guess one.
std::string display_of(const Secret& key) {
  const auto text = key.reveal();
  std::string shown(text.substr(0, kDisplayHead));
  shown += "…";
  return shown.append(text.substr(text.size() - kDisplayTail));
}

Result<void> check(const NewApiKey& wanted, Timestamp now) {
  if (auto valid = check_name("name", wanted.name); !valid) {
    return valid;
  }
  if (wanted.type != "private_key" && wanted.type != "publishable_key") {
    return fail(ErrorCode::validation_error, "type must be \"private_key\" or \"publishable_key\"",
                {{"type", "must be private_key or publishable_key"}});
  }
  if (wanted.expires_at && *wanted.expires_at <= now) {
    return fail(ErrorCode::validation_error, "expires_at lies in the past: leave it out for a key that does not expire",
                {{"expires_at", "must lie in the future"}});
  }
  if (!is_storable(wanted.scope.tenant.str()) || !is_storable(wanted.scope.environment.str())) {
    return fail(ErrorCode::not_found, "there is no such tenant or environment");
  }
  return {};
}

}  // namespace

Result<IssuedApiKey> StoreProvisioning::create_api_key(const NewApiKey& wanted, const Principal& by) {
  const auto now = clock_.now();
  if (auto valid = check(wanted, now); !valid) {
    return tl::unexpected(valid.error());
  }
  IssuedApiKey issued;
  issued.key = new_api_key();
  auto& record = issued.record;
  record.id = new_id<ApiKeyId>(prefix::kApiKey, now);
  record.scope = wanted.scope;
  record.name = wanted.name;
  record.type = wanted.type;
  record.display = display_of(issued.key);
  record.expires_at = wanted.expires_at;
  record.created_at = record.updated_at = now;

  const auto hash = key_hash(issued.key);
  const auto expires = record.expires_at ? std::to_string(to_unix_micros(*record.expires_at)) : std::string();
  return pool_.call(
      record.scope, "the API key cannot be created", [&](pqxx::transaction_base& tx) -> Result<IssuedApiKey> {
        if (auto found = require_environment(tx, record.scope); !found) {
          return tl::unexpected(found.error());
        }
        const auto inserted =
            tx.exec_params(kInsert, record.scope.tenant.str(), record.scope.environment.str(), record.id.str(),
                           record.name, record.type, hash, record.display, expires, to_unix_micros(now));
        if (inserted.affected_rows() == 1) {
          write_audit(tx, {record.scope, "api_key", record.id.str(), "create"}, by, Json::object(),
                      {{"name", record.name}, {"type", record.type}, {"display", record.display}}, now);
        }
        return issued;
      });
}

Result<Page<ApiKey>> StoreProvisioning::api_keys(const Scope& scope, const ListOptions& list) {
  Where where;
  where.add("k.status <> 'deleted'");
  where.add_times("k.created_at", list);
  return pool_.call(scope, "API keys cannot be listed", [&](pqxx::transaction_base& tx) -> Result<Page<ApiKey>> {
    return select_page<ApiKey>(tx, kPage, where, list, api_key_from_row);
  });
}

Result<void> StoreProvisioning::revoke_api_key(const Scope& scope, const ApiKeyId& id, const Principal& by) {
  const auto missing = [&] { return fail(ErrorCode::not_found, "there is no API key " + id.str()); };
  if (!is_storable(id.str())) {
    return fail(ErrorCode::not_found, "there is no such API key: its id is not valid text");
  }
  const auto now = clock_.now();
  auto revoked = pool_.call(scope, "the API key cannot be revoked", [&](pqxx::transaction_base& tx) -> Result<void> {
    const auto rows = tx.exec_params(kRevoke, id.str(), to_unix_micros(now));
    if (rows.empty()) {
      return missing();
    }
    write_audit(tx, {scope, "api_key", id.str(), "delete"}, by, {{"name", text_from(rows[0][0])}}, Json::object(), now);
    return {};
  });
  hooks_.key_revoked(id);  // also after an error: the commit may have gone through
  return revoked;
}

}  // namespace flexsync::store
