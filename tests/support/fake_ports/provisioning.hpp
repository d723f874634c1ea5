// Tenants, environments, keys, connections.
#pragma once

#include "support/fake_ports/queries.hpp"

namespace flexsync::test {

class FakeProvisioning final : public Provisioning {
 public:
  Result<Tenant> create_tenant(const std::string& name, const Principal& by) override {
    const SyncScope sync;
    asked_by = by.label;
    return Tenant{TenantId("tenant_01"), name, kNow, kNow};
  }
  Result<Tenant> tenant(const TenantId& id) override {
    const SyncScope sync;
    if (id != kScope.tenant) {
      return fail(ErrorCode::not_found, "There is no tenant " + id.str());
    }
    return Tenant{id, "Acme", kNow, kNow};
  }
  Result<Environment> create_environment(const TenantId& tenant, const std::string& name, const std::string& type,
                                         const Principal& by) override {
    const SyncScope sync;
    asked_by = by.label;
    return Environment{EnvironmentId("env_01"), tenant, name, type, kNow, kNow};
  }
  Result<Page<Environment>> environments(const TenantId& tenant, const ListOptions& list) override {
    const SyncScope sync;
    asked_scope.tenant = tenant;
    asked_list = list;
    return Page<Environment>{{{EnvironmentId("env_01"), tenant, "Production", "production", kNow, kNow}}, 1};
  }
  Result<IssuedApiKey> create_api_key(const NewApiKey& wanted, const Principal& by) override {
    const SyncScope sync;
    asked_by = by.label;
    asked_key = wanted;
    ApiKey record;
    record.id = ApiKeyId("secret_01");
    record.scope = wanted.scope;
    record.name = wanted.name;
    record.type = wanted.type;
    record.display = "sk_01…99";
    record.expires_at = wanted.expires_at;
    record.created_at = record.updated_at = kNow;
    return IssuedApiKey{record, Secret("the-whole-key")};
  }
  Result<Page<ApiKey>> api_keys(const Scope& scope, const ListOptions& list) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_list = list;
    ApiKey record;
    record.id = ApiKeyId("secret_01");
    record.scope = scope;
    record.display = "sk_01…99";
    record.last_used_at = kNow;
    return Page<ApiKey>{{record}, 1};
  }
  Result<void> revoke_api_key(const Scope& scope, const ApiKeyId& id, const Principal& by) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    asked_by = by.label;
    return {};
  }
  Result<Connection> create_connection(Connection wanted, const StripeSecrets& secrets, const Principal& by) override {
    const SyncScope sync;
    wanted.id = ConnectionId("conn_01");
    return remember(std::move(wanted), secrets, by);
  }
  Result<Connection> update_connection(Connection wanted, const StripeSecrets& secrets, const Principal& by) override {
    const SyncScope sync;
    return remember(std::move(wanted), secrets, by);
  }
  Result<Page<Connection>> connections(const Scope& scope, const ListOptions& list) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_list = list;
    return Page<Connection>{all_connections, static_cast<std::int64_t>(all_connections.size())};
  }
  Result<Connection> connection(const Scope& scope, const ConnectionId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return FakeQueries::first(all_connections, "connection");
  }
  Result<void> delete_connection(const Scope& scope, const ConnectionId& id, const Principal& by) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    asked_by = by.label;
    return {};
  }

  std::vector<Connection> all_connections;
  std::optional<Error> connection_error;

  Scope asked_scope;
  ListOptions asked_list;
  std::string asked_id;
  std::string asked_by;
  NewApiKey asked_key;
  Connection asked_connection;
  StripeSecrets asked_secrets;

 private:
  Result<Connection> remember(Connection wanted, const StripeSecrets& secrets, const Principal& by) {
    asked_connection = wanted;
    asked_secrets = secrets;
    asked_by = by.label;
    if (connection_error) {
      return tl::unexpected(*connection_error);
    }
    wanted.created_by = by.label;
    wanted.created_at = wanted.updated_at = kNow;
    return wanted;
  }
};

}  // namespace flexsync::test
