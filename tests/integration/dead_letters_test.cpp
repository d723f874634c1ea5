#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "integration/store_world.hpp"
#include "store/dead_letter_commands.hpp"
#include "store/queries.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::store::StoreDeadLetterCommands;
using flexsync::testing::kStart;
using flexsync::testing::StoreWorld;

namespace {

struct World : StoreWorld {
  std::vector<Scope> woken;
  StoreDeadLetterCommands commands{pool, clock, [this](const Scope& which) { woken.push_back(which); }};
  store::StoreQueries queries{pool};
  Scope scope = new_scope();
  Scope stranger = new_scope("Stranger");
  Principal by{Principal::Kind::api_key, scope, ApiKeyId{"secret_1"}, "api_key:secret_1"};

  World() {
    die(scope, "evt_1", "customer.updated", "cus_1");
    die(scope, "evt_2", "customer.updated", "cus_2");
    die(scope, "evt_3", "customer.deleted", "cus_2");
    die(stranger, "evt_1", "customer.updated", "cus_1");
    park(scope, store_event(scope, "evt_blocked"), "evt_blocked", "blocked");
  }

  void die(const Scope& where, const std::string& id, const std::string& type, const std::string& object) {
    park(where, store_event(where, id, type, object), id, "dead", clock.now());
    clock.advance(1s);
  }

  std::string state(const std::string& id) { return queries.webhook_event(scope, StripeEventId{id}).value().state; }
};

DeadLetterFilter with_id(const std::string& id) {
  DeadLetterFilter filter;
  filter.event_ids = {id};
  return filter;
}

BulkConsent expecting(std::int64_t count) {
  return {.dry_run = false, .expected_count = count};
}

const BulkConsent kCountOnly{.dry_run = true, .expected_count = {}};

}  // namespace

TEST_CASE("dead letters are listed newest first, with what they died of", "[dead_letters]") {
  World world;
  const auto page = world.queries.dead_letters(world.scope, {});
  REQUIRE(page);
  CHECK(page->total == 3);
  REQUIRE(page->items.size() == 3);
  const auto& newest = page->items.front();
  CHECK(newest.event_id.str() == "evt_3");
  CHECK(newest.type == "customer.deleted");
  CHECK(newest.object_id == "cus_2");
  CHECK(newest.attempts == 8);
  CHECK(newest.error_message == "two of them");
  CHECK(newest.failed_first == kStart + 2s);
  CHECK(newest.died_at == kStart + 2s);

  DeadLetterFilter filter;
  filter.object_id = "cus_2";
  filter.types = {"customer.updated"};
  CHECK(world.queries.dead_letters(world.scope, filter)->items.at(0).event_id.str() == "evt_2");
  filter = {};
  filter.list.start_time = kStart + 1s;
  CHECK(world.queries.dead_letters(world.scope, filter)->total == 2);
  filter = {};
  filter.error_codes = {"conflict", "unreadable"};
  CHECK(world.queries.dead_letters(world.scope, filter)->total == 3);
  filter.error_codes = {"unreadable"};
  CHECK(world.queries.dead_letters(world.scope, filter)->total == 0);
}

TEST_CASE("one dead letter is redriven: due now, its attempts kept, audited, and the tenant woken", "[dead_letters]") {
  World world;
  CHECK(world.commands.redrive(world.scope, with_id("evt_2"), {}, world.by)->count == 1);
  CHECK(world.state("evt_2") == "redriven");
  CHECK(world.state("evt_1") == "dead");
  const auto row = world.sql(
      "SELECT attempts, extract(epoch FROM next_attempt_at) * 1000000 AS next FROM parked_events"
      " WHERE event_id = 'evt_2'");
  CHECK(row.at(0)["attempts"].as<int>() == 8);
  CHECK(row.at(0)["next"].as<double>() == static_cast<double>(to_unix_micros(world.clock.now())));
  const auto audit = world.audit("webhook_event", "evt_2");
  REQUIRE(audit.size() == 1);
  CHECK(audit.at(0)["action"].c_str() == std::string("redrive"));
  CHECK(audit.at(0)["actor"].c_str() == std::string("api_key:secret_1"));
  CHECK(world.woken == std::vector<Scope>{world.scope});

  CHECK(world.commands.redrive(world.scope, with_id("evt_2"), {}, world.by)->count == 0);  // no longer dead
  CHECK(world.audit("webhook_event", "evt_2").size() == 1);
  CHECK(world.woken.size() == 1);
}

