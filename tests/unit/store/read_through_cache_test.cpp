#include "store/read_through_cache.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace flexsync;
using namespace flexsync::store;
using namespace std::chrono_literals;

namespace {

using Cache = ReadThroughCache<std::string, std::string>;

// Reads are answered when the test says so.
struct World {
  ManualClock clock{from_unix_seconds(1'795'000'000)};
  std::vector<std::pair<std::string, Cache::Reply>> reads;
  std::vector<std::string> answers;
  ReadThroughLimits limits;
  std::shared_ptr<Cache> cache;

  explicit World(ReadThroughLimits with = {}) : limits(with) {
    cache = std::make_shared<Cache>(
        clock, [this](const std::string& key, Cache::Reply reply) { reads.emplace_back(key, std::move(reply)); },
        limits);
  }

  Cache::Reply remember() {
    return [this](const Cache::Answer& answer) { answers.push_back(answer ? **answer : answer.error().message); };
  }
  void find(const std::string& key = "k") { cache->find(key, remember()); }
  void refresh(const std::string& key = "k") { cache->refresh(key, remember()); }

  void finish(const std::string& value) { answer(std::make_shared<const std::string>(value)); }
  void finish(ErrorCode code) { answer(fail(code, "failed")); }
  void answer(const Cache::Answer& answer) {
    REQUIRE_FALSE(reads.empty());
    const auto reply = std::move(reads.front().second);
    reads.erase(reads.begin());
    reply(answer);
  }
  std::vector<std::string> take() { return std::exchange(answers, {}); }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("many who miss one key share one read", "[read_through_cache]") {
  World world;
  for (int i = 0; i < 100; ++i) {
    world.find();
  }
  CHECK(world.reads.size() == 1);
  CHECK(world.take().empty());
  world.finish("v");
  CHECK(world.take() == Texts(100, "v"));
  world.find();
  CHECK(world.take() == Texts{"v"});
  CHECK(world.reads.empty());
}

TEST_CASE("an old value is served while one read renews it", "[read_through_cache]") {
  World world;
  world.find();
  world.finish("old");
  world.clock.advance(world.limits.fresh);
  for (int i = 0; i < 10; ++i) {
    world.find();
  }
  CHECK(world.take() == Texts(11, "old"));
  REQUIRE(world.reads.size() == 1);
  world.finish("new");
  world.find();
  CHECK(world.take() == Texts{"new"});
}

TEST_CASE("a read that fails leaves the value until it is too old to serve", "[read_through_cache]") {
  World world;
  world.find();
  world.finish("v");
  world.clock.advance(world.limits.fresh);
  world.find();
  world.finish(ErrorCode::service_unavailable);
  world.find();
  CHECK(world.take() == Texts{"v", "v", "v"});
  world.finish(ErrorCode::service_unavailable);
  world.clock.advance(world.limits.stale_max);
  world.find();
  CHECK(world.take().empty());
  world.finish(ErrorCode::service_unavailable);
  CHECK(world.take() == Texts{"failed"});
  world.find();
  CHECK(world.reads.size() == 1);  // such a failure is not kept
}

TEST_CASE("what is missing is believed for a moment, and ends what was known", "[read_through_cache]") {
  World world;
  world.find();
  world.finish("v");
  world.clock.advance(world.limits.fresh);
  world.find();
  world.finish(ErrorCode::not_found);
  CHECK(world.take() == Texts{"v", "v"});
  world.find();
  CHECK(world.take() == Texts{"failed"});
  world.clock.advance(world.limits.missing);
  world.find();
  world.finish("again");
  CHECK(world.take() == Texts{"again"});
}

TEST_CASE("a read that was under way at a change is repeated before it answers", "[read_through_cache]") {
  World world;
  world.find();
  world.cache->invalidate("k");
  world.find();
  world.finish("before the change");
  CHECK(world.take().empty());
  world.finish("after it");
  CHECK(world.take() == Texts{"after it", "after it"});
  world.cache->invalidate_all();
  world.find();
  CHECK(world.reads.size() == 1);
}

TEST_CASE("a refresh reads what is known anew, and joins a read that is under way", "[read_through_cache]") {
  World world;
  world.refresh();  // nothing known: as find
  world.refresh();
  CHECK(world.reads.size() == 1);
  world.finish("1");
  world.refresh();
  world.refresh();
  CHECK(world.reads.size() == 1);
  world.finish("2");
  CHECK(world.take() == Texts{"1", "1", "2", "2"});
  world.refresh();
  CHECK(world.take() == Texts{"2"});
  CHECK(world.reads.empty());
  world.clock.advance(world.limits.refresh_interval);
  world.refresh();
  CHECK(world.reads.size() == 1);
}

TEST_CASE("nonsense neither fills the cache nor starts reads without end", "[read_through_cache]") {
  ReadThroughLimits limits;
  limits.reads_max = 4;
  World world(limits);
  for (int i = 0; i < 1'000; ++i) {
    world.find("nonsense " + std::to_string(i));
  }
  CHECK(world.reads.size() == 4 * 16);
  CHECK(world.take().size() == 1'000 - 4 * 16);
  while (!world.reads.empty()) {
    world.finish(ErrorCode::not_found);
  }
  world.find();
  world.finish("v");
  CHECK(world.take().back() == "v");
}

TEST_CASE("no more is kept than the limit, and what was dropped is read again", "[read_through_cache]") {
  ReadThroughLimits limits;
  limits.found_max = 2;
  World world(limits);
  for (int i = 0; i < 200; ++i) {
    world.find(std::to_string(i));
    world.finish("v");
  }
  int kept = 0;
  for (int i = 0; i < 200; ++i) {
    world.find(std::to_string(i));
    kept += world.reads.empty() ? 1 : 0;
    if (!world.reads.empty()) {
      world.reads.pop_back();
    }
  }
  CHECK(kept > 0);
  CHECK(kept <= 2 * 16);
}

TEST_CASE("a read may outlive whoever held the cache", "[read_through_cache]") {
  World world;
  world.find();
  world.cache.reset();
  world.finish("v");
  CHECK(world.take() == Texts{"v"});
}
