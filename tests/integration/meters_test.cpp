#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <random>
#include <thread>

#include "integration/usage_world.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::in_scope;
using flexsync::testing::kNoon;
using flexsync::testing::usage_event;
using flexsync::testing::UsageWorld;

namespace {

std::vector<UsageEvent> two_models() {
  auto large = usage_event("e2", "ext_1", kNoon + 1h, "20");
  large.properties["model"] = "large";
  return {usage_event("e1", "ext_1", kNoon, "1"), large, usage_event("e3", "ext_1", kNoon + 2h, "300")};
}

}  // namespace

TEST_CASE("a meter counts what was there before it, and what comes after", "[meters]") {
  UsageWorld world;
  const auto scope = world.new_owned_scope();
  world.new_customer(scope);
  world.store(scope, two_models());
  const auto sum = world.new_meter(scope);
  CHECK(world.rolled_up(scope) == "321/3");
  world.store(scope, {usage_event("e4", "ext_1", kNoon, "4000")});
  CHECK(world.rolled_up(scope) == "4321/4");
  world.new_meter(scope, Aggregation::count, {{"model", {"large", "huge"}}});
  CHECK(world.rolled_up(scope) == "4322/5");
  world.audited_usage(scope);
  const auto audit = world.audit("meter", sum.id.str());
  REQUIRE(audit.size() == 1);
  CHECK(std::string(audit[0]["action"].c_str()) == "create");
  CHECK(world.queries.meters(scope, {})->total == 2);
  CHECK(world.queries.meter(scope, sum.id).value() == sum);
}

TEST_CASE("a wrong meter is refused with its field", "[meters]") {
  UsageWorld world;
  const auto scope = world.new_scope();
  Meter meter;
  meter.name = "m";
  meter.event_name = "call";
  meter.aggregation = Aggregation::sum;
  const auto refused = world.meters.create_meter(scope, meter, world.admin);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::validation_error);
  CHECK(refused.error().details.contains("aggregation.field"));
  meter.field = "tokens";
  meter.filters = {{"model", {}}};
  CHECK(world.meters.create_meter(scope, meter, world.admin).error().details.contains("filters"));
  meter.filters = {};
  meter.reset_usage = "DAILY";
  CHECK(world.meters.create_meter(scope, meter, world.admin).error().details.contains("reset_usage"));
  meter.reset_usage = "NEVER";
  CHECK(world.meters.create_meter(scope, meter, world.admin));
  CHECK(world.meters.update_meter_filters(scope, MeterId{"meter_x"}, {}, world.admin).error().code ==
        ErrorCode::not_found);
  CHECK(world.meters.delete_meter(scope, MeterId{std::string("a\0", 2)}, world.admin).error().code ==
        ErrorCode::not_found);
}

TEST_CASE("new filters count again what was not billed, and leave what was", "[meters]") {
  UsageWorld world;
  const auto scope = world.new_owned_scope();
  world.new_customer(scope, "ext_1", "cus_1");
  const auto meter = world.new_meter(scope);
  world.map_meter(scope, meter.id);
  world.store(scope, two_models());
  CHECK(world.close(scope, kNoon + 65min)->batches == 1);
  const auto updated = world.meters.update_meter_filters(scope, meter.id, {{"model", {"large"}}}, world.admin);
  REQUIRE(updated);
  CHECK(updated->filters.size() == 1);
  CHECK(world.value("SELECT string_agg(trim_scale(quantity)::text || CASE WHEN frozen THEN 'f' ELSE '' END, ' '"
                    " ORDER BY segment_start) FROM usage_rollups") == "1f 20");
  world.clock.set(kNoon + 4h);
  CHECK(world.audited_usage(scope).frozen == 1);
  auto late = usage_event("late", "ext_1", kNoon, "5");
  late.properties["model"] = "large";
  world.store(scope, {late, usage_event("small", "ext_1", kNoon, "5")});
  CHECK(world.rolled_up(scope) == "26/3");
  REQUIRE(world.meters.update_meter_filters(scope, meter.id, {}, world.admin));
  CHECK(world.rolled_up(scope) == "326/4");
  world.audited_usage(scope);
}

