#include <catch2/catch.hpp>
#include <future>

#include "integration/change_world.hpp"
#include "store/dead_letter_commands.hpp"
#include "store/inbox_source.hpp"
#include "store/queries.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::store::StoreDeadLetterCommands;
using flexsync::testing::ChangeWorld;
using flexsync::testing::kStart;

namespace {

using ReplayFilter = StoreDeadLetterCommands::ReplayFilter;

struct World : ChangeWorld {
  std::vector<Scope> woken;
  StoreDeadLetterCommands commands{pool, clock, [this](const Scope& which) { woken.push_back(which); }};
  store::StoreQueries queries{pool};

  World() {
    for (const std::string outcome : {"applied", "unchanged", "superseded", "ignored", "deferred", "discarded"}) {
      settle(scope, store_event(scope, "evt_" + outcome, "invoice." + outcome), outcome, "because");
      clock.advance(1s);
    }
    store_event(scope, "evt_pending");
    store_event(scope, "evt_elsewhere", "customer.updated", "cus_1", "wrong livemode");
    park(scope, store_event(scope, "evt_dead"), "evt_dead", "dead");
  }

  std::string state(const std::string& id) { return queries.webhook_event(scope, StripeEventId{id}).value().state; }

  std::vector<store::InboxRow> due() {
    std::promise<Result<std::vector<store::InboxRow>>> promise;
    store::StoreInboxSource(pool).read_due(scope, clock.now(), 100, [&](auto rows) { promise.set_value(rows); });
    return promise.get_future().get().value();
  }
};

ReplayFilter with_ids(std::vector<std::string> ids) {
  ReplayFilter filter;
  filter.event_ids = std::move(ids);
  return filter;
}

}  // namespace

TEST_CASE("a settled event that is replayed is taken again, once", "[replay]") {
  World world;
  const auto done = world.commands.replay(world.scope, with_ids({"evt_deferred", "evt_9"}), {}, world.admin);
  REQUIRE(done);
  CHECK(done->count == 1);
  CHECK(done->event_ids == std::vector<std::string>{"evt_deferred"});
  CHECK(world.woken == std::vector<Scope>{world.scope});
  CHECK(world.state("evt_deferred") == "redriven");
  const auto rows = world.due();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].event_id.str() == "evt_deferred");
  CHECK(rows[0].was_parked);
  CHECK(rows[0].attempts == 0);
  const auto audit = world.audit("webhook_event", "evt_deferred");
  REQUIRE(audit.size() == 1);
  CHECK(audit.at(0)["action"].c_str() == std::string("replay"));
  CHECK(audit.at(0)["before"].c_str() == std::string(R"({"state" : "deferred"})"));

  CHECK(world.commands.replay(world.scope, with_ids({"evt_deferred"}), {}, world.admin)->count == 0);
  ChangeSet settled;
  settled.scope = world.scope;
  settled.epoch = world.epoch;
  settled.settlement =
      InboxSettlement{rows[0].seq, rows[0].event_id, InboxOutcome::applied, "", /*was_parked=*/true, world.clock.now()};
  CHECK(world.result(settled) == ChangeResult::committed);
  CHECK(world.state("evt_deferred") == "applied");
  CHECK(world.due().empty());
}

TEST_CASE("its failed attempts go on counting", "[replay]") {
  World world;
  world.sql("INSERT INTO inbox_attempts VALUES ('" + world.scope.tenant.str() + "', '" + world.scope.environment.str() +
            "', 'evt_applied', 3, 'x', 'y', now())");
  REQUIRE(world.commands.replay(world.scope, with_ids({"evt_applied"}), {}, world.admin)->count == 1);
  CHECK(world.due().at(0).attempts == 3);
}

TEST_CASE("only what is settled can be replayed, and not what intake ignored", "[replay]") {
  World world;
  const auto done =
      world.commands.replay(world.scope, with_ids({"evt_pending", "evt_elsewhere", "evt_dead"}), {}, world.admin);
  CHECK(done->count == 0);
  CHECK(world.commands.replay(world.scope, {}, {.dry_run = true, .expected_count = {}}, world.admin)->count == 6);
  for (const std::string state : {"pending", "dead", "parked", "nonsense"}) {
    ReplayFilter filter;
    filter.events.state = state;
    CHECK(world.commands.replay(world.scope, filter, {}, world.admin).error().code == ErrorCode::validation_error);
  }
  CHECK(world.woken.empty());
}

TEST_CASE("all that match are replayed when they are as many as expected", "[replay]") {
  World world;
  ReplayFilter filter;
  filter.events.types = {"invoice.deferred", "invoice.superseded"};
  const auto refused = world.commands.replay(world.scope, filter, {.dry_run = false, .expected_count = 3}, world.admin);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::version_conflict);
  CHECK(world.due().empty());
  CHECK(world.commands.replay(world.scope, filter, {.dry_run = false, .expected_count = 2}, world.admin)->count == 2);
  CHECK(world.due().size() == 2);
  filter = {};
  filter.events.state = "discarded";
  filter.events.object_id = "cus_1";
  filter.events.list.start_time = kStart + 5s;
  filter.events.created_to = kStart + 5s;
  CHECK(world.commands.replay(world.scope, filter, {}, world.admin)->count == 1);
  filter.events.created_to = kStart + 4s;
  CHECK(world.commands.replay(world.scope, filter, {}, world.admin)->count == 0);
}
