#include "store/inbox_source.hpp"

#include <catch2/catch.hpp>
#include <future>

#include "integration/store_world.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::store::InboxRow;
using flexsync::store::PageRequest;
using flexsync::testing::kStart;
using flexsync::testing::StoreWorld;

namespace {

struct World : StoreWorld {
  std::vector<InboxRow> page(PageRequest request) {
    std::promise<Result<std::vector<InboxRow>>> promise;
    source.read_page(scope, std::move(request), [&](auto rows) { promise.set_value(std::move(rows)); });
    auto rows = promise.get_future().get();
    REQUIRE(rows);
    return std::move(*rows);
  }

  std::vector<std::string> ids(PageRequest request = {}) {
    std::vector<std::string> found;
    for (const auto& row : page(std::move(request))) {
      found.push_back(row.event_id.str());
    }
    return found;
  }

  std::vector<InboxRow> due(Timestamp now) {
    std::promise<Result<std::vector<InboxRow>>> promise;
    source.read_due(scope, now, 10, [&](auto rows) { promise.set_value(std::move(rows)); });
    return *promise.get_future().get();
  }

  store::Ownership own() {
    std::promise<store::Ownership> promise;
    source.take_ownership(scope, [&](auto owned) { promise.set_value(*owned); });
    return promise.get_future().get();
  }

  std::vector<Scope> with_work() {
    std::promise<std::vector<Scope>> promise;
    source.tenants_with_work(clock.now(), Timestamp{}, [&](auto scopes) { promise.set_value(*scopes); });
    return promise.get_future().get();
  }

  store::StoreInboxSource source{pool};
  Scope scope = new_scope();
};

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a page holds what is not settled, in order, of this tenant only", "[inbox_source]") {
  World world;
  const auto first = world.store_event(world.scope, "evt_1");
  const auto second = world.store_event(world.scope, "evt_2");
  world.store_event(world.new_scope("Stranger"), "evt_3");
  world.store_event(world.scope, "evt_4", "customer.updated", "cus_1", "livemode differs");
  world.store_event(world.scope, "evt_5", "customer.updated", "cus_2");
  CHECK(world.ids() == Ids{"evt_1", "evt_2", "evt_5"});
  world.settle(world.scope, first, "applied");
  CHECK(world.ids() == Ids{"evt_2", "evt_5"});
  PageRequest request;
  request.after = second;
  CHECK(world.ids(request) == Ids{"evt_5"});
  request = {};
  request.busy_objects = {"cus_1"};
  CHECK(world.ids(request) == Ids{"evt_5"});
  request = {};
  request.object_id = "cus_1";
  CHECK(world.ids(request) == Ids{"evt_2"});
  request = {};
  request.rows_max = 1;
  CHECK(world.ids(request) == Ids{"evt_2"});
}

TEST_CASE("a page is bounded by bytes, and never empty for them", "[inbox_source]") {
  World world;
  for (int i = 0; i < 5; ++i) {
    world.store_event(world.scope, "evt_" + std::to_string(i));
  }
  PageRequest request;
  request.bytes_max = 1;
  CHECK(world.ids(request) == Ids{"evt_0"});
}

TEST_CASE("a row names the entity by its live mapping, else by the shadow", "[inbox_source]") {
  World world;
  world.store_event(world.scope, "evt_1");
  CHECK(world.page({}).front().entity_id.empty());
  const auto key = "'" + world.scope.tenant.str() + "', '" + world.scope.environment.str() + "', ";
  world.sql("INSERT INTO stripe_objects VALUES (" + key +
            "'customer', 'cus_1', 'cust_shadow', '{}', now(), now(), true, false, 1)");
  CHECK(world.page({}).front().entity_id == "cust_shadow");
  world.sql("INSERT INTO entity_integration_mappings VALUES (" + key +
            "'eim_1', 'customer', 'cust_mapped', 'stripe', 'cus_1', '{}', 'published', now(), now())");
  CHECK(world.page({}).front().entity_id == "cust_mapped");
}