TEST_CASE("a mapping asks Stripe's meter, is one per meter and Stripe meter, and cuts at its start", "[meters]") {
  UsageWorld world;
  const auto scope = world.new_owned_scope();
  world.new_customer(scope, "ext_1", "cus_1");
  const auto meter = world.new_meter(scope);
  const auto other = world.new_meter(scope);
  world.store(scope, {usage_event("e1", "ext_1", kNoon + 19min, "1"), usage_event("e2", "ext_1", kNoon + 20min, "20")});
  MeterMapping wanted;
  wanted.meter_id = meter.id;
  wanted.stripe_meter_id = StripeId{"mtr_1"};
  wanted.start_at = kNoon + 20min - 1us;
  const auto code = [&] { return world.meters.create_meter_mapping(scope, wanted, world.admin).error().code; };
  world.stripe_meter.formula = "count";
  CHECK(code() == ErrorCode::validation_error);
  world.stripe_meter.formula = "sum";
  world.stripe_meter.status = "inactive";
  CHECK(code() == ErrorCode::validation_error);
  world.stripe_meter.status = "active";
  wanted.scale = 16;
  CHECK(code() == ErrorCode::validation_error);
  wanted.scale = 0;
  const auto mapping = world.meters.create_meter_mapping(scope, wanted, world.admin);
  REQUIRE(mapping);
  CHECK(mapping->start_at == kNoon + 20min);
  CHECK(mapping->event_name == "billed_call");
  CHECK(world.queries.meter_mapping(scope, mapping->id).value() == *mapping);
  CHECK(code() == ErrorCode::already_exists);
  wanted.meter_id = other.id;
  CHECK(code() == ErrorCode::already_exists);
  wanted.stripe_meter_id = StripeId{"mtr_2"};
  wanted.meter_id = MeterId{"meter_x"};
  CHECK(code() == ErrorCode::not_found);
  CHECK(world.value("SELECT string_agg(trim_scale(quantity)::text, ' ' ORDER BY segment_start) FROM usage_rollups"
                    " WHERE meter_id = '" +
                    meter.id.str() + "'") == "1 20");
  CHECK(world.meters.delete_meter(scope, meter.id, world.admin).error().code == ErrorCode::invalid_operation);

  // Mapped anew in the middle of what is cut: counted anew, once.
  REQUIRE(world.meters.delete_meter_mapping(scope, mapping->id, world.admin));
  world.store(scope, {usage_event("e3", "ext_1", kNoon + 50min, "300")});
  world.map_meter(scope, meter.id, kNoon + 40min);
  CHECK(world.value("SELECT string_agg(trim_scale(quantity)::text, ' ' ORDER BY segment_start) FROM usage_rollups"
                    " WHERE meter_id = '" +
                    meter.id.str() + "'") == "21 300");
  world.audited_usage(scope);
  CHECK(world.queries.meter_mappings(scope, {}, meter.id.str())->total == 1);
}

TEST_CASE("a deleted meter counts no more and keeps what was billed", "[meters]") {
  UsageWorld world;
  const auto scope = world.new_owned_scope();
  world.new_customer(scope, "ext_1", "cus_1");
  const auto meter = world.new_meter(scope);
  const auto mapping = world.map_meter(scope, meter.id);
  world.store(scope, two_models());
  world.close(scope, kNoon + 65min);
  REQUIRE(world.meters.delete_meter_mapping(scope, mapping.id, world.admin));
  REQUIRE(world.meters.delete_meter(scope, meter.id, world.admin));
  world.store(scope, {usage_event("e4", "ext_1", kNoon, "4000")});
  CHECK(world.rolled_up(scope) == "1/1");
  CHECK(world.queries.meter(scope, meter.id).error().code == ErrorCode::not_found);
  world.clock.set(kNoon + 4h);
  world.audited_usage(scope);
}

