#include "store/usage_ledger.hpp"

#include <catch2/catch.hpp>
#include <future>

#include "domain/metering.hpp"
#include "integration/usage_world.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::in_scope;
using flexsync::testing::kNoon;
using flexsync::testing::kStart;
using flexsync::testing::PostgresFixture;
using flexsync::testing::usage_event;
using flexsync::testing::UsageWorld;

namespace {

constexpr auto kDue = kNoon + 65min;  // the window from noon is over, and its grace

struct World : UsageWorld {
  World() {
    clock.set(kDue);
    customer = new_customer(scope, "ext_1", "cus_1");
    meter = new_meter(scope);
  }

  std::int64_t closed(Timestamp now = kDue) {
    const auto result = close(scope, now);
    INFO((result ? "" : result.error().message));
    REQUIRE(result);
    return result->batches;
  }

  Scope scope = new_owned_scope();
  std::string customer;
  Meter meter;
};

}  // namespace

TEST_CASE("a window that is over becomes one batch, once", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.map_meter(scope, world.meter.id);
  world.store(scope, {usage_event("e1", "ext_1", kNoon, "2.5"), usage_event("e2", "ext_1", kNoon + 30min, "3"),
                      usage_event("e3", "ext_1", kNoon + 60min, "100")});
  CHECK(world.closed(kDue - 1us) == 0);
  CHECK(world.closed() == 1);
  CHECK(world.closed() == 0);
  const auto batches = world.pending(scope, kDue);
  REQUIRE(batches.size() == 1);
  const auto& batch = batches[0];
  CHECK(batch.customer_id.str() == world.customer);
  CHECK(batch.meter_id == world.meter.id);
  CHECK(batch.stripe_customer_id.str() == "cus_1");
  CHECK(batch.event_name == "billed_call");
  CHECK(batch.customer_key == "stripe_customer_id");
  CHECK(batch.value_key == "value");
  CHECK(batch.quantity == *Decimal::parse("5.5"));
  CHECK(batch.value == 5);
  CHECK(batch.event_count == 2);
  CHECK(batch.window == Segment{kNoon, kNoon + 60min});
  CHECK(batch.sequence == 1);
  CHECK(batch.timestamp == kNoon + 59min + 59s);
  CHECK(batch.identifier == batch_identifier(scope, batch.customer_id, batch.meter_id, "billed_call", batch.window, 1));
  CHECK(world.value("SELECT trim_scale(carry) FROM usage_carries") == "0.5");
  CHECK(world.audited_usage(scope).batched == 2);
}

TEST_CASE("late usage goes out under the next sequence; the carry goes from segment to segment", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.map_meter(scope, world.meter.id);
  world.store(scope, {usage_event("e1", "ext_1", kNoon, "0.6"), usage_event("e2", "ext_1", kNoon + 60min, "0.6"),
                      usage_event("e3", "ext_1", kNoon + 120min, "0.9")});
  CHECK(world.closed(kNoon + 185min) == 3);
  CHECK(world.value("SELECT string_agg(trim_scale(value) || status, ' ' ORDER BY window_start)"
                    " FROM stripe_sync_batches") == "0carried 1pending 1pending");
  CHECK(world.value("SELECT trim_scale(carry) FROM usage_carries") == "0.1");
  world.store(scope, {usage_event("e4", "ext_1", kNoon + 1min, "7")});
  CHECK(world.closed(kNoon + 185min) == 1);
  CHECK(world.value("SELECT trim_scale(quantity) || '/' || event_count || '/' || window_start::time || '/' || status"
                    " FROM stripe_sync_batches WHERE sequence = 2") == "7/1/12:00:00/pending");
  CHECK(world.closed(kNoon + 185min) == 0);
  world.audited_usage(scope);
}

TEST_CASE("only what is mapped, switched on and after the mapping's start is closed", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.new_customer(scope, "ext_2");
  world.store(scope, {usage_event("e1"), usage_event("e2", "ext_2"), usage_event("e3", "ext_1", kNoon - 1h),
                      usage_event("e4", "ext_1", kNoon + 20min), usage_event("e5", "nobody")});
  CHECK(world.closed() == 0);
  const auto mapping = world.map_meter(scope, world.meter.id, kNoon + 10min);
  CHECK(world.value("SELECT string_agg(trim_scale(quantity)::text, ' ' ORDER BY segment_start, customer_id)"
                    " FROM usage_rollups") == "1 1 1 1");  // noon's is cut in two
  REQUIRE(world.meters.update_meter_mapping(scope, mapping.id, false, world.admin));
  CHECK(world.closed() == 0);
  REQUIRE(world.meters.update_meter_mapping(scope, mapping.id, true, world.admin));
  CHECK(world.closed() == 1);
  CHECK(world.pending(scope, kDue).at(0).window == Segment{kNoon + 10min, kNoon + 60min});
  const auto totals = world.audited_usage(scope);
  CHECK(totals.ingested == 5);
  CHECK(totals.unattributed == 1);
  CHECK(totals.counted == 4);
  CHECK(totals.batched == 1);
  CHECK(totals.before_start == 3);
  const auto status = world.queries.usage_status(scope);
  REQUIRE(status);
  CHECK(status->events == 5);
  CHECK(status->events_unattributed == 1);
  CHECK(status->rollups_due == 0);
  CHECK(status->batches == std::map<std::string, std::int64_t>{{"pending", 1}});
}