TEST_CASE("objects are found by live mapping, else by shadow; a product is a plan", "[inbox_source]") {
  World world;
  const auto key = "'" + world.scope.tenant.str() + "', '" + world.scope.environment.str() + "', ";
  const auto map = [&](const std::string& type, const std::string& entity, const std::string& object) {
    world.sql("INSERT INTO entity_integration_mappings VALUES (" + key + "'eim_" + entity + "', '" + type + "', '" +
              entity + "', 'stripe', '" + object + "', '{}', 'published', now(), now())");
  };
  map("plan", "plan_1", "prod_1");
  map("addon", "addon_1", "prod_1");
  map("plan", "plan_2", "price_2");
  map("customer", "cust_1", "cus_1");
  world.sql("INSERT INTO stripe_objects VALUES (" + key +
            "'subscription', 'sub_1', 'subs_1', '{}', now(), now(), false, false, 1), (" + key +
            "'customer', 'cus_1', 'cust_other', '{}', now(), now(), false, false, 1)");
  const auto object = [](const std::string& type, const std::string& id) { return ObjectKey{type, StripeId{id}}; };
  const std::vector<ObjectKey> asked = {object("product", "prod_1"), object("price", "price_2"),
                                        object("customer", "cus_1"), object("subscription", "sub_1"),
                                        object("customer", "sub_1"), object("product", "prod_{\"9,")};
  std::promise<store::FoundEntities> promise;
  world.source.find_entities(world.scope, {asked, {}, {}, {}}, [&](auto found) { promise.set_value(*found); });
  CHECK(promise.get_future().get().objects ==
        std::map<ObjectKey, std::string>{
            {asked[0], "plan_1"}, {asked[1], "plan_2"}, {asked[2], "cust_1"}, {asked[3], "subs_1"}});
  world.store_event(world.scope, "evt_1", "product.updated", "prod_1");
  CHECK(world.page({}).front().entity_id == "plan_1");
}

TEST_CASE("a price's product is the one that was heard of last, also of a price that is gone", "[inbox_source]") {
  World world;
  const auto put = [&](const std::string& type, const std::string& id, const std::string& state, bool deleted) {
    world.sql("INSERT INTO stripe_objects VALUES ('" + world.scope.tenant.str() + "', '" +
              world.scope.environment.str() + "', '" + type + "', '" + id + "', 'plan_1', '" + state +
              "', now(), now(), " + (deleted ? "true" : "false") + ", false, 1)");
  };
  put("price", "price_1", R"({"id":"price_1","product":"prod_1"})", false);
  put("price", "price_gone", R"({"id":"price_gone","deleted":true,"product":"prod_2"})", true);
  put("price", "price_shell", "", false);
  put("price", "price_bare", R"({"id":"price_bare"})", false);
  world.sql("UPDATE stripe_objects SET entity_id = 'plan_2' WHERE stripe_id = 'price_bare'");
  put("product", "prod_1", R"({"id":"prod_1","product":"no price"})", false);
  const auto ids = [](std::vector<std::string> names) { return std::vector<StripeId>(names.begin(), names.end()); };
  std::promise<store::FoundEntities> promise;
  world.source.find_entities(
      world.scope, {{}, {}, ids({"price_1", "price_gone", "price_shell", "price_bare", "prod_1", "price_{\"9,"}), {}},
      [&](auto found) { promise.set_value(*found); });
  CHECK(promise.get_future().get().products ==
        std::map<StripeId, StripeId>{{StripeId("price_1"), StripeId("prod_1")},
                                     {StripeId("price_gone"), StripeId("prod_2")},
                                     {StripeId("price_shell"), StripeId("prod_1")}});
}

TEST_CASE("by e-mail a customer is found that is live and not in Stripe yet", "[inbox_source]") {
  World world;
  const auto key = "'" + world.scope.tenant.str() + "', '" + world.scope.environment.str() + "', ";
  const auto put = [&](const std::string& id, const std::string& email, const std::string& status = "published") {
    world.sql("INSERT INTO customers VALUES (" + key + "'" + id + "', 'ext_" + id + "', '', '" + email +
              "', '', '', '', '', '', '', '', '{}', '" + status + "', 1, now(), now(), 'admin', 'admin')");
  };
  put("cust_1", "one@example.com");
  put("cust_gone", "one@example.com", "deleted");
  put("cust_2", "mapped@example.com");
  put("cust_3", "ended@example.com");
  put("cust_7", "ended@example.com", "archived");
  put("cust_8", "leaving@example.com");
  world.sql(
      "INSERT INTO outbox (tenant_id, environment_id, id, entity_type, entity_id, operation, body, "
      "idempotency_key, fields, state, attempts, next_attempt_at, look_first, error_code, error_message, "
      "request_id, keyed_at, created_at) VALUES (" +
      key +
      "'intent_1', 'customer', 'cust_8', 'create_customer', '', 'key_1', '{}', 'ready', 0, now(), false, '', "
      "'', '', now(), now())");
  put("cust_4", "many@example.com");
  put("cust_5", "many@example.com");
  put("cust_6", "many@example.com");
  for (const std::string state : {"2', 'stripe', 'cus_2', '{}', 'published", "3', 'stripe', 'cus_3', '{}', 'deleted"}) {
    world.sql("INSERT INTO entity_integration_mappings VALUES (" + key + "'eim_" + state.substr(0, 1) +
              "', 'customer', 'cust_" + state + "', now(), now())");
  }
  std::promise<store::FoundEntities> promise;
  world.source.find_entities(world.scope,
                             {{},
                              {},
                              {},
                              {"one@example.com", "one@example.com", "ONE@example.com", "mapped@example.com",
                               "ended@example.com", "many@example.com", "leaving@example.com"}},
                             [&](auto found) { promise.set_value(*found); });
  CHECK(promise.get_future().get().unmapped ==
        std::map<std::string, std::vector<std::string>>{{"one@example.com", {"cust_1"}},
                                                        {"ended@example.com", {"cust_3"}},
                                                        {"many@example.com", {"cust_4", "cust_5"}}});
}

