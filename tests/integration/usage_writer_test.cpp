#include "store/usage_writer.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "integration/usage_world.hpp"
#include "telemetry/failpoint.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::testing::in_scope;
using flexsync::testing::kNoon;
using flexsync::testing::PostgresFixture;
using flexsync::testing::usage_event;
using flexsync::testing::UsageWorld;

namespace {

void check_receipt(const Result<UsageReceipt>& receipt, std::size_t stored, std::size_t duplicates) {
  INFO((receipt ? "" : receipt.error().message));
  REQUIRE(receipt);
  CHECK(receipt->stored == stored);
  CHECK(receipt->duplicates == duplicates);
}

}  // namespace

TEST_CASE("an event counts once: in a call, across calls, across midnight; its first content wins", "[usage_writer]") {
  UsageWorld world;
  const auto scope = world.new_scope();
  world.new_customer(scope);
  world.new_meter(scope);
  check_receipt(world.store(scope, {usage_event("e1", "ext_1", kNoon, "5"), usage_event("e2", "ext_1", kNoon, "7"),
                                    usage_event("e1", "ext_1", kNoon, "100")}),
                2, 1);
  check_receipt(world.store(scope, {usage_event("e2", "ext_1", kNoon, "100"), usage_event("e3", "ext_1", kNoon, "1")}),
                1, 1);
  check_receipt(world.store(scope, {usage_event("e1", "ext_1", kNoon + 13h, "100")}), 0, 1);
  CHECK(world.rolled_up(scope) == "13/3");
  CHECK(world.value("SELECT count(*) FROM usage_events") == "3");
  CHECK(world.audited_usage(scope).counted == 3);
}

TEST_CASE("the same event from eight threads a thousand times is one", "[usage_writer]") {
  UsageWorld world;
  const auto scope = world.new_scope();
  world.new_customer(scope);
  world.new_meter(scope);
  std::atomic<std::size_t> stored = 0;
  std::atomic<std::size_t> duplicates = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 125; ++i) {
        if (const auto receipt = world.store(scope, {usage_event("same", "ext_1", kNoon, std::to_string(t + 1))})) {
          stored += receipt->stored;
          duplicates += receipt->duplicates;
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(stored == 1);
  CHECK(duplicates == 999);
  CHECK(world.value("SELECT count(*) || '/' || sum(event_count) FROM usage_rollups") == "1/1");
  CHECK(world.audited_usage(scope).counted == 1);
}

TEST_CASE("tenants' events of one id are different events, also in one commit", "[usage_writer]") {
  UsageWorld world;
  std::vector<Scope> scopes;
  std::vector<std::future<Result<UsageReceipt>>> answers;
  for (int i = 0; i < 8; ++i) {
    scopes.push_back(world.new_scope());
    world.new_customer(scopes.back());
    world.new_meter(scopes.back());
  }
  std::vector<std::promise<Result<UsageReceipt>>> promises(scopes.size());
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    world.writer->store({scopes[i], {usage_event("same", "ext_1", kNoon, std::to_string(i + 1))}, ""},
                        [&promise = promises[i]](Result<UsageReceipt> r) { promise.set_value(std::move(r)); });
  }
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    check_receipt(promises[i].get_future().get(), 1, 0);
    CHECK(world.rolled_up(scopes[i]) == std::to_string(i + 1) + "/1");
  }
}

TEST_CASE("quantities are exact, segments are half-open windows", "[usage_writer]") {
  UsageWorld world;
  const auto scope = world.new_scope();
  world.new_customer(scope);
  world.new_meter(scope);
  std::vector<UsageEvent> events;
  for (int i = 0; i < 1000; ++i) {
    events.push_back(usage_event("e" + std::to_string(i), "ext_1", kNoon + 59min, "0.1"));
  }
  check_receipt(world.store(scope, events), 1000, 0);
  world.store(scope, {usage_event("tiny", "ext_1", kNoon, "0.000000000000000000000000000001"),
                      usage_event("big", "ext_1", kNoon + 60min, "123456789012345678901234"),
                      usage_event("last", "ext_1", kNoon + 60min - 1us, "-3"),
                      usage_event("none", "ext_1", kNoon, "many"), usage_event("huge", "ext_1", kNoon, "1e40")});
  CHECK(world.value("SELECT string_agg(trim_scale(quantity) || '/' || event_count, ' ' ORDER BY segment_start)"
                    " FROM usage_rollups") == "97.000000000000000000000000000001/1002 123456789012345678901234/1");
  CHECK(world.audited_usage(scope).ingested == 1005);
}

