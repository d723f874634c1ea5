// Where deliveries wait: ready to go, until a time, until the simulator's clock has come so far, until others have
// overtaken them, or held until released.
// Not thread-safe: the dispatcher's lock guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stripe_sim/webhooks/delivery.hpp"

namespace stripe_sim {

class DeliveryQueue {
 public:
  void push(Delivery delivery) { ready_.push_back(std::move(delivery)); }
  void push_first(Delivery delivery) { ready_.push_front(std::move(delivery)); }
  void push_until_due(Delivery delivery);
  void push_until_clock(Delivery delivery);
  void push_until_overtaken(Delivery delivery) { overtaken_.push_back(std::move(delivery)); }
  void hold(Delivery delivery) { held_.push_back(std::move(delivery)); }

  // The next one to send at this time, the machine's and the simulator's.
  std::optional<Delivery> take(SteadyTime now, std::int64_t now_unix);

  // When the next one becomes ready, where none is.
  std::optional<SteadyTime> next_due() const;

  // An attempt to this endpoint is over: those that were to be overtaken come one nearer.
  void count_overtaking(const std::string& target_id);

  // For release: the caller takes out what it lets go.
  std::vector<Delivery>& held_deliveries() { return held_; }

  // What goes by itself, without the simulator's clock being moved.
  std::size_t waiting() const { return ready_.size() + later_.size() + overtaken_.size(); }
  std::size_t held() const { return held_.size(); }
  std::size_t waiting_for_clock() const { return for_clock_.size(); }

  // When the first and the last one are due that wait for the clock; nothing: none does.
  std::optional<std::int64_t> first_due_unix() const;
  std::optional<std::int64_t> last_due_unix() const;

  // Every delivery here, with the reason why it waits.
  using Visitor = std::function<void(const Delivery&, const char* waits_for)>;
  void visit(const Visitor& visitor) const;

 private:
  void promote(SteadyTime now, std::int64_t now_unix);

  std::deque<Delivery> ready_;
  std::multimap<SteadyTime, Delivery> later_;
  std::multimap<std::int64_t, Delivery> for_clock_;  // by unix seconds of the simulator's clock
  std::vector<Delivery> overtaken_;
  std::vector<Delivery> held_;
};

}  // namespace stripe_sim
