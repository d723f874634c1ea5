// Delivers events to webhook endpoints, signed, with retries, and with whatever faults were asked for.
//
// It owns one thread and one lock and never calls back into the simulator, whose lock is therefore always the outer
// one. What it knows of endpoints it is told by set_target.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "stripe_sim/clock.hpp"
#include "stripe_sim/webhooks/delivery_log.hpp"
#include "stripe_sim/webhooks/delivery_queue.hpp"
#include "stripe_sim/webhooks/fault_plan.hpp"
#include "stripe_sim/webhooks/sender.hpp"

namespace stripe_sim {

struct ReleaseOrder {
  enum class Kind { given, reversed, random, listed } kind = Kind::given;
  std::vector<std::string> event_ids;  // listed: exactly these, in this order
  std::uint64_t seed = 0;              // random
};

class Dispatcher {
 public:
  // `idle`: nothing queued or on its way; otherwise the wait timed out. What is held, or waits for a time to which the
  // simulator's clock has not come, does not count.
  using IdleCallback = std::function<void(bool idle, Json counts)>;

  Dispatcher(const Clock& clock, std::uint64_t seed, DeliverySettings settings);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Ends the thread and forgets who waits; to be called while the server, to which the waiters belong, is still there.
  void stop();

  // A target without secrets keeps those it had.
  void set_target(Target target);
  void remove_target(const std::string& id);
  bool set_secrets(const std::string& id, std::vector<std::string> secrets);

  std::vector<Addressee> targets_for(const std::string& account_key, const std::string& event_type) const;
  Addressee target(const std::string& id) const;
  void publish(const std::string& event_id, const std::string& type, const std::vector<AddressedBody>& addressed);
  void resend(const std::string& event_id, const std::string& type, const std::vector<AddressedBody>& addressed);
  std::size_t pending_targets(const std::string& event_id) const;

  void set_settings(const Json& body);
  void set_faults(const Json& body);
  Json state() const;

  // The number of held deliveries let go; they go one after the other.
  std::size_t release_held(const ReleaseOrder& order);
  void when_idle(int timeout_ms, IdleCallback callback);
  Json log(const LogQuery& query) const;

  // What has not arrived yet, and when the clock would have to be moved to; what never will by itself.
  Json pending(std::size_t limit) const;
  Json undelivered() const;

  // The simulator's clock was moved.
  void wake() { sender_.wake(); }

 private:
  struct IdleWaiter {
    SteadyTime deadline;
    IdleCallback callback;
  };
  struct Undelivered {
    std::uint64_t number = 0;  // of the delivery: their order
    std::string event_type;
    const char* outcome = "";  // lost, given_up
  };
  struct Outgoing {
    std::uint64_t number;
    OutgoingPost post;
  };

  void run();
  std::vector<Outgoing> take_ready(SteadyTime now);
  bool prepare(Delivery& delivery, Outgoing& outgoing);
  void place(Delivery delivery, const Fate& fate, const Wait& wait);
  void finish(const PostResult& result);
  void fail(Delivery delivery, std::string outcome, int status, std::string error);
  void keep_undelivered(const Delivery& delivery, const char* outcome);
  void settle(const Delivery& delivery);
  void go_on(Delivery& delivery);
  void answer_idle_waiters(SteadyTime now, std::vector<std::function<void()>>& calls);
  int wait_ms(SteadyTime now) const;
  Json counts() const;
  bool idle() const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  DeliverySettings settings_;
  FaultPlan faults_;
  DeliveryQueue queue_;
  DeliveryLog log_;
  std::map<std::string, Target> targets_;
  std::unordered_map<std::string, std::set<std::string>> pending_;          // event to endpoints not yet reached
  std::map<std::pair<std::string, std::string>, Undelivered> undelivered_;  // by event and endpoint
  std::unordered_map<std::uint64_t, Delivery> in_flight_;
  std::vector<IdleWaiter> idle_waiters_;
  std::size_t chained_ = 0;
  std::uint64_t last_number_ = 0;
  bool stopping_ = false;
  Sender sender_;
  std::thread thread_;
};

}  // namespace stripe_sim
