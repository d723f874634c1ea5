#include "integration/store_world.hpp"

#include <catch2/catch.hpp>

#include "store/migrations.hpp"
#include "store/rows.hpp"

namespace flexsync::testing {

TestDatabase migrated_database() {
  return PostgresFixture::instance().fresh_database("store_world", [](const std::string& url) {
    if (auto migrated = store::migrate(url); !migrated) {
      throw std::runtime_error(migrated.error().message);
    }
  });
}

store::SecretBox secret_box_with(const std::string& key_id) {
  return store::SecretBox(store::KeyRing::parse(store::new_master_key(key_id)).value());
}

StoreWorld::StoreWorld()
    : database(migrated_database()),
      secrets(secret_box_with("k1")),
      pool({.url = database.url()}, metrics),
      provisioning(pool, secrets, clock) {}

Scope StoreWorld::new_scope(const std::string& name) {
  const auto tenant = provisioning.create_tenant(name, admin);
  REQUIRE(tenant);
  return {tenant->id, new_environment(tenant->id)};
}

EnvironmentId StoreWorld::new_environment(const TenantId& tenant, const std::string& name) {
  const auto environment = provisioning.create_environment(tenant, name, "development", admin);
  REQUIRE(environment);
  return environment->id;
}

pqxx::result StoreWorld::sql(const std::string& statement) {
  pqxx::connection superuser(database.url());  // anew each time: tests stop PostgreSQL in between
  pqxx::work tx(superuser);
  auto result = tx.exec(statement);
  tx.commit();
  return result;
}

std::string StoreWorld::value(const std::string& statement) {
  const auto result = sql(statement);
  return result.at(0).at(0).c_str();
}

pqxx::result StoreWorld::audit(const std::string& entity_type, const std::string& entity_id) {
  return sql("SELECT * FROM audit_log WHERE entity_type = '" + entity_type + "' AND entity_id = '" + entity_id +
             "' ORDER BY seq");
}

std::int64_t StoreWorld::store_event(const Scope& scope, const std::string& id, const std::string& type,
                                     const std::string& object_id, const std::string& ignored) {
  pqxx::connection superuser(database.url());
  pqxx::work tx(superuser);
  const auto row = tx.exec_params1(
      "INSERT INTO inbox (tenant_id, environment_id, event_id, event_type, object_type, object_id, api_version,"
      " stripe_created, received_at, request_id, ignored_reason, payload_bytes, payload)"
      " VALUES ($1, $2, $3, $4, CASE WHEN $4 LIKE 'customer.subscription.%' THEN 'subscription'"
      " WHEN $4 LIKE 'price.%' OR $4 LIKE 'plan.%' THEN 'product' ELSE split_part($4, '.', 1) END, $5, "
      "'2026-10-28', " FLEXSYNC_TIME("$6") " - interval '1 s', " FLEXSYNC_TIME(
          "$6") ", 'req_1', $7, 5, '\\x007b227d0a') RETURNING seq",
      scope.tenant.str(), scope.environment.str(), id, type, object_id, to_unix_micros(clock.now()), ignored);
  tx.commit();
  return row[0].as<std::int64_t>();
}

void StoreWorld::settle(const Scope& scope, std::int64_t seq, const std::string& outcome, const std::string& reason) {
  pqxx::connection superuser(database.url());
  pqxx::work tx(superuser);
  tx.exec_params("INSERT INTO inbox_outcomes VALUES ($1, $2, $3, $4, $5, " FLEXSYNC_TIME("$6") ")", scope.tenant.str(),
                 scope.environment.str(), seq, outcome, reason, to_unix_micros(kStart));
  tx.commit();
}

void StoreWorld::park(const Scope& scope, std::int64_t seq, const std::string& event_id, const std::string& state,
                      Timestamp since) {
  settle(scope, seq, "parked");
  pqxx::connection superuser(database.url());
  pqxx::work tx(superuser);
  tx.exec_params("INSERT INTO parked_events VALUES ($1, $2, $3, $4, $5, 8, " FLEXSYNC_TIME("$6") ","
                 " 'conflict', 'two of them', " FLEXSYNC_TIME("$6") ", " FLEXSYNC_TIME("$6") ")",
                 scope.tenant.str(), scope.environment.str(), seq, event_id, state, to_unix_micros(since));
  tx.commit();
}

}  // namespace flexsync::testing
