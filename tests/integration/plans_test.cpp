// The planner must take the index made for a look-up from the first row on, before any ANALYZE: see the end of
// migration 0001.
#include <catch2/catch.hpp>
#include <string>

#include "integration/store_world.hpp"
#include "store/outbox_statements.hpp"

using flexsync::testing::StoreWorld;

namespace {

struct Lookup {
  std::string what;
  std::string sql;
  std::string index;
};

const std::vector<Lookup> kLookups = {
    {"a customer by its id", "SELECT * FROM customers WHERE tenant_id = $1 AND environment_id = $2 AND id = $3",
     "customers_pkey"},
    {"a customer by its external_id",
     "SELECT * FROM customers WHERE tenant_id = $1 AND environment_id = $2 AND external_id = $3 AND status <> "
     "'deleted'",
     "customers_external_id"},
    {"a mapping by its entity",
     "SELECT * FROM entity_integration_mappings WHERE tenant_id = $1 AND environment_id = $2 AND entity_type = "
     "'customer' AND entity_id = $3 AND provider_type = 'stripe' AND status = 'published'",
     "mappings_by_entity"},
    {"a mapping by its Stripe id",
     "SELECT * FROM entity_integration_mappings WHERE tenant_id = $1 AND environment_id = $2 AND entity_type = "
     "'customer' AND provider_entity_id = $3 AND provider_type = 'stripe' AND status = 'published'",
     "mappings_by_provider"},
    {"an event by its id", "SELECT * FROM inbox WHERE tenant_id = $1 AND environment_id = $2 AND event_id = $3",
     "inbox_pkey"},
    {"the events of an object",
     "SELECT * FROM inbox WHERE tenant_id = $1 AND environment_id = $2 AND object_id = $3 AND seq > 7 ORDER BY seq "
     "LIMIT 32",
     "inbox_by_object"},
    {"an intent by its seq",
     "SELECT * FROM outbox WHERE tenant_id = $1 AND environment_id = $2 AND seq = length($3) AND state = 'ready'",
     "outbox_pkey"},
    {"the intents of an entity that are open",
     "SELECT * FROM outbox WHERE tenant_id = $1 AND environment_id = $2 AND entity_type = 'customer' AND entity_id = "
     "$3 "
     "AND state = 'ready' ORDER BY seq",
     "outbox_heads"},
    {"all intents of an entity",
     "SELECT * FROM outbox WHERE tenant_id = $1 AND environment_id = $2 AND entity_id = $3 ORDER BY seq DESC LIMIT 50",
     "outbox_by_entity"},
    {"what Stripe has refused",
     "SELECT * FROM outbox WHERE tenant_id = $1 AND environment_id = $2 AND length($3) = 1 AND state = 'refused' "
     "ORDER BY seq DESC LIMIT 50",
     "outbox_refused"},
    {"the newest intents",
     "SELECT * FROM outbox WHERE tenant_id = $1 AND environment_id = $2 AND length($3) = 1 ORDER BY seq DESC LIMIT "
     "50",
     "outbox_pkey"},
};

std::string explained(StoreWorld& world, const std::string& types, const std::string& sql, const std::string& values) {
  std::string plan;
  for (const auto& row : world.sql("SET plan_cache_mode = force_generic_plan; PREPARE lookup (" + types + ") AS " +
                                   sql + "; SET LOCAL ROLE flexsync_app; EXPLAIN EXECUTE lookup (" + values + ")")) {
    plan += std::string(row[0].c_str()) + "\n";
  }
  return plan;
}

std::string plan_of(StoreWorld& world, const Lookup& lookup) {
  return explained(world, "text, text, text", lookup.sql, "'tenant_1', 'env_1', 'x'");
}

void fill(StoreWorld& world) {
  world.sql("INSERT INTO tenants VALUES ('tenant_1', 'Acme', 'published', now(), now())");
  world.sql("INSERT INTO environments VALUES ('tenant_1', 'env_1', 'live', 'production', 'published', now(), now())");
  world.sql(
      "INSERT INTO customers SELECT 'tenant_1', 'env_1', 'cust_' || n, 'ext_' || n, 'Ada', '', '', '', '', '', "
      "'', '', '', '{}', 'published', 1, now(), now(), '', '' FROM generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO entity_integration_mappings SELECT 'tenant_1', 'env_1', 'eim_' || n, 'customer', 'cust_' || "
      "n, 'stripe', 'cus_' || n, '{}', 'published', now(), now() FROM generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO inbox (tenant_id, environment_id, event_id, event_type, object_type, object_id, api_version, "
      "stripe_created, received_at, request_id, payload_bytes, payload) SELECT 'tenant_1', 'env_1', 'evt_' || n, "
      "'customer.updated', 'customer', 'cus_' || n, '', now(), now(), '', 2, '{}' "
      "FROM generate_series(1, 5000) n");
  // Ten thousand intents to be sent, of five thousand customers, and what was sent before.
  world.sql(
      "INSERT INTO outbox SELECT 'tenant_1', 'env_1', n, 'intent_' || n, 'customer', 'cust_' || (n % 5000), "
      "'update_customer', 'name=x', 'key_' || n, '{name}', CASE WHEN n > 5000 THEN 'ready' ELSE 'settled' END, 0, "
      "now(), false, '', '', '', now(), now(), NULL FROM generate_series(1, 15000) n");
}

}  // namespace

TEST_CASE("every look-up uses its own index before the first ANALYZE", "[plans]") {
  StoreWorld world;
  fill(world);
  for (const auto& lookup : kLookups) {
    const auto plan = plan_of(world, lookup);
    INFO(lookup.what << ":\n" << plan);
    CHECK(plan.find(lookup.index) != std::string::npos);
  }
}

TEST_CASE("a page of the outbox is read by index, one row after the other until it is full", "[plans]") {
  StoreWorld world;
  fill(world);
  for (const bool analyzed : {false, true}) {
    if (analyzed) {
      world.sql("ANALYZE");
    }
    const auto page = explained(world, "text, text, bigint, text[], bigint", flexsync::store::ready_intents_sql(),
                                "'tenant_1', 'env_1', 1795000000000000, '{cust_1}', 64");
    INFO(page);
    for (const std::string index : {"outbox_due", "outbox_heads", "mappings_by_entity"}) {
      CHECK(page.find(index) != std::string::npos);
    }
    for (const std::string whole : {"Sort", "Seq Scan", "Bitmap", "Hash"}) {
      CHECK(page.find(whole) == std::string::npos);
    }
    const auto next = explained(world, "text, text, bigint", flexsync::store::kNextDue, "'tenant_1', 'env_1', 1");
    INFO(next);
    CHECK(next.find("outbox_due") != std::string::npos);
    CHECK(next.find("Limit") != std::string::npos);  // the first entry alone
  }
}