TEST_CASE("parked events come when they are due, with their attempts; dead ones do not", "[inbox_source]") {
  World world;
  for (const std::string state : {"retrying", "redriven", "blocked", "dead"}) {
    const auto seq = world.store_event(world.scope, "evt_" + state);
    world.park(world.scope, seq, "evt_" + state, state, kStart);
  }
  CHECK(world.due(kStart - 1s).empty());
  const auto rows = world.due(kStart + 1s);
  REQUIRE(rows.size() == 3);
  for (const auto& row : rows) {
    CHECK(row.was_parked);
    CHECK(row.event_id.str() != "evt_dead");
  }
}

TEST_CASE("a claim finds a customer by its id, deleted or not, else a live one by its external_id", "[inbox_source]") {
  World world;
  for (const std::string status : {"published", "deleted"}) {
    world.sql("INSERT INTO customers VALUES ('" + world.scope.tenant.str() + "', '" + world.scope.environment.str() +
              "', 'cust_" + status + "', 'ext_" + status + "', '', '', '', '', '', '', '', '', '', '{}', '" + status +
              "', 1, now(), now(), 'admin', 'admin')");
  }
  std::promise<store::FoundEntities> promise;
  world.source.find_entities(world.scope,
                             {{}, {"cust_published", "cust_deleted", "ext_published", "ext_deleted", "other"}, {}, {}},
                             [&](auto found) { promise.set_value(*found); });
  CHECK(promise.get_future().get().claims == std::map<std::string, std::string>{
                                                 {"cust_published", "cust_published"},
                                                 {"cust_deleted", "cust_deleted"},
                                                 {"ext_published", "cust_published"},
                                             });
}

TEST_CASE("ownership raises the epoch and tells where to begin", "[inbox_source]") {
  World world;
  CHECK(world.own().epoch == 1);
  {
    store::ReadPool one_thread({.url = world.database.url(), .threads = 1}, world.metrics);  // so that 41 comes first
    store::StoreInboxSource source(one_thread);
    source.save_watermark(world.scope, 41);
    source.save_watermark(world.scope, 7);  // never back
  }
  const auto owned = world.own();
  CHECK(owned.epoch == 2);
  CHECK(owned.watermark == 41);
}

TEST_CASE("tenants with work are those with unsettled or due events", "[inbox_source]") {
  World world;
  CHECK(world.with_work().empty());
  const auto seq = world.store_event(world.scope, "evt_1");
  CHECK(world.with_work() == std::vector<Scope>{world.scope});
  world.park(world.scope, seq, "evt_1", "retrying", kStart + 1h);
  CHECK(world.with_work().empty());
  world.clock.advance(1h);
  CHECK(world.with_work() == std::vector<Scope>{world.scope});
}

TEST_CASE("tenants with work are also those with something to send", "[inbox_source]") {
  World world;
  const auto add = [&](const std::string& n, const std::string& state, const std::string& minutes) {
    world.sql("INSERT INTO outbox SELECT '" + world.scope.tenant.str() + "', '" + world.scope.environment.str() +
              "', " + n + ", 'intent_" + n + "', 'customer', 'cust_1', 'update_customer', '', 'key_" + n +
              "', '{}', '" + state + "', 0, 'epoch'::timestamptz + " + std::to_string(to_unix_micros(kStart)) +
              " * interval '1 microsecond' + interval '" + minutes +
              " minutes', false, '', '', '', now(), now(), NULL");
  };
  add("1", "refused", "-5");
  add("2", "ready", "5");
  CHECK(world.with_work().empty());
  world.clock.advance(5min);
  CHECK(world.with_work() == std::vector<Scope>{world.scope});
  world.store_event(world.scope, "evt_1");
  CHECK(world.with_work() == std::vector<Scope>{world.scope});  // named once
}