TEST_CASE("text comes back as it was sent; what no column takes is refused alone", "[usage_writer]") {
  UsageWorld world;
  const auto scope = world.new_scope();
  auto odd = usage_event("odd", "ext \"1\"\\, {}");
  odd.properties = {{"nul", std::string("a\0b", 3)}, {"quote\"d", "\\\"{},\n\t"}, {"euro", "\u20ac"}, {"", ""}};
  check_receipt(world.store(scope, {odd}), 1, 0);
  UsageEventFilter filter;
  filter.event_id = "odd";
  const auto page = world.queries.usage_events(scope, filter);
  REQUIRE(page);
  REQUIRE(page->items.size() == 1);
  CHECK(page->items[0] == odd);

  auto bad = usage_event("bad");
  bad.event_name = "\xff";
  CHECK(world.store(scope, {bad}).error().code == ErrorCode::validation_error);
  bad = usage_event(std::string(256, 'x'));
  CHECK(world.store(scope, {bad}).error().code == ErrorCode::validation_error);
  bad = usage_event("bad");
  bad.properties["key"] = "\xc3";
  CHECK(world.store(scope, {bad}).error().code == ErrorCode::validation_error);
}

TEST_CASE("an event counts for the customer it names by our id, if there is one, else by its own", "[usage_writer]") {
  UsageWorld world;
  const auto scope = world.new_scope();
  const auto stranger = world.new_scope();
  const auto first = world.new_customer(scope, "ext_1");
  const auto second = world.new_customer(scope, "ext_2");
  const auto theirs = world.new_customer(stranger, "ext_3");
  auto by_id = usage_event("by_id", "ext_1");
  by_id.customer_id = CustomerId{second};
  auto foreign = usage_event("foreign", "ext_1");
  foreign.customer_id = CustomerId{theirs};
  check_receipt(world.store(scope, {by_id, foreign, usage_event("unknown", "ext_3")}), 3, 0);
  CHECK(world.value("SELECT customer_id FROM usage_events WHERE event_id = 'by_id'") == second);
  CHECK(world.value("SELECT customer_id FROM usage_events WHERE event_id = 'foreign'") == first);
  CHECK(world.value("SELECT customer_id FROM usage_events WHERE event_id = 'unknown'").empty());
}

TEST_CASE("a lost connection costs no event and counts none twice", "[usage_writer]") {
  UsageWorld world;
  const auto scope = world.new_scope();
  world.new_customer(scope);
  world.new_meter(scope, Aggregation::count);
  check_receipt(world.store(scope, {usage_event("e0")}), 1, 0);
  PostgresFixture::instance().terminate_backends(world.database.name());
  check_receipt(world.store(scope, {usage_event("e1")}), 1, 0);

  for (const std::string point : {"usage.before_commit", "usage.after_commit"}) {
    failpoint::arm(point + "=throw");
    CHECK_FALSE(world.store(scope, {usage_event(point)}));
    failpoint::arm("");
    const bool was_stored = point == "usage.after_commit";
    check_receipt(world.store(scope, {usage_event(point)}), was_stored ? 0 : 1, was_stored ? 1 : 0);
  }
  CHECK(world.rolled_up(scope) == "4/4");

  constexpr int kCut = 60;
  for (int i = 0; i < kCut; ++i) {
    const std::vector<UsageEvent> events = {usage_event("cut_" + std::to_string(i))};
    std::promise<Result<UsageReceipt>> promise;
    world.writer->store({scope, events, ""}, [&](auto r) { promise.set_value(std::move(r)); });
    auto receipt = promise.get_future();
    receipt.wait_for(i % 20 * 250us);  // cut before, within and after its commit
    PostgresFixture::instance().terminate_backends(world.database.name());
    if (!receipt.get()) {
      REQUIRE(world.store(scope, events));
    }
  }
  const auto all = std::to_string(4 + kCut);
  CHECK(world.rolled_up(scope) == all + "/" + all);
  CHECK(world.value("SELECT count(*) FROM usage_events") == all);
}

TEST_CASE("while a tenant's meters are being changed, its events wait and the others' do not", "[usage_writer]") {
  store::UsageWriterConfig config;
  config.writers = 1;
  UsageWorld world(config);
  const auto busy = world.new_scope();
  const auto other = world.new_scope();
  pqxx::connection changing(world.database.url());
  auto tx = std::make_unique<pqxx::work>(changing);
  tx->exec("SELECT pg_advisory_xact_lock(hashtextextended('meters/" + busy.tenant.str() + "/" + busy.environment.str() +
           "', 0))");
  std::promise<Result<UsageReceipt>> waiting;
  world.writer->store({busy, {usage_event("e1")}, ""},
                      [&](Result<UsageReceipt> r) { waiting.set_value(std::move(r)); });
  for (int i = 0; i < 5; ++i) {
    check_receipt(world.store(other, {usage_event("e" + std::to_string(i))}), 1, 0);
  }
  auto answer = waiting.get_future();
  CHECK(answer.wait_for(0s) == std::future_status::timeout);
  tx.reset();
  check_receipt(answer.get(), 1, 0);
}

TEST_CASE("more usage than may wait is refused, to come again", "[usage_writer]") {
  store::UsageWriterConfig config;
  config.queue_rows_max = 2;
  UsageWorld world(config);
  const auto scope = world.new_scope();
  const auto refused = world.store(scope, {usage_event("e1"), usage_event("e2"), usage_event("e3")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::service_unavailable);
  check_receipt(world.store(scope, {usage_event("e1"), usage_event("e2")}), 2, 0);
}
