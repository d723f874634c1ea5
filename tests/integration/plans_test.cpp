// The planner must take the index made for a look-up from the first row on, before any ANALYZE: see the end of
// migration 0001.
#include <catch2/catch.hpp>
#include <string>

#include "integration/store_world.hpp"
#include "store/outbox_statements.hpp"
#include "store/parked_statements.hpp"

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
    {"a plan's twin", "SELECT * FROM addons WHERE tenant_id = $1 AND environment_id = $2 AND plan_id = $3",
     "addons_plan"},
    {"an addon by its lookup_key",
     "SELECT * FROM addons WHERE tenant_id = $1 AND environment_id = $2 AND lookup_key = $3 AND lookup_key <> '' AND "
     "status <> 'deleted'",
     "addons_lookup_key"},
    {"the prices of a plan",
     "SELECT * FROM prices WHERE tenant_id = $1 AND environment_id = $2 AND plan_id = $3 ORDER BY created_at DESC, id "
     "DESC",
     "prices_by_plan"},
    {"a subscription by its id", "SELECT * FROM subscriptions WHERE tenant_id = $1 AND environment_id = $2 AND id = $3",
     "subscriptions_pkey"},
    {"the subscriptions of a customer",
     "SELECT * FROM subscriptions WHERE tenant_id = $1 AND environment_id = $2 AND customer_id = $3 ORDER BY "
     "created_at DESC, id DESC LIMIT 50",
     "subscriptions_by_customer"},
    {"the subscriptions to a plan",
     "SELECT * FROM subscriptions WHERE tenant_id = $1 AND environment_id = $2 AND plan_id = $3 AND "
     "subscription_status NOT IN ('inactive', 'cancelled')",
     "subscriptions_by_plan"},
    {"the newest subscriptions",
     "SELECT * FROM subscriptions WHERE tenant_id = $1 AND environment_id = $2 ORDER BY created_at DESC, id DESC "
     "LIMIT 50",
     "subscriptions_newest"},
    {"the addons of a subscription",
     "SELECT * FROM subscription_addons WHERE tenant_id = $1 AND environment_id = $2 AND subscription_id = $3",
     "subscription_addons_pkey"},
    {"the subscriptions with an addon",
     "SELECT * FROM subscription_addons WHERE tenant_id = $1 AND environment_id = $2 AND addon_id = $3",
     "subscription_addons_by_addon"},
    {"an event by its id", "SELECT * FROM inbox WHERE tenant_id = $1 AND environment_id = $2 AND event_id = $3",
     "inbox_pkey"},
    {"the events of an object",
     "SELECT * FROM inbox WHERE tenant_id = $1 AND environment_id = $2 AND object_id = $3 AND seq > 7 ORDER BY seq "
     "LIMIT 32",
     "inbox_by_object"},
    {"a usage event by its time",
     "SELECT * FROM usage_events WHERE tenant_id = $1 AND environment_id = $2 AND occurred_at = $3::timestamptz AND "
     "event_id = 'event_1'",
     "usage_events_by_time"},
    {"the newest usage events",
     "SELECT * FROM usage_events WHERE tenant_id = $1 AND environment_id = $2 ORDER BY occurred_at "
     "DESC, event_id DESC LIMIT 50",
     "usage_events_by_time"},
    {"the usage events of an hour",
     "SELECT * FROM usage_events WHERE tenant_id = $1 AND environment_id = $2 AND occurred_at >= $3::timestamptz AND "
     "occurred_at < $3::timestamptz + interval '1 hour' AND event_name = 'call' ORDER BY occurred_at",
     "usage_events_by_time"},
    {"usage events of one who is no customer yet",
     "SELECT * FROM usage_events WHERE tenant_id = $1 AND environment_id = $2 AND external_customer_id = $3 AND "
     "customer_id = ''",
     "usage_events_unattributed"},
    {"a usage event's key",
     "SELECT * FROM usage_event_keys WHERE tenant_id = $1 AND environment_id = $2 AND event_id = $3",
     "Subplans Removed: 15"},
    {"a rollup by its key",
     "SELECT * FROM usage_rollups WHERE tenant_id = $1 AND environment_id = $2 AND segment_start = 'epoch' AND "
     "customer_id = $3 AND meter_id = 'meter_1' AND segment_end = '1970-01-01 01:00Z'",
     "usage_rollups_pkey"},
    {"the rollups of a meter that are pending",
     "SELECT * FROM usage_rollups WHERE tenant_id = $1 AND environment_id = $2 AND meter_id = $3 AND pending AND "
     "segment_end <= now()",
     "usage_rollups_pending"},
    {"a carry", "SELECT * FROM usage_carries WHERE tenant_id = $1 AND environment_id = $2 AND customer_id = $3",
     "usage_carries_pkey"},
    {"the batches of a segment",
     "SELECT * FROM stripe_sync_batches WHERE tenant_id = $1 AND environment_id = $2 AND window_start = 'epoch' AND "
     "customer_id = $3 AND meter_id = 'meter_1' AND window_end = '1970-01-01 01:00Z'",
     "stripe_sync_batches_tenant_id_environment_id_window_start_c_key"},
    {"the pending batches of a customer and meter",
     "SELECT 1 FROM stripe_sync_batches WHERE tenant_id = $1 AND environment_id = $2 AND status = 'pending' AND "
     "customer_id = $3 AND meter_id = 'meter_1' AND (window_start, sequence, id) < (now(), 1, 'x')",
     "stripe_sync_batches_heads"},
    {"the newest batches",
     "SELECT * FROM stripe_sync_batches WHERE tenant_id = $1 AND environment_id = $2 ORDER BY "
     "created_at DESC, id DESC LIMIT 50",
     "stripe_sync_batches_newest"},
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
  return explained(world, "text, text, text", lookup.sql, "'tenant_1', 'env_1', '2026-11-18'");
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
  world.sql("INSERT INTO inbox_outcomes SELECT tenant_id, environment_id, seq, 'parked', '', now() FROM inbox");
  world.sql(
      "INSERT INTO parked_events (tenant_id, environment_id, seq, event_id, state, attempts, next_attempt_at, "
      "error_code, "
      "error_message, parked_at, updated_at, object_type, object_id, stripe_created, blocked_on_type, blocked_on_id) "
      "SELECT tenant_id, environment_id, seq, event_id, 'blocked', 1, now(), '', '', now(), "
      "now(), object_type, object_id, now(), 'plan', 'prod_' || seq FROM inbox");
  world.sql(
      "INSERT INTO usage_event_keys SELECT 'tenant_1', 'env_1', 'event_' || n, now(), now() "
      "FROM generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO usage_events SELECT 'epoch'::timestamptz + n * interval '1 minute', now(), 'tenant_1', 'env_1', "
      "'event_' || n, 'call', 'ext_' || n % 100, CASE WHEN n % 10 = 0 THEN '' ELSE 'cust_' || n % 100 END, '{}', '' "
      "FROM generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO usage_rollups (tenant_id, environment_id, segment_start, segment_end, customer_id, meter_id, "
      "quantity, event_count, pending) SELECT 'tenant_1', 'env_1', 'epoch'::timestamptz + n % 50 * interval '1 hour', "
      "'epoch'::timestamptz + (n % 50 + 1) * interval '1 hour', 'cust_' || n, 'meter_' || n % 3, 1, 1, n % 50 > 45 "
      "FROM generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO usage_carries SELECT 'tenant_1', 'env_1', 'cust_' || n, 'meter_1', 0 FROM generate_series(1, 5000) "
      "n");
  world.sql(
      "INSERT INTO stripe_sync_batches SELECT 'tenant_1', 'env_1', 'batch_' || n, 'cust_' || n, 'meter_1', 'cus', '', "
      "'', '', 1, 1, 0, 1, 'epoch'::timestamptz + n % 50 * interval '1 hour', 'epoch'::timestamptz + (n % 50 + 1) * "
      "interval '1 hour', 1, 'fs_' || n, now(), CASE WHEN n % 5 = 0 THEN 'pending' ELSE 'sent' END, 0, now(), '', '', "
      "NULL, NULL, now() + n * interval '1 second', now() FROM generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO plans SELECT 'tenant_1', 'env_1', 'plan_' || n, 'key_' || n, 'Pro', '', '{}', 'published', 1, "
      "now(), "
      "now(), '', '' FROM generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO addons SELECT 'tenant_1', 'env_1', 'addon_' || n, 'plan_' || n, 'key_' || n, 'Pro', '', '{}', "
      "'published', 1, now(), now(), '', '' FROM generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO prices SELECT 'tenant_1', 'env_1', 'price_' || n, 'plan_' || n, 'usd', 1, 'MONTHLY', 1, false, '', "
      "'[]', NULL, '', '{}', 'published', 1, now(), now() FROM generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO subscriptions SELECT 'tenant_1', 'env_1', 'subs_' || n, 'cust_' || n, 'plan_' || n % 50 + 1, "
      "'active', 'usd', 'MONTHLY', 1, 'si_1', 'price_1', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
      "false, false, '', '{}', '[]', 'published', 1, now() + n * interval '1 second', now(), '', '' FROM "
      "generate_series(1, 5000) n");
  world.sql(
      "INSERT INTO subscription_addons SELECT 'tenant_1', 'env_1', 'subs_' || n, 'si_2', 'addon_' || n % 50 + 1, "
      "'price_1', 1, now() FROM generate_series(1, 5000) n");
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

TEST_CASE("what waits is found by its object and by its parent, however much waits", "[plans]") {
  StoreWorld world;
  fill(world);
  for (const bool analyzed : {false, true}) {
    if (analyzed) {
      world.sql("ANALYZE");
    }
    const auto superseded =
        explained(world, "text[], text[], text[], text[], bigint[], text[], bigint[]", flexsync::store::kSupersede,
                  "'{tenant_1}', '{env_1}', '{customer}', '{cus_1}', '{1}', '{why}', '{1}'");
    const auto woken = explained(world, "text[], text[], text[], text[], bigint[]", flexsync::store::kWakeBlocked,
                                 "'{tenant_1}', '{env_1}', '{plan}', '{prod_1}', '{1}'");
    INFO(superseded << woken);
    for (const std::string index : {"parked_events_by_object", "parked_events_pkey", "inbox_outcomes_pkey"}) {
      CHECK(superseded.find(index) != std::string::npos);
    }
    CHECK(woken.find("parked_events_blocked_on") != std::string::npos);
    for (const std::string whole : {"Seq Scan", "Hash"}) {
      CHECK((superseded + woken).find(whole) == std::string::npos);
    }
  }
}