// Whatever the order of the commits: every event is measured once by each meter, by intake or by the meter's making.
TEST_CASE("meters made, changed and mapped while events come: rollups are all events added up", "[meters]") {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    UsageWorld world;
    const auto scope = world.new_owned_scope();
    world.new_customer(scope, "ext_0", "cus_0");
    std::vector<std::thread> threads;
    std::atomic<int> sent = 0;
    for (unsigned t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(seed * 100 + t);
        for (int call = 0; call < 25; ++call) {
          std::vector<UsageEvent> events;
          for (unsigned i = 0; i < 1 + random() % 20; ++i) {
            const auto id = "e" + std::to_string(random() % 400);
            const auto at = kNoon + std::chrono::minutes(random() % 300);
            auto event =
                usage_event(id, "ext_" + std::to_string(random() % 3), at, std::to_string(random() % 100) + ".5");
            event.properties["model"] = random() % 2 == 0 ? "small" : "large";
            events.push_back(event);
          }
          sent += world.store(scope, events) ? 1 : 0;
        }
      });
    }
    std::mt19937 random(seed);
    std::vector<MeterId> meters;
    for (int i = 0; i < 12; ++i) {
      if (i % 4 == 0) {
        meters.push_back(world.new_meter(scope, i == 0 ? Aggregation::sum : Aggregation::count).id);
      } else if (i % 4 == 1) {
        world.map_meter(scope, meters.back(), kNoon + std::chrono::minutes(random() % 300));
        world.new_customer(scope, "ext_" + std::to_string(i / 4 + 1), "cus_" + std::to_string(i / 4 + 1));
      } else if (i % 4 == 2) {
        CHECK(world.match_again(scope));
        CHECK(world.close(scope, kNoon + std::chrono::minutes(random() % 400)));
      } else {
        const auto which = meters[random() % meters.size()];
        CHECK(world.meters.update_meter_filters(scope, which, {{"model", {"large"}}}, world.admin));
      }
    }
    for (auto& thread : threads) {
      thread.join();
    }
    CHECK(sent == 75);
    CHECK(world.match_again(scope));
    world.audited_usage(scope);
    CHECK(world.close(scope, kNoon + 24h));
    world.clock.set(kNoon + 24h);
    const auto totals = world.audited_usage(scope);
    CHECK(totals.due == 0);
    CHECK(totals.counted == totals.batched + totals.before_start);
    CHECK(totals.ingested == std::stoll(world.value("SELECT count(DISTINCT event_id) FROM usage_events")));
  }
}

TEST_CASE("a change of meters waits for the events that are just being stored, and counts them", "[meters]") {
  UsageWorld world;
  const auto scope = world.new_owned_scope();
  const auto customer = world.new_customer(scope);
  const auto meter = world.new_meter(scope, Aggregation::sum, {{"model", {"none"}}});
  pqxx::connection storing(world.database.url());
  pqxx::work tx(storing);  // as intake: it read the meters as they were, and has not committed yet
  const auto keys = "'" + scope.tenant.str() + "', '" + scope.environment.str() + "'";
  tx.exec("SELECT pg_advisory_xact_lock_shared(hashtextextended('meters/" + scope.tenant.str() + "/" +
          scope.environment.str() + "', 0))");
  tx.exec("INSERT INTO usage_events VALUES (now(), now(), " + keys + ", 'e1', 'call', 'ext_1', '" + customer +
          "', '{\"tokens\":\"7\"}', '')");
  auto changed = std::async(std::launch::async,
                            [&] { return world.meters.update_meter_filters(scope, meter.id, {}, world.admin); });
  Meter second = meter;
  auto created = std::async(std::launch::async, [&] { return world.meters.create_meter(scope, second, world.admin); });
  const auto waiting = [&] {
    return world.value(
               "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database ="
               " (SELECT oid FROM pg_database WHERE datname = current_database())") == "2";
  };
  const auto running = [](auto& future) { return future.wait_for(0s) == std::future_status::timeout; };
  while (!waiting() && running(changed)) {
  }
  tx.commit();
  CHECK(changed.get());
  CHECK(created.get());
  CHECK(world.rolled_up(scope) == "7/1");
  world.audited_usage(scope);
}
