// Lists of the inbox begin at an index whatever they are filtered by, and stop when the page is full: before the first
// ANALYZE and after it.
#include <catch2/catch.hpp>
#include <string>

#include "integration/store_world.hpp"
#include "store/queries_inbox_pages.hpp"

using namespace flexsync;
using flexsync::store::Beginning;
using flexsync::store::InboxPages;
using flexsync::testing::StoreWorld;

namespace {

struct List {
  std::string what;
  WebhookEventFilter filter;
  std::string index;
  Beginning beginning = {};
};

WebhookEventFilter with(const std::string& state, std::vector<std::string> types = {}, const std::string& object = "") {
  WebhookEventFilter filter;
  filter.state = state;
  filter.types = std::move(types);
  filter.object_id = object;
  return filter;
}

WebhookEventFilter of_a_day() {
  WebhookEventFilter filter;
  filter.list.start_time = from_unix_seconds(1'795'000'000);
  filter.list.end_time = from_unix_seconds(1'795'086'400);
  filter.created_from = filter.list.start_time;
  return filter;
}

const std::vector<List> kLists = {
    {"the newest", with(""), "inbox_by_seq"},
    {"those of a day", of_a_day(), "inbox_by_seq", {100, 10'000, false}},
    {"those of a type", with("", {"type_7"}), "inbox_by_type"},
    {"those of several types", with("", {"type_7", "type_8"}), "inbox_by_type"},
    {"those of an object", with("", {}, "cus_7"), "inbox_by_object"},
    {"those of an object, applied", with("applied", {"type_7"}, "cus_7"), "inbox_by_object"},
    {"what is applied", with("applied"), "inbox_by_seq"},
    {"what is superseded", with("superseded"), "inbox_outcomes_by_outcome"},
    {"what is ignored", with("ignored"), "inbox_ignored"},
    {"what is deferred, of a type", with("deferred", {"type_7"}), "inbox_outcomes_by_outcome"},
    {"what is applied, of a type", with("applied", {"type_7"}), "inbox_by_type"},
    {"what is deferred, of a rare type", with("deferred", {"type_7"}), "inbox_by_type", {{}, {}, true}},
    {"what is pending", with("pending"), "inbox_by_seq", {19'000, {}, false}},
};

// The plan that a session of the server takes: for values it does not know, in the tenant's scope.
std::string plan_of(StoreWorld& world, const std::string& sql, const std::vector<std::string>& values) {
  std::string list;
  for (const auto& value : values) {
    list += (list.empty() ? "('" : ", '") + value + "'";
  }
  std::string plan;
  for (const auto& row :
       world.sql("SELECT set_config('flexsync.tenant_id', 'tenant_1', true), set_config('flexsync.environment_id',"
                 " 'env_1', true); SET LOCAL plan_cache_mode = force_generic_plan; PREPARE list AS " +
                 sql + "; SET LOCAL ROLE flexsync_app; EXPLAIN EXECUTE list" + (list.empty() ? "" : list + ")"))) {
    plan += std::string(row[0].c_str()) + "\n";
  }
  return plan;
}

void fill(StoreWorld& world) {
  world.sql("INSERT INTO tenants VALUES ('tenant_1', 'Acme', 'published', now(), now())");
  world.sql("INSERT INTO environments VALUES ('tenant_1', 'env_1', 'live', 'production', 'published', now(), now())");
  world.sql(
      "INSERT INTO inbox (tenant_id, environment_id, event_id, event_type, object_type, object_id, api_version,"
      " stripe_created, received_at, request_id, ignored_reason, payload_bytes, payload) SELECT 'tenant_1', 'env_1',"
      " 'evt_' || n, 'type_' || n % 40, 'customer', 'cus_' || n % 5000, '', to_timestamp(1795000000 + n),"
      " to_timestamp(1795000000 + n), '', CASE WHEN n % 100 = 0 THEN 'ignored' ELSE '' END, 2, '{}'"
      " FROM generate_series(1, 20000) n");
  world.sql(
      "INSERT INTO inbox_outcomes SELECT 'tenant_1', 'env_1', seq,"
      " coalesce((ARRAY['superseded', 'unchanged', 'ignored', 'deferred', 'discarded', 'parked'])[seq % 50],"
      " 'applied'), '', now() FROM inbox WHERE ignored_reason = '' AND seq % 1000 <> 999");
  world.sql(
      "INSERT INTO parked_events SELECT 'tenant_1', 'env_1', o.seq, i.event_id, 'dead', 1, now(), '', '', now(), now()"
      " FROM inbox_outcomes o JOIN inbox i USING (tenant_id, environment_id, seq) WHERE outcome = 'parked'");
  world.sql(
      "INSERT INTO audit_log (tenant_id, environment_id, entity_type, entity_id, action, actor, before, after,"
      " request_id, at) SELECT 'tenant_1', 'env_1', 'customer', 'cust_1', 'update', 'stripe:evt_' || n, '{}', '{}', '',"
      " now() FROM generate_series(1, 20000) n");
}

}  // namespace

// Before a tenant is in the statistics it counts for next to nothing, and any index of its rows will do.
TEST_CASE("every list of the inbox begins at its index and reads no more than its page", "[plans]") {
  StoreWorld world;
  fill(world);
  for (const bool analyzed : {false, true}) {
    if (analyzed) {
      world.sql("ANALYZE");
    }
    for (const auto& list : kLists) {
      const InboxPages pages(list.filter, list.beginning);
      for (const auto& sql : {pages.page_sql(), pages.count_sql()}) {
        const auto plan = plan_of(world, sql, pages.values());
        INFO(list.what << (analyzed ? ", analyzed" : "") << ":\n" << sql << "\n" << plan);
        CHECK((!analyzed || plan.find(list.index) != std::string::npos));
        CHECK(plan.find("Limit") != std::string::npos);
        for (const std::string whole : {"Seq Scan on inbox", "Hash", "Merge Join"}) {
          CHECK(plan.find(whole) == std::string::npos);
        }
      }
    }
  }
}

TEST_CASE("what an event changed is found by the event", "[plans]") {
  StoreWorld world;
  fill(world);
  world.sql("ANALYZE");
  const auto plan = plan_of(world, "SELECT * FROM audit_log WHERE actor = $1 AND actor LIKE 'stripe:%' ORDER BY seq",
                            {"stripe:evt_1"});
  INFO(plan);
  CHECK(plan.find("audit_log_by_event") != std::string::npos);
}

TEST_CASE("a moment's place in the inbox is found by halving", "[plans]") {
  StoreWorld world;
  fill(world);
  world.sql("DELETE FROM parked_events; DELETE FROM inbox WHERE seq BETWEEN 5000 AND 9000");
  const auto place = [&](int second) {
    return world.value("SELECT inbox_seq_at(to_timestamp(1795000000 + " + std::to_string(second) + "))");
  };
  const auto first = world.value("SELECT min(seq) FROM inbox");
  CHECK(place(0) == first);
  CHECK(place(100) == std::to_string(99 + std::stoi(first)));
  CHECK(place(9000) == place(7000));  // between those that are there
  CHECK(std::stoi(place(20'000)) <= 19'999 + std::stoi(first));
  CHECK(std::stoi(place(20'001)) == 20'000 + std::stoi(first));
  world.sql("DELETE FROM inbox");
  CHECK(place(1) == "0");
}
