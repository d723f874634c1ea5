// Tenants, environments, API keys and connections, behind the port of the same name.
#pragma once

#include <functional>

#include "domain/clock.hpp"
#include "domain/ports.hpp"
#include "store/read_pool.hpp"
#include "store/secret_box.hpp"

namespace flexsync::store {

// Who keeps a copy of what was changed; called after the commit.
struct ProvisioningHooks {
  std::function<void(const ApiKeyId&)> key_revoked = [](const ApiKeyId&) {};
  std::function<void(const Scope&)> connection_changed = [](const Scope&) {};
};

class StoreProvisioning final : public Provisioning {
 public:
  StoreProvisioning(ReadPool& pool, const SecretBox& secrets, const Clock& clock, ProvisioningHooks hooks = {});

  // provisioning_tenants.cpp
  Result<Tenant> create_tenant(const std::string& name, const Principal& by) override;
  Result<Tenant> tenant(const TenantId& id) override;
  Result<Environment> create_environment(const TenantId& tenant, const std::string& name, const std::string& type,
                                         const Principal& by) override;
  Result<Page<Environment>> environments(const TenantId& tenant, const ListOptions& list) override;

  // provisioning_api_keys.cpp
  Result<IssuedApiKey> create_api_key(const NewApiKey& wanted, const Principal& by) override;
  Result<Page<ApiKey>> api_keys(const Scope& scope, const ListOptions& list) override;
  Result<void> revoke_api_key(const Scope& scope, const ApiKeyId& id, const Principal& by) override;

  // provisioning_connections.cpp
  Result<Connection> create_connection(Connection wanted, const StripeSecrets& secrets, const Principal& by) override;
  Result<Connection> update_connection(Connection wanted, const StripeSecrets& secrets, const Principal& by) override;
  Result<Page<Connection>> connections(const Scope& scope, const ListOptions& list) override;
  Result<Connection> connection(const Scope& scope, const ConnectionId& id) override;
  Result<void> delete_connection(const Scope& scope, const ConnectionId& id, const Principal& by) override;

 private:
  ReadPool& pool_;
  const SecretBox& secrets_;
  const Clock& clock_;
  ProvisioningHooks hooks_;
};

// What every write checks first.
inline constexpr std::size_t kNameBytesMax = 255;

// validation_error when the text is empty, too long or nothing that can be stored.
Result<void> check_name(const std::string& field, const std::string& text);

// not_found when the scope has no such environment: clearer than a broken foreign key.
Result<void> require_environment(pqxx::transaction_base& tx, const Scope& scope);

}  // namespace flexsync::store
