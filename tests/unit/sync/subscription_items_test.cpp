// Which item is the plan: examples, and that the order in which events came never matters.
#include "sync/subscription_items.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

using namespace flexsync;
using namespace flexsync::sync;

namespace {

using Items = std::vector<stripe::SubscriptionItem>;

stripe::SubscriptionItem item(const std::string& id, std::int64_t created) {
  stripe::SubscriptionItem made;
  made.id = StripeId(id);
  made.created = from_unix_seconds(created);
  return made;
}

struct Shown {
  std::int64_t second;
  Items items;
  bool at_creation = false;
};

std::vector<SeenItem> remembered(const std::vector<Shown>& events) {
  std::vector<SeenItem> seen;
  for (const auto& event : events) {
    seen = remember(seen, event.items, from_unix_seconds(event.second), event.at_creation);
  }
  return seen;
}

std::string plan_after(const std::vector<Shown>& events, const Items& items) {
  return plan_item_of(remembered(events), items).str();
}

const auto kA = item("si_a", 10);
const auto kB = item("si_b", 20);
const auto kC = item("si_c", 30);

}  // namespace

TEST_CASE("at creation the oldest item is the plan, of one second the lowest id") {
  CHECK(plan_after({}, {kB, kA}) == "si_a");
  CHECK(plan_after({}, {item("si_z", 10), item("si_y", 10)}) == "si_y");
  CHECK(plan_after({}, {}).empty());
}

TEST_CASE("the plan's item stays it, whatever the order of the list and whatever comes beside it") {
  const std::vector<Shown> events{{10, {kA}}, {20, {kB, kA}}, {30, {kC, kB, kA}}};
  CHECK(plan_after(events, {kC, kB, kA}) == "si_a");
  CHECK(plan_after(events, {kA, kC}) == "si_a");
}

TEST_CASE("the plan's item is gone: the one that took its place, not the addon, is the plan") {
  CHECK(plan_after({{10, {kA}}, {20, {kA, kB}}, {30, {kB, kC}}}, {kB, kC}) == "si_c");
  CHECK(plan_after({{30, {kB, kC}}, {10, {kA}}, {20, {kA, kB}}}, {kB, kC}) == "si_c");
}

TEST_CASE("an item that was added in the second of the creation is an addon, whichever event comes first") {
  const auto late = item("si_0", 10);
  const Shown created{10, {kA}, true};
  const Shown updated{10, {late, kA}};
  CHECK(plan_after({created, updated}, {late, kA}) == "si_a");
  CHECK(plan_after({updated, created}, {late, kA}) == "si_a");
}

TEST_CASE("nothing took its place: the oldest addon is what is left") {
  CHECK(plan_after({{20, {kA, kB}}, {30, {kA, kB, kC}}, {40, {kB, kC}}}, {kB, kC}) == "si_b");
}

TEST_CASE("a plan's item is replaced twice") {
  const auto d = item("si_d", 40);
  CHECK(plan_after({{20, {kA, kB}}, {30, {kB, kC}}, {35, {kB, kC}}, {40, {kB, d}}}, {kB, d}) == "si_d");
}

TEST_CASE("an item of no known age is as old as can be") {
  CHECK(plan_after({}, {kA, item("si_x", 0)}) == "si_x");
}

TEST_CASE("the memory and the plan are the same in every order, with repetitions") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](int choices) { return std::uniform_int_distribution<int>(0, choices - 1)(random); };
    Items present;
    std::vector<Shown> events;
    std::int64_t second = 100;
    for (int i = 0; i < 6; ++i) {
      second += pick(3);
      if (!present.empty() && pick(3) == 0) {
        present.erase(present.begin() + pick(static_cast<int>(present.size())));
      }
      if (present.empty() || pick(2) == 0) {
        present.push_back(item("si_" + std::to_string(pick(1000)) + "_" + std::to_string(i), second));
      }
      events.push_back({second, present});
    }
    INFO("seed " << seed);
    const auto expected = remembered(events);
    const auto plan = plan_item_of(expected, present);
    CHECK(std::any_of(present.begin(), present.end(), [&](const auto& one) { return one.id == plan; }));
    for (int order = 0; order < 20; ++order) {
      auto shuffled = events;
      shuffled.push_back(events[static_cast<std::size_t>(pick(6))]);
      std::shuffle(shuffled.begin(), shuffled.end(), random);
      CHECK(remembered(shuffled) == expected);
    }
  }
}
