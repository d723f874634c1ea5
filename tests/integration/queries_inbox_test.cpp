#include <catch2/catch.hpp>

#include "integration/store_world.hpp"
#include "store/queries.hpp"
#include "store/queries_inbox_pages.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::store::StoreQueries;
using flexsync::testing::kStart;
using flexsync::testing::StoreWorld;

namespace {

using Ids = std::vector<std::string>;

struct World : StoreWorld {
  StoreQueries queries{pool};
  Scope scope = new_scope();
  Scope stranger = new_scope("Stranger");

  Ids ids(const WebhookEventFilter& filter) {
    const auto page = queries.webhook_events(scope, filter);
    REQUIRE(page);
    CHECK(page->total >= static_cast<std::int64_t>(page->items.size()));
    Ids found;
    for (const auto& item : page->items) {
      found.push_back(item.event.id.str());
    }
    return found;
  }

  WebhookEventView event(const std::string& id) {
    auto view = queries.webhook_event(scope, StripeEventId{id});
    REQUIRE(view);
    return std::move(*view);
  }

  void audit_row(const std::string& entity_type, const std::string& entity, const std::string& actor,
                 const std::string& before, const std::string& after) {
    sql("INSERT INTO audit_log (tenant_id, environment_id, entity_type, entity_id, action, actor, before, after,"
        " request_id, at) VALUES ('" +
        scope.tenant.str() + "', '" + scope.environment.str() + "', '" + entity_type + "', '" + entity +
        "', 'update', '" + actor + "', '" + before + "', '" + after + "', 'req_1', now())");
  }
};

// One event in each state there is, and a stranger's.
struct StatesWorld : World {
  StatesWorld() {
    store_event(scope, "evt_pending");
    store_event(scope, "evt_ignored", "customer.updated", "cus_1", "live mode");
    for (const std::string outcome : {"applied", "unchanged", "superseded", "deferred", "discarded"}) {
      settle(scope, store_event(scope, "evt_" + outcome, "customer." + outcome), outcome, "because");
    }
    settle(scope, store_event(scope, "evt_foreign"), "ignored", "not ours");
    for (const std::string state : {"retrying", "blocked", "dead", "redriven"}) {
      park(scope, store_event(scope, "evt_" + state, "customer." + state), "evt_" + state, state);
    }
    store_event(stranger, "evt_other");
  }
};

WebhookEventFilter in_state(const std::string& state) {
  WebhookEventFilter filter;
  filter.state = state;
  return filter;
}

}  // namespace

TEST_CASE("a webhook event shows what became of it", "[queries_inbox]") {
  StatesWorld world;
  const auto state_of = [&](const std::string& id) {
    const auto view = world.event(id);
    return view.state + (view.reason.empty() ? "" : ": " + view.reason);
  };
  CHECK(state_of("evt_pending") == "pending");
  CHECK(state_of("evt_ignored") == "ignored: live mode");
  CHECK(state_of("evt_superseded") == "superseded: because");
  CHECK(state_of("evt_foreign") == "ignored: not ours");
  CHECK(state_of("evt_dead") == "dead: two of them");
  for (const auto* id : {"evt_other", "evt_9", "", "\xFF"}) {
    CHECK(world.queries.webhook_event(world.scope, StripeEventId{id}).error().code == ErrorCode::not_found);
  }
}

