// Where deliveries wait: ready to go, until a time, until others have overtaken them, or held until released.
// Not thread-safe: the dispatcher's lock guards it.
#pragma once

#include <deque>
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
  void push_until_overtaken(Delivery delivery) { overtaken_.push_back(std::move(delivery)); }
  void hold(Delivery delivery) { held_.push_back(std::move(delivery)); }

  // The next one to send at this time.
  std::optional<Delivery> take(SteadyTime now);

  // When the next one becomes ready, where none is.
  std::optional<SteadyTime> next_due() const;

  // An attempt to this endpoint is over: those that were to be overtaken come one nearer.
  void count_overtaking(const std::string& target_id);

  // For release: the caller takes out what it lets go.
  std::vector<Delivery>& held_deliveries() { return held_; }

  std::size_t waiting() const { return ready_.size() + later_.size() + overtaken_.size(); }
  std::size_t held() const { return held_.size(); }

 private:
  void promote(SteadyTime now);

  std::deque<Delivery> ready_;
  std::multimap<SteadyTime, Delivery> later_;
  std::vector<Delivery> overtaken_;
  std::vector<Delivery> held_;
};

}  // namespace stripe_sim
