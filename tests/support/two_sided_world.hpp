// The whole engine between an API that gives commands and a live Stripe that changes by itself, over a store in memory,
// driven by one random number generator: what happens next, what is delivered when, what fails. The same seed gives
// the same run.
#pragma once

#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/actor_fixture.hpp"
#include "support/live_stripe.hpp"

namespace flexsync::test {

struct TwoSidedPlan {
  int commands = 30;         // by the API
  int changes = 15;          // in Stripe's dashboard
  int customers_max = 6;     // made by the API; as many again may be made in Stripe
  bool deletions = true;     // on both sides
  int store_faults = 0;      // so many at random moments: the store unavailable, crashes, another owner
  int stripe_faults = 0;     // lost connections, 500s of each kind, 429s
  bool outage = false;       // Stripe is away for a while
  bool revoked = false;      // its key is
  bool key_expires = false;  // a day passes while outcomes are unknown
};

class TwoSidedWorld : public ActorFixture {
 public:
  TwoSidedWorld(std::uint64_t seed, const TwoSidedPlan& plan);

  // Everything happens, then the faults pass and time goes on until both sides rest.
  void play();
  // Both sides are equal, nothing was lost, nothing was done twice.
  void check();
  // All that happened, as text: what Stripe was asked, what the store holds.
  std::string story() const;

  LiveStripe live{held, clock};

 private:
  struct Issued {
    CustomerCommand command;
    int answers = 0;
    std::optional<Result<CustomerReply>> reply;
  };

  int pick(int choices) { return std::uniform_int_distribution<int>(0, choices - 1)(random_); }
  bool one_in(int choices) { return pick(choices) == 0; }
  std::string some_text();

  void give_command();
  decltype(CustomerCommand::action) some_action(CustomerId& id);
  UpdateCustomer some_update();
  void change_stripe();
  void deliver_one();
  void deliver(const CustomerEvent& event);
  void break_store();
  void break_stripe();
  void pass_time();
  void pass_a_day();
  void play_one();
  void settle_all();
  bool rests() const;

  void check_commands();
  void check_intents();
  void check_order();
  void check_stripe_customers();
  void check_pairs();
  std::map<std::string, std::int64_t> seqs_by_key() const;

  std::mt19937_64 random_;
  TwoSidedPlan plan_;
  actors::node_supervisor_actor node_;
  std::deque<Issued> issued_;
  std::vector<CustomerId> known_;         // ids that the API has given out
  std::vector<CustomerEvent> delivered_;  // some of them come again
  int in_stripe_ = 0;                     // made in the dashboard
  int last_external_ = 0;
};

}  // namespace flexsync::test