TEST_CASE("events are listed by each state, alone and together with the other filters", "[queries_inbox]") {
  StatesWorld world;
  CHECK(world.ids({}).size() == 12);
  CHECK(world.ids(in_state("ignored")) == Ids{"evt_foreign", "evt_ignored"});
  CHECK(world.ids(in_state("parked")) == Ids{"evt_redriven", "evt_dead", "evt_blocked", "evt_retrying"});
  for (const std::string state : {"pending", "applied", "unchanged", "superseded", "deferred", "discarded", "retrying",
                                  "blocked", "dead", "redriven"}) {
    INFO(state);
    const Ids expected{"evt_" + state};
    auto filter = in_state(state);
    CHECK(world.ids(filter) == expected);
    filter.object_id = "cus_1";
    CHECK(world.ids(filter) == expected);
    filter.object_id = "cus_2";
    CHECK(world.ids(filter).empty());
    filter.object_id.clear();
    filter.types = {"customer.updated", "customer." + state};
    CHECK(world.ids(filter) == expected);
    filter.types = {"product.created"};
    CHECK(world.ids(filter).empty());
    filter = in_state(state);
    filter.list.start_time = kStart;
    filter.created_to = kStart;
    CHECK(world.ids(filter) == expected);
    filter.list.start_time = kStart + 1us;
    CHECK(world.ids(filter).empty());
  }
  auto ignored = in_state("ignored");
  ignored.object_id = "cus_1";
  CHECK(world.ids(ignored).size() == 2);
  ignored.types = {"customer.updated"};
  CHECK(world.ids(ignored).size() == 2);
  const auto refused = world.queries.webhook_events(world.scope, in_state("finished"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::validation_error);
  CHECK(refused.error().message.find("pending, applied") != std::string::npos);
}

TEST_CASE("what is settled is not pending below the watermark either", "[queries_inbox]") {
  World world;
  const auto first = world.store_event(world.scope, "evt_1");
  world.settle(world.scope, first, "applied");
  world.sql("INSERT INTO inbox_watermarks VALUES ('" + world.scope.tenant.str() + "', '" +
            world.scope.environment.str() + "', " + std::to_string(first) + ")");
  world.store_event(world.scope, "evt_2");
  CHECK(world.ids(in_state("pending")) == Ids{"evt_2"});
}

TEST_CASE("events are paged by arrival, over several types as over one", "[queries_inbox]") {
  World world;
  for (int i = 0; i < 9; ++i) {
    world.store_event(world.scope, "evt_" + std::to_string(i), i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c");
  }
  WebhookEventFilter filter;
  filter.types = {"a", "c"};
  CHECK(world.ids(filter) == Ids{"evt_8", "evt_6", "evt_5", "evt_3", "evt_2", "evt_0"});
  filter.list = {.limit = 2, .offset = 1, .ascending = true, .start_time = {}, .end_time = {}};
  CHECK(world.ids(filter) == Ids{"evt_2", "evt_3"});
  CHECK(world.queries.webhook_events(world.scope, filter)->total == 6);
  CHECK_FALSE(world.queries.webhook_events(world.scope, filter)->more);
  filter.list.offset = 6;
  CHECK(world.ids(filter).empty());
  filter.types = {"b"};
  filter.list.offset = 2;
  CHECK(world.ids(filter) == Ids{"evt_7"});
  filter.types = {std::string("b\0", 2)};
  CHECK(world.queries.webhook_events(world.scope, filter).error().code == ErrorCode::validation_error);
}

TEST_CASE("events are found by their times, received and created, to the microsecond", "[queries_inbox]") {
  World world;
  for (int i = 0; i < 100; ++i) {
    world.store_event(world.scope, "evt_" + std::to_string(i));
    if (i == 50) {
      world.store_event(world.stranger, "evt_" + std::to_string(i));
    }
    world.clock.advance(1h);
  }
  world.store_event(world.scope, "evt_before");
  world.clock.set(kStart + 100h - 9min);  // the clock was put right
  world.store_event(world.scope, "evt_after");
  WebhookEventFilter filter;
  filter.list.start_time = kStart + 30h;
  filter.list.end_time = kStart + 32h;
  CHECK(world.ids(filter) == Ids{"evt_31", "evt_30"});
  filter.list.start_time = kStart + 30h + 1us;
  CHECK(world.ids(filter) == Ids{"evt_31"});
  filter.list.start_time = kStart + 100h - 9min;
  filter.list.end_time = kStart + 100h;
  CHECK(world.ids(filter) == Ids{"evt_after"});
  filter.list = {};
  filter.created_from = kStart + 97h;
  CHECK(world.ids(filter) == Ids{"evt_after", "evt_before", "evt_99", "evt_98"});  // each was created a second before
  filter.created_from = kStart + 97h - 1s;
  filter.created_to = kStart + 99h - 1s;
  CHECK(world.ids(filter) == Ids{"evt_98", "evt_97"});
  filter = {};
  filter.list.end_time = kStart;
  CHECK(world.ids(filter).empty());
  filter.list.end_time.reset();
  filter.list.start_time = kStart + 1000h;
  CHECK(world.ids(filter).empty());
}

TEST_CASE("long lists are counted up to a limit, and paged beyond it", "[queries_inbox]") {
  World world;
  world.sql(
      "INSERT INTO inbox (tenant_id, environment_id, event_id, event_type, object_type, object_id, api_version,"
      " stripe_created, received_at, request_id, payload_bytes, payload) SELECT '" +
      world.scope.tenant.str() + "', '" + world.scope.environment.str() +
      "', 'evt_' || n, 'customer.updated', 'customer', 'cus_' || n, '', now(), now(), '', 2, '{}'"
      " FROM generate_series(1, 10050) n");
  const auto first = world.queries.webhook_events(world.scope, {});
  REQUIRE(first);
  CHECK(first->total == store::kCountMax);
  CHECK(first->more);
  WebhookEventFilter filter;
  filter.list.offset = 10'040;
  CHECK(world.ids(filter).size() == 10);
  CHECK_FALSE(world.queries.webhook_events(world.scope, filter)->more);
}

TEST_CASE("one webhook event comes with its payload, its attempts and what it changed", "[queries_inbox]") {
  World world;
  const auto here = "'" + world.scope.tenant.str() + "', '" + world.scope.environment.str() + "', ";
  world.store_event(world.scope, "evt_1");
  world.sql("INSERT INTO inbox_attempts VALUES (" + here + "'evt_1', 2, 'timeout', 'second', now()), (" + here +
            "'evt_1', 1, 'timeout', 'first', now()), (" + here + "'evt_2', 1, 'x', 'of another', now())");
  world.audit_row("customer", "cust_1", "stripe:evt_1", R"({"name":"Eve","tier":"gold"})", R"({"name":"Ada","n":1})");
  world.audit_row("customer", "cust_1", "stripe:evt_2", "{}", R"({"name":"Bob"})");
  world.audit_row("plan", "plan_2", "stripe:evt_1", "{}", R"({"name":"Gold"})");
  world.audit_row("webhook_event", "evt_1", "admin", R"({"state":"dead"})", R"({"state":"redriven"})");

  const auto view = world.event("evt_1");
  CHECK(view.event.payload == std::string("\0{\"}\n", 5));
  CHECK(view.event.received == kStart);
  CHECK(view.event.created == kStart - 1s);
  CHECK(view.event.type == "customer.updated");
  CHECK(view.event.scope == world.scope);
  CHECK_FALSE(view.waiting);
  REQUIRE(view.attempts.size() == 2);
  CHECK(view.attempts[0].error_message == "first");
  CHECK(view.attempts[1].attempt == 2);
  REQUIRE(view.changes.size() == 2);
  CHECK(view.changes[0].entity_id == "cust_1");
  CHECK(view.changes[0].action == "update");
  CHECK(view.changes[0].fields ==
        std::vector<FieldChange>{{"n", {}, "1"}, {"name", R"("Eve")", R"("Ada")"}, {"tier", R"("gold")", {}}});
  CHECK(view.changes[1].entity_type == "plan");
  REQUIRE(view.deeds.size() == 1);
  CHECK(view.deeds[0].actor == "admin");
  CHECK(world.queries.webhook_events(world.scope, {})->items.at(0).event.payload.empty());
}

TEST_CASE("an event that is not settled says when it is tried next, and what blocks it", "[queries_inbox]") {
  World world;
  world.park(world.scope, world.store_event(world.scope, "evt_1"), "evt_1", "blocked", kStart + 5s);
  world.park(world.scope, world.store_event(world.scope, "evt_2"), "evt_2", "dead");
  world.sql("UPDATE parked_events SET blocked_on_type = 'product', blocked_on_id = 'prod_1' WHERE state = 'blocked'");
  const auto blocked = world.event("evt_1").waiting;
  REQUIRE(blocked);
  CHECK(blocked->attempts == 8);
  CHECK(blocked->error_message == "two of them");
  CHECK(blocked->since == kStart + 5s);
  CHECK(blocked->next_attempt_at == kStart + 5s);
  CHECK(blocked->object_type == "product");
  CHECK(blocked->object_id == "prod_1");
  CHECK_FALSE(world.event("evt_2").waiting->next_attempt_at);  // until a person redrives it
}