TEST_CASE("a stale owner closes, books and matches nothing", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.map_meter(scope, world.meter.id);
  world.store(scope, {usage_event("e1"), usage_event("e2", "ext_9")});
  CHECK(world.closed() == 1);
  const auto batch = world.pending(scope, kDue).at(0);
  world.sql("UPDATE tenant_owner SET epoch = 2" + in_scope(scope));
  world.new_customer(scope, "ext_9", "cus_9");
  CHECK(world.close(scope, kDue).error().code == ErrorCode::version_conflict);
  CHECK(world.book(scope, batch, BatchStatus::sent).error().code == ErrorCode::version_conflict);
  CHECK(world.match_again(scope).error().code == ErrorCode::version_conflict);
  CHECK(world.pending(scope, kDue).size() == 1);
  CHECK(world.book(scope, batch, BatchStatus::sent, 2));
  CHECK(world.pending(scope, kDue).empty());
  CHECK(world.match_again(scope, 2) == 1);
}

TEST_CASE("of a customer and meter one batch is sent at a time, in order", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.map_meter(scope, world.meter.id);
  world.new_customer(scope, "ext_2", "cus_2");
  world.store(scope, {usage_event("e1"), usage_event("e2", "ext_1", kNoon - 1h), usage_event("e3", "ext_2")});
  CHECK(world.closed() == 3);
  auto heads = world.pending(scope, kDue);
  REQUIRE(heads.size() == 2);
  CHECK(heads[0].window.start == kNoon - 1h);
  CHECK(heads[1].stripe_customer_id.str() == "cus_2");
  CHECK(world.pending(scope, kDue, {heads[0].id, heads[1].id}).empty());
  CHECK(world.pending(scope, kDue - 1us).empty());  // not due yet

  auto later = heads[0];
  later.next_attempt_at = kDue + 1h;
  CHECK(world.book(scope, later, BatchStatus::pending));
  CHECK(world.pending(scope, kDue).size() == 1);  // the follower does not overtake
  CHECK(world.pending(scope, kDue + 1h).size() == 2);
  CHECK(world.book(scope, heads[0], BatchStatus::sent));
  heads = world.pending(scope, kDue);
  REQUIRE(heads.size() == 2);
  CHECK(heads[0].window.start == kNoon);
  BatchFilter is_sent;
  is_sent.status = "sent";
  const auto sent = world.queries.usage_batches(scope, is_sent);
  REQUIRE(sent);
  REQUIRE(sent->items.size() == 1);
  CHECK(sent->items[0].attempts == 1);
  CHECK(sent->items[0].synced_at == kDue);
  const auto report = world.audit_of_usage.run(scope, kDue);
  REQUIRE(report);
  REQUIRE(report->accepted.size() == 1);
  CHECK(report->accepted[0].value == 1);
  CHECK(report->accepted[0].hour.start == kNoon - 1h);
  CHECK(report->accepted[0].stripe_meter_id.str() == "mtr_" + world.meter.id.str());
}

TEST_CASE("a customer who appears later gets what was kept", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.store(scope, {usage_event("e1", "later", kNoon, "2"), usage_event("e2", "later", kNoon + 1h, "3"),
                      usage_event("e3", "never", kNoon, "5")});
  CHECK(world.match_again(scope) == 0);
  CHECK(world.rolled_up(scope).empty());
  world.new_customer(scope, "later", "cus_later");
  CHECK(world.match_again(scope, 1, 1) == 1);
  CHECK(world.match_again(scope) == 1);
  CHECK(world.match_again(scope) == 0);
  CHECK(world.rolled_up(scope) == "5/2");
  CHECK(world.audited_usage(scope).unattributed == 1);
}

