// Random schedules of the whole engine: after settling, every event is settled once and each customer equals Stripe's.
// A failure prints its seed; FLEXSYNC_SEED=<seed> runs that one alone.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "support/engine_world.hpp"

using namespace flexsync;
using namespace flexsync::test;
using std::chrono::milliseconds;

namespace {

std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* wanted = std::getenv("FLEXSYNC_SEED")) {
    return {std::stoull(wanted)};
  }
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    all.push_back(seed);
  }
  return all;
}

template <class Configure>
void simulate(std::uint64_t count, const EnginePlan& plan, Configure configure) {
  for (const auto seed : seeds(count)) {
    INFO("FLEXSYNC_SEED=" << seed);
    EngineWorld world(seed, plan);
    configure(world.config);
    world.play();
    world.check();
  }
}

void small_limits(actors::ActorConfig& config) {
  config.page_rows_max = 7;
  config.in_flight_max = 12;
  config.entity_queue_max = 2;
  config.live_entities_max = 3;
  config.entity_idle = milliseconds{200};
  config.retry = {1'000, milliseconds{100}, milliseconds{1'000}};  // faults must not end as dead letters here
  config.refetch_attempts_max = 1'000;
}

void many_sweeps(actors::ActorConfig& config) {
  small_limits(config);
  config.tick = milliseconds{10};
  config.sweep_interval = milliseconds{30};
  config.entity_idle = milliseconds{10};
}

}  // namespace

TEST_CASE("random schedules without faults") {
  simulate(40, EnginePlan{}, [](actors::ActorConfig&) {});
}

TEST_CASE("passivation never gives one Stripe object two local ids") {
  EnginePlan plan;
  plan.customers = 40;
  simulate(60, plan, small_limits);
  simulate(60, plan, many_sweeps);
}

TEST_CASE("the same while metadata claims customers, rows commit late, and other events come between") {
  EnginePlan plan;
  plan.customers = 30;
  plan.claims = true;
  plan.late_commits = true;
  plan.others = 20;
  simulate(40, plan, small_limits);
}

TEST_CASE("faults and crashes at any moment lose nothing and double nothing") {
  EnginePlan plan;
  plan.faults = 25;
  plan.claims = true;
  plan.late_commits = true;
  plan.others = 20;
  simulate(150, plan, small_limits);
  plan.late_commits = false;
  simulate(150, plan, many_sweeps);
}