TEST_CASE("a discarded letter is settled for good", "[dead_letters]") {
  World world;
  CHECK(world.commands.discard(world.scope, with_id("evt_1"), {}, world.by)->count == 1);
  const auto view = world.queries.webhook_event(world.scope, StripeEventId{"evt_1"});
  REQUIRE(view);
  CHECK(view->state == "discarded");
  CHECK(view->reason == "discarded by api_key:secret_1 after: two of them");
  CHECK(view->settled_at == world.clock.now());
  CHECK(world.queries.dead_letters(world.scope, {})->total == 2);
  CHECK(world.value("SELECT count(*) FROM parked_events WHERE event_id = 'evt_1'") == "1");  // the stranger's
  CHECK(world.audit("webhook_event", "evt_1").size() == 1);
  CHECK(world.woken.empty());
  CHECK(world.commands.redrive(world.scope, with_id("evt_1"), {}, world.by)->count == 0);
}

TEST_CASE("counting changes nothing", "[dead_letters]") {
  World world;
  CHECK(world.commands.redrive(world.scope, {}, kCountOnly, world.by)->count == 3);
  CHECK(world.commands.discard(world.scope, with_id("evt_1"), kCountOnly, world.by)->count == 1);
  CHECK(world.queries.dead_letters(world.scope, {})->total == 3);
  CHECK(world.value("SELECT count(*) FROM audit_log WHERE entity_type = 'webhook_event'") == "0");
  CHECK(world.woken.empty());
}

TEST_CASE("all that match go at once: neither a stranger's nor what is not dead", "[dead_letters]") {
  World world;
  DeadLetterFilter filter;
  filter.object_id = "cus_2";
  CHECK(world.commands.redrive(world.scope, filter, {}, world.by)->count == 2);
  CHECK(world.commands.discard(world.scope, {}, {}, world.by)->count == 1);
  CHECK(world.state("evt_1") == "discarded");
  CHECK(world.state("evt_2") == "redriven");
  CHECK(world.state("evt_blocked") == "blocked");
  CHECK(world.queries.dead_letters(world.stranger, {})->total == 1);
  CHECK(world.commands.discard(world.scope, with_id("evt_blocked"), {}, world.by)->count == 0);
  const auto bad = world.commands.redrive(world.scope, with_id(std::string("evt\0", 4)), {}, world.by);
  CHECK(bad.error().code == ErrorCode::validation_error);
}

TEST_CASE("several are named: the answer names those that were dead letters", "[dead_letters]") {
  World world;
  DeadLetterFilter filter;
  filter.event_ids = {"evt_1", "evt_blocked", "evt_3", "evt_9"};
  auto done = world.commands.redrive(world.scope, filter, {}, world.by);
  REQUIRE(done);
  std::sort(done->event_ids.begin(), done->event_ids.end());
  CHECK(done->event_ids == std::vector<std::string>{"evt_1", "evt_3"});
  CHECK(done->count == 2);
  CHECK(world.state("evt_blocked") == "blocked");
}

TEST_CASE("when more have died than were shown, nothing is changed", "[dead_letters]") {
  World world;
  for (const auto command : {&StoreDeadLetterCommands::redrive, &StoreDeadLetterCommands::discard}) {
    const auto refused = (world.commands.*command)(world.scope, {}, expecting(2), world.by);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::version_conflict);
    CHECK(refused.error().message == "3 dead letters match, not 2: nothing was changed");
    CHECK(refused.error().details.at("count") == "3");
  }
  CHECK(world.queries.dead_letters(world.scope, {})->total == 3);
  CHECK(world.value("SELECT count(*) FROM audit_log WHERE entity_type = 'webhook_event'") == "0");
  CHECK(world.woken.empty());
  CHECK(world.commands.redrive(world.scope, {}, expecting(3), world.by)->count == 3);
  CHECK(world.commands.discard(world.scope, {}, expecting(0), world.by)->count == 0);
}

TEST_CASE("the audit row of a request has its id", "[dead_letters]") {
  World world;
  world.by.request_id = "req_7";
  REQUIRE(world.commands.discard(world.scope, with_id("evt_1"), {}, world.by));
  const auto row = world.audit("webhook_event", "evt_1").at(0);
  CHECK(row["request_id"].c_str() == std::string("req_7"));
  CHECK(nlohmann::json::parse(row["before"].c_str()).at("state") == "dead");
  CHECK(nlohmann::json::parse(row["after"].c_str()).at("state") == "discarded");
}
