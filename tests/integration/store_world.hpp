// What a store test stands on: a migrated database of its own, a clock that stands still, the pool and the services.
#pragma once

#include <pqxx/pqxx>
#include <string>

#include "domain/clock.hpp"
#include "store/provisioning.hpp"
#include "store/read_pool.hpp"
#include "store/secret_box.hpp"
#include "support/postgres_fixture.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::testing {

inline const Timestamp kStart = from_unix_micros(1'795'000'000'123'457);  // 2026-11-18, with microseconds

TestDatabase migrated_database();
store::SecretBox secret_box_with(const std::string& key_id);

struct StoreWorld {
  StoreWorld();

  // A tenant with one environment, through provisioning.
  Scope new_scope(const std::string& name = "Acme");
  EnvironmentId new_environment(const TenantId& tenant, const std::string& name = "Sandbox");

  // As the superuser, who sees every tenant.
  pqxx::result sql(const std::string& statement);
  std::string value(const std::string& statement);  // of its only field
  pqxx::result audit(const std::string& entity_type, const std::string& entity_id);

  // An inbox row; `seq` is what it gets.
  std::int64_t store_event(const Scope& scope, const std::string& id, const std::string& type = "customer.updated",
                           const std::string& object_id = "cus_1", const std::string& ignored = "");
  void settle(const Scope& scope, std::int64_t seq, const std::string& outcome, const std::string& reason = "");
  void park(const Scope& scope, std::int64_t seq, const std::string& event_id, const std::string& state,
            Timestamp since = kStart);

  TestDatabase database;
  ManualClock clock{kStart};
  Metrics metrics;
  store::SecretBox secrets;
  store::ReadPool pool;
  store::StoreProvisioning provisioning;
  Principal admin{Principal::Kind::admin, {}, {}, "admin"};
};

}  // namespace flexsync::testing
