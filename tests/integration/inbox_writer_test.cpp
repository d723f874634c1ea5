#include "store/inbox_writer.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "integration/store_world.hpp"

using namespace flexsync;
using flexsync::store::InboxWriter;
using flexsync::store::InboxWriterConfig;
using flexsync::testing::kStart;
using flexsync::testing::StoreWorld;

namespace {

IncomingEvent event(const Scope& scope, const std::string& id, std::string payload = "{}") {
  IncomingEvent incoming;
  incoming.scope = scope;
  incoming.id = StripeEventId{id};
  incoming.type = "customer.created";
  incoming.object_type = "customer";
  incoming.object_id = "cus_" + id;
  incoming.created = kStart;
  incoming.received = kStart;
  incoming.payload = std::move(payload);
  return incoming;
}

struct World : StoreWorld {
  World() {
    InboxWriterConfig config;
    config.url = database.url();
    config.batch_bytes_max = 64 * 1024;
    writer = std::make_unique<InboxWriter>(config, metrics, precedence, [this](const Scope& scope) {
      const std::lock_guard lock(mutex);
      woken.push_back(scope);
    });
  }

  // All at once, so that they share commits; the answers in order.
  std::vector<Result<IntakeResult>> store(const std::vector<IncomingEvent>& events) {
    std::vector<std::promise<Result<IntakeResult>>> promises(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      writer->store(events[i], [&promise = promises[i]](Result<IntakeResult> r) { promise.set_value(std::move(r)); });
    }
    std::vector<Result<IntakeResult>> answers;
    for (auto& promise : promises) {
      answers.push_back(promise.get_future().get());
    }
    return answers;
  }

  store::Precedence precedence;
  std::mutex mutex;
  std::vector<Scope> woken;
  std::unique_ptr<InboxWriter> writer;
};

}  // namespace

TEST_CASE("an event is stored once, however often and however close it comes", "[inbox_writer]") {
  World world;
  const auto scope = world.new_scope();
  const auto answers = world.store(std::vector<IncomingEvent>(200, event(scope, "evt_1")));
  for (const auto& answer : answers) {
    REQUIRE(answer);
  }
  CHECK(world.value("SELECT count(*) FROM inbox") == "1");
  CHECK(world.store({event(scope, "evt_1")}).front() == IntakeResult::duplicate);
  CHECK(world.store({event(scope, "evt_2")}).front() == IntakeResult::stored);
}

TEST_CASE("bodies come back byte for byte, whatever they hold and however large", "[inbox_writer]") {
  World world;
  const auto scope = world.new_scope();
  const std::string nul("{\"a\":\"\0\"}", 9);
  const std::string large(300'000, '\xC3');
  world.store({event(scope, "evt_1", nul), event(scope, "evt_2", large), event(scope, "evt_3", "\\\"{},")});
  CHECK(world.value("SELECT encode(payload, 'hex') FROM inbox WHERE event_id = 'evt_1'") == "7b2261223a2200227d");
  CHECK(world.value("SELECT count(*) FROM inbox WHERE event_id = 'evt_2' AND payload = "
                    "decode(repeat('c3', 300000), 'hex') AND payload_bytes = 300000") == "1");
  CHECK(world.value("SELECT convert_from(payload, 'UTF8') FROM inbox WHERE event_id = 'evt_3'") == "\\\"{},");
}

TEST_CASE("one statement stores the events of many tenants, and each is woken", "[inbox_writer]") {
  World world;
  std::vector<IncomingEvent> events;
  std::vector<Scope> scopes;
  for (int i = 0; i < 8; ++i) {
    scopes.push_back(world.new_scope());
    events.push_back(event(scopes.back(), "evt_same"));  // event ids are unique per tenant only
  }
  for (const auto& answer : world.store(events)) {
    CHECK(answer == IntakeResult::stored);
  }
  world.writer.reset();
  for (const auto& scope : scopes) {
    CHECK(std::count(world.woken.begin(), world.woken.end(), scope) == 1);
  }
}

TEST_CASE("a row that PostgreSQL refuses costs no other one", "[inbox_writer]") {
  World world;
  const auto scope = world.new_scope();
  auto bad = event(scope, "evt_bad");
  bad.type = "\xFF";  // not UTF-8: cannot be text
  const auto answers = world.store({event(scope, "evt_1"), bad, event(scope, "evt_2")});
  CHECK(answers[0] == IntakeResult::stored);
  REQUIRE_FALSE(answers[1]);
  CHECK(answers[1].error().code == ErrorCode::database_error);
  CHECK(answers[2] == IntakeResult::stored);
}

TEST_CASE("connections that were cut are opened anew, and nothing is refused for it", "[inbox_writer]") {
  World world;
  const auto scope = world.new_scope();
  REQUIRE(world.store({event(scope, "evt_1")}).front());
  flexsync::testing::PostgresFixture::instance().terminate_backends(world.database.name());
  CHECK(world.store({event(scope, "evt_2")}).front() == IntakeResult::stored);
}

TEST_CASE("what is queued when the writer stops is stored", "[inbox_writer]") {
  World world;
  const auto scope = world.new_scope();
  std::atomic<int> stored = 0;
  for (int i = 0; i < 1'000; ++i) {
    world.writer->store(event(scope, "evt_" + std::to_string(i)),
                        [&](const auto& answer) { stored += answer ? 1 : 0; });
  }
  world.writer.reset();
  CHECK(stored == 1'000);
  CHECK(world.value("SELECT count(*) FROM inbox") == "1000");
}
