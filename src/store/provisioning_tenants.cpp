#include <nlohmann/json.hpp>

#include "domain/ulid.hpp"
#include "store/audit.hpp"
#include "store/provisioning.hpp"
#include "store/rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

using Json = nlohmann::json;

// A commit whose answer was lost is tried again by the pool: the second insert then finds the row of the first.
constexpr const char* kInsertTenant =
    "INSERT INTO tenants (tenant_id, name, created_at, updated_at) VALUES ($1, $2, " FLEXSYNC_TIME(
        "$3") ", " FLEXSYNC_TIME("$3") ") ON CONFLICT DO NOTHING";
constexpr const char* kSelectTenant =
    "SELECT tenant_id, name, " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS(
        "updated_at") " AS updated_at FROM tenants WHERE tenant_id = $1 AND status <> 'deleted'";
constexpr const char* kInsertEnvironment =
    "INSERT INTO environments (tenant_id, environment_id, name, type, created_at, updated_at)"
    " VALUES ($1, $2, $3, $4, " FLEXSYNC_TIME("$5") ", " FLEXSYNC_TIME("$5") ") ON CONFLICT DO NOTHING";
constexpr const char* kFindEnvironment =
    "SELECT 1 FROM environments WHERE tenant_id = $1 AND environment_id = $2 AND status <> 'deleted'";
constexpr PageStatement kEnvironments{kEnvironmentColumns, "environments AS e", {"e.created_at", "e.environment_id"}};

tl::unexpected<Error> no_tenant(const TenantId& id) {
  return fail(ErrorCode::not_found,
              is_storable(id.str()) ? "there is no tenant " + id.str() : "there is no such tenant");
}

Result<Tenant> select_tenant(pqxx::transaction_base& tx, const TenantId& id) {
  const auto rows = tx.exec_params(kSelectTenant, id.str());
  if (rows.empty()) {
    return no_tenant(id);
  }
  const auto& row = rows[0];
  return Tenant{id, text_from(row["name"]), time_from(row["created_at"]), time_from(row["updated_at"])};
}

}  // namespace

StoreProvisioning::StoreProvisioning(ReadPool& pool, const SecretBox& secrets, const Clock& clock,
                                     ProvisioningHooks hooks)
    : pool_(pool), secrets_(secrets), clock_(clock), hooks_(std::move(hooks)) {}

Result<void> check_name(const std::string& field, const std::string& text) {
  if (text.empty()) {
    return fail(ErrorCode::validation_error, field + " is missing", {{field, "must not be empty"}});
  }
  if (text.size() > kNameBytesMax) {
    const auto limit = "must not be longer than " + std::to_string(kNameBytesMax) + " bytes";
    return fail(ErrorCode::validation_error, field + " " + limit, {{field, limit}});
  }
  if (!is_storable(text)) {
    return fail(ErrorCode::validation_error, field + " is not valid UTF-8 text, or contains U+0000",
                {{field, "must be valid UTF-8 without U+0000"}});
  }
  return {};
}

Result<void> require_environment(pqxx::transaction_base& tx, const Scope& scope) {
  if (!tx.exec_params(kFindEnvironment, scope.tenant.str(), scope.environment.str()).empty()) {
    return {};
  }
  return fail(ErrorCode::not_found, "tenant " + scope.tenant.str() + " has no environment " + scope.environment.str());
}

Result<Tenant> StoreProvisioning::create_tenant(const std::string& name, const Principal& by) {
  if (auto valid = check_name("name", name); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto now = clock_.now();
  const Tenant tenant{new_id<TenantId>(prefix::kTenant, now), name, now, now};
  const Scope scope{tenant.id, {}};
  return pool_.call(scope, "the tenant cannot be created", [&](pqxx::transaction_base& tx) -> Result<Tenant> {
    if (tx.exec_params(kInsertTenant, tenant.id.str(), name, to_unix_micros(now)).affected_rows() == 1) {
      write_audit(tx, {scope, "tenant", tenant.id.str(), "create"}, by, Json::object(), {{"name", name}}, now);
    }
    return tenant;
  });
}

Result<Tenant> StoreProvisioning::tenant(const TenantId& id) {
  if (!is_storable(id.str())) {
    return no_tenant(id);
  }
  return pool_.call(Scope{id, {}}, "the tenant cannot be read",
                    [&](pqxx::transaction_base& tx) { return select_tenant(tx, id); });
}

Result<Environment> StoreProvisioning::create_environment(const TenantId& tenant, const std::string& name,
                                                          const std::string& type, const Principal& by) {
  if (auto valid = check_name("name", name); !valid) {
    return tl::unexpected(valid.error());
  }
  if (type != "development" && type != "production") {
    return fail(ErrorCode::validation_error, "type must be \"development\" or \"production\"",
                {{"type", "must be development or production"}});
  }
  if (!is_storable(tenant.str())) {
    return no_tenant(tenant);
  }
  const auto now = clock_.now();
  const Environment environment{new_id<EnvironmentId>(prefix::kEnvironment, now), tenant, name, type, now, now};
  const Scope scope{tenant, environment.id};
  return pool_.call(scope, "the environment cannot be created", [&](pqxx::transaction_base& tx) -> Result<Environment> {
    if (auto found = select_tenant(tx, tenant); !found) {
      return tl::unexpected(found.error());
    }
    const auto inserted =
        tx.exec_params(kInsertEnvironment, tenant.str(), environment.id.str(), name, type, to_unix_micros(now));
    if (inserted.affected_rows() == 1) {
      write_audit(tx, {scope, "environment", environment.id.str(), "create"}, by, Json::object(),
                  {{"name", name}, {"type", type}}, now);
    }
    return environment;
  });
}

Result<Page<Environment>> StoreProvisioning::environments(const TenantId& tenant, const ListOptions& list) {
  if (!is_storable(tenant.str())) {
    return no_tenant(tenant);
  }
  Where where;
  where.add("e.status <> 'deleted'");
  where.add_times("e.created_at", list);
  return pool_.call(Scope{tenant, {}}, "environments cannot be listed",
                    [&](pqxx::transaction_base& tx) -> Result<Page<Environment>> {
                      return select_page<Environment>(tx, kEnvironments, where, list, environment_from_row);
                    });
}

}  // namespace flexsync::store
