// One event on its way to one endpoint, and what governs its way.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace stripe_sim {

using SteadyTime = std::chrono::steady_clock::time_point;

struct DeliverySettings {
  int concurrency = 8;        // deliveries on their way at once
  int retry_base_ms = 200;    // the first retry comes after this long, each later one after twice as long
  int retry_cap_ms = 5'000;   // ... but never longer than this
  int tries_max = 30;         // then the delivery is given up
  int timeout_ms = 20'000;    // for one attempt
  int reorder_wait_ms = 100;  // a reordered delivery that nobody overtakes goes after this
  bool sign_with_sim_clock = false;
};

// A webhook endpoint, as far as deliveries need it.
struct Target {
  std::string id;           // we_...
  std::string account_key;  // only its own account's events
  std::string url;
  std::vector<std::string> secrets;  // each signs, as while a secret is rolled
  std::vector<std::string> enabled_events;
  std::string api_version;  // of what it gets; empty: of the account
  bool enabled = true;
};

// An endpoint that wants an event, and in which version.
struct Addressee {
  std::string target_id;
  std::string api_version;  // empty: the account's
};

// What an endpoint gets.
struct AddressedBody {
  std::string target_id;
  std::shared_ptr<const std::string> body;
};

struct EventRef {
  std::string id;
  std::string type;
  std::shared_ptr<const std::string> body;
};

struct Delivery;

// Deliveries that go one after the other, so that their order of arrival is the order asked for.
using Chain = std::deque<Delivery>;

struct Delivery {
  std::uint64_t number = 0;
  EventRef event;
  std::string target_id;
  int attempt = 0;         // of the attempt under way, from 1
  bool duplicate = false;  // a second copy, sent as a fault
  bool resent = false;     // asked for by hand: no random faults
  bool lost_on_drop = false;
  int drops_left = 0;            // this many attempts fail without being sent
  int overtaken_by = 0;          // this many later deliveries to the same endpoint go first
  SteadyTime due{};              // where it waits: when it goes at the latest
  std::int64_t due_unix = 0;     // where it waits for the simulator's clock: when it goes
  std::shared_ptr<Chain> chain;  // what follows when this attempt is over
};

}  // namespace stripe_sim