TEST_CASE("a rejected batch is returned and billed under the next sequence", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.map_meter(scope, world.meter.id);
  world.store(scope, {usage_event("e1", "ext_1", kNoon, "2.7"), usage_event("e2", "ext_1", kNoon + 1h, "0.5")});
  CHECK(world.closed() == 1);
  CHECK(world.book(scope, world.pending(scope, kDue).at(0), BatchStatus::rejected));
  world.audited_usage(scope);
  CHECK(world.meters.return_rejected(scope, {}, world.admin) == 1);
  CHECK(world.meters.return_rejected(scope, {}, world.admin) == 0);
  world.audited_usage(scope);
  CHECK(world.closed(kNoon + 125min) == 2);
  CHECK(world.value("SELECT string_agg(sequence || ':' || trim_scale(value) || status, ' ' ORDER BY window_start,"
                    " sequence) FROM stripe_sync_batches") == "1:2returned 2:2pending 1:1pending");
  CHECK(world.value("SELECT trim_scale(carry) FROM usage_carries") == "0.2");
  CHECK(world.value("SELECT count(*) FROM audit_log WHERE entity_type = 'usage_batch' AND action = 'return'") == "1");
  world.audited_usage(scope);
}

TEST_CASE("usage that Stripe takes no more is made expired, and audits", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.map_meter(scope, world.meter.id, kNoon - 24h * 60);
  world.store(scope, {usage_event("e1", "ext_1", kNoon - 24h * 36, "2"), usage_event("e2", "ext_1", kNoon, "1e20")});
  CHECK(world.closed() == 2);
  CHECK(world.value("SELECT string_agg(status, ' ' ORDER BY window_start) FROM stripe_sync_batches") ==
        "expired rejected");
  CHECK(world.pending(scope, kDue).empty());
  world.audited_usage(scope);
}

TEST_CASE("keys are forgotten after 36 days, events are not", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  auto old = usage_event("old");
  old.received = kDue - 24h * 36 - 1s;
  auto young = usage_event("young");
  young.received = kDue - 24h * 36 + 1s;
  world.store(scope, {old, young});
  const auto sweep = [&](int rows) {
    std::promise<Result<std::int64_t>> promise;
    world.ledger.sweep_keys(scope, kDue, rows, [&](Result<std::int64_t> r) { promise.set_value(std::move(r)); });
    return promise.get_future().get();
  };
  CHECK(sweep(0) == 0);
  CHECK(sweep(10) == 1);
  CHECK(sweep(10) == 0);
  CHECK(world.value("SELECT event_id FROM usage_event_keys") == "young");
  UsageEventFilter filter;
  filter.event_id = "old";
  CHECK(world.queries.usage_events(scope, filter)->total == 1);
}

TEST_CASE("the audit names the first difference", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.map_meter(scope, world.meter.id);
  world.store(scope, {usage_event("e1", "ext_1", kNoon, "2.5"), usage_event("e2", "ext_1", kNoon + 60min, "3")});
  CHECK(world.closed() == 1);
  const auto difference = [&](const std::string& damage) {
    world.sql(damage);
    const auto report = world.audit_of_usage.run(scope, kDue);
    REQUIRE(report);
    REQUIRE(report->first_difference);
    const auto d = *report->first_difference;
    CHECK(d.customer_id.str() == world.customer);
    CHECK(d.meter_id == world.meter.id);
    return d.what + " " + d.expected.str() + " " + d.found.str();
  };
  CHECK(difference("UPDATE usage_rollups SET quantity = quantity + 1 WHERE pending") == "events and rollup 3 4");
  world.sql("UPDATE usage_rollups SET quantity = quantity - 1 WHERE pending");
  CHECK(difference("UPDATE usage_rollups SET batched_quantity = 2 WHERE NOT pending") == "rollup and batches 2 2.5");
  world.sql("UPDATE usage_rollups SET batched_quantity = 2.5 WHERE NOT pending");
  CHECK(difference("UPDATE usage_carries SET carry = 0.4") == "batches and values 2.5 2.4");
  world.sql("UPDATE usage_carries SET carry = 0.5");
  world.audited_usage(scope);
  CHECK(difference("DELETE FROM usage_rollups WHERE pending") == "events and rollup 3 0");
}

TEST_CASE("a connection lost while closing leaves all of it or nothing", "[usage_ledger]") {
  World world;
  const auto& scope = world.scope;
  world.map_meter(scope, world.meter.id);
  for (int i = 0; i < 20; ++i) {
    world.store(scope, {usage_event("e" + std::to_string(i), "ext_1", kNoon, "1.5")});
    std::promise<Result<store::Closed>> promise;
    world.ledger.close_windows(scope, {.epoch = 1, .now = kDue}, [&](auto r) { promise.set_value(std::move(r)); });
    auto closed = promise.get_future();
    closed.wait_for(i * 500us);  // each round is cut a little later: before, within and after the transaction
    PostgresFixture::instance().terminate_backends(world.database.name());
    closed.get();
    world.audited_usage(scope);
  }
  world.closed();
  CHECK(world.audited_usage(scope).batched == 20);
}
