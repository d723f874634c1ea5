#include <catch2/catch.hpp>

#include "integration/store_world.hpp"
#include "store/queries.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::kStart;
using flexsync::testing::StoreWorld;

namespace {

using Ids = std::vector<std::string>;

struct World : StoreWorld {
  void add_intent(const Scope& where, const std::string& id, const std::string& entity, const std::string& state,
                  Timestamp created) {
    sql("INSERT INTO outbox (tenant_id, environment_id, id, entity_type, entity_id, operation, body, idempotency_key,"
        " fields, state, attempts, next_attempt_at, look_first, error_code, error_message, request_id, keyed_at,"
        " created_at) VALUES ('" +
        where.tenant.str() + "', '" + where.environment.str() + "', '" + id + "', 'customer', '" + entity +
        "', 'delete_customer', '', 'key_" + id + "', '{name,\"metadata.a,b\"}', '" + state + "', 2, " +
        at(kStart + 1s) + ", true, 'card_declined', 'no', 'req_1', " + at(kStart + 2s) + ", " + at(created) + ")");
  }

  static std::string at(Timestamp time) {
    return "'epoch'::timestamptz + " + std::to_string(to_unix_micros(time)) + " * interval '1 microsecond'";
  }

  Ids found(const IntentFilter& filter) {
    const auto page = queries.intents(scope, filter);
    REQUIRE(page);
    Ids ids;
    for (const auto& intent : page->items) {
      ids.push_back(intent.id.str());
    }
    return ids;
  }

  store::StoreQueries queries{pool};
  Scope scope = new_scope();
  Scope stranger = new_scope("Stranger");
};

}  // namespace

TEST_CASE("the outbox is listed by creation, and found by state and entity", "[queries]") {
  World world;
  world.add_intent(world.scope, "intent_1", "cust_1", "settled", kStart);
  world.add_intent(world.scope, "intent_2", "cust_2", "refused", kStart + 1us);
  world.add_intent(world.scope, "intent_3", "cust_1", "ready", kStart + 2us);
  world.add_intent(world.stranger, "intent_4", "cust_1", "ready", kStart);
  CHECK(world.found({}) == Ids{"intent_3", "intent_2", "intent_1"});
  CHECK(world.found({{}, "refused", ""}) == Ids{"intent_2"});
  CHECK(world.found({{}, "ready", "cust_2"}).empty());
  IntentFilter filter;
  filter.list.limit = filter.list.offset = 1;
  CHECK(world.found(filter) == Ids{"intent_2"});
  CHECK(world.queries.intents(world.scope, filter)->total == 3);
  filter = {};
  filter.list.ascending = true;
  filter.entity_id = "cust_1";
  CHECK(world.found(filter) == Ids{"intent_1", "intent_3"});
  filter = {};
  filter.list.start_time = kStart + 1us;
  filter.list.end_time = kStart + 2us;
  CHECK(world.found(filter) == Ids{"intent_2"});

  const auto intent = world.queries.intents(world.scope, {{}, "refused", ""})->items.at(0);
  CHECK(intent.operation == IntentOperation::delete_customer);
  CHECK(intent.fields == std::vector<std::string>{"name", "metadata.a,b"});
  CHECK(intent.attempts == 2);
  CHECK(intent.next_attempt_at == kStart + 1s);
  CHECK(intent.look_first);
  CHECK(intent.error_code == "card_declined");
  CHECK(intent.keyed_at == kStart + 2s);
  CHECK(intent.created_at == kStart + 1us);
  CHECK_FALSE(intent.settled_at);

  const auto refused = world.queries.intents(world.scope, {{}, "sent", ""});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::validation_error);
  CHECK(refused.error().message.find("ready, settled") != std::string::npos);
  CHECK(world.queries.intents(world.scope, {{}, "", "\xFF"}).error().code == ErrorCode::validation_error);
}
