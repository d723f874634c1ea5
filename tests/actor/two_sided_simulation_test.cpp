// Random schedules of both ways at once: after settling, both sides are equal, every command was answered once, and
// nothing was made twice. A failure prints its seed; FLEXSYNC_SEED=<seed> runs that one alone, FLEXSYNC_SEEDS=<count>
// so many of each.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "support/two_sided_world.hpp"

using namespace flexsync;
using namespace flexsync::test;

namespace {

std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* wanted = std::getenv("FLEXSYNC_SEED")) {
    return {std::stoull(wanted)};
  }
  if (const char* wanted = std::getenv("FLEXSYNC_SEEDS")) {
    count = std::stoull(wanted);
  }
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    all.push_back(seed);
  }
  return all;
}

void simulate(std::uint64_t count, const TwoSidedPlan& plan) {
  for (const auto seed : seeds(count)) {
    INFO("FLEXSYNC_SEED=" << seed);
    TwoSidedWorld world(seed, plan);
    world.play();
    world.check();
  }
}

}  // namespace

TEST_CASE("both ways at once, without faults") {
  simulate(40, {});
}

TEST_CASE("both ways at once while the store fails and actors fall") {
  TwoSidedPlan plan;
  plan.store_faults = 15;
  simulate(60, plan);
}

TEST_CASE("both ways at once while Stripe fails in every way it can") {
  TwoSidedPlan plan;
  plan.stripe_faults = 40;
  simulate(60, plan);
}

TEST_CASE("both ways at once while Stripe is away, its key is revoked, and a day passes") {
  TwoSidedPlan plan;
  plan.outage = true;
  plan.revoked = true;
  plan.stripe_faults = 20;
  plan.key_expires = true;
  simulate(40, plan);
}

TEST_CASE("both ways at once, and everything fails") {
  TwoSidedPlan plan;
  plan.store_faults = 20;
  plan.stripe_faults = 30;
  plan.outage = true;
  simulate(100, plan);
}

TEST_CASE("the same seed gives the same run") {
  TwoSidedPlan plan;
  plan.store_faults = 10;
  plan.stripe_faults = 10;
  const auto story = [&](std::uint64_t seed) {
    TwoSidedWorld world(seed, plan);
    world.play();
    return world.story();
  };
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto first = story(seed);
    story(seed + 100);
    CHECK(story(seed) == first);
  }
}
