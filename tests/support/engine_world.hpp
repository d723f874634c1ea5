// The whole engine over the fakes, driven by one random number generator: which message is handled next, which call
// takes effect or answers, what fails, when time passes. The same seed gives the same run.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "support/actor_fixture.hpp"

namespace flexsync::test {

struct EnginePlan {
  int customers = 20;
  int events_max = 6;  // per customer
  int faults = 0;      // so many at random moments: store and Stripe unavailable, crashes, another owner
  bool late_commits = false;
  bool claims = false;  // metadata names customers, of which half exist: pages wait for claims
  int others = 0;       // events of types without effect
};

class EngineWorld : public ActorFixture {
 public:
  EngineWorld(std::uint64_t seed, const EnginePlan& plan) : random_(seed), plan_(plan) {}

  // Until every event has come in, then until all is settled; fails when that does not happen.
  void play();
  // Every event settled once; each customer equal to its model; one local customer per Stripe customer.
  void check();

 private:
  struct Coming {
    const std::vector<StripeOperation>* history;
    std::size_t index;
  };

  int pick(int choices) { return std::uniform_int_distribution<int>(0, choices - 1)(random_); }
  void make_histories();
  void put_claimed(const std::string& external_id);
  void deliver_one();
  void show_late_rows(bool all);
  void fail_somewhere();
  void play_one();
  void settle_all();
  void check_customer(const std::vector<StripeOperation>& history);

  std::mt19937_64 random_;
  EnginePlan plan_;
  actors::node_supervisor_actor node_;
  std::vector<std::vector<StripeOperation>> histories_;
  std::vector<Coming> coming_;
  std::vector<std::pair<std::int64_t, Timestamp>> late_;  // rows not committed yet, and when they will be
};

}  // namespace flexsync::test
