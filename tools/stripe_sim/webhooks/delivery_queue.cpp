#include "stripe_sim/webhooks/delivery_queue.hpp"

#include <algorithm>
#include <iterator>

namespace stripe_sim {

void DeliveryQueue::push_until_due(Delivery delivery) {
  const SteadyTime due = delivery.due;
  later_.emplace(due, std::move(delivery));
}

void DeliveryQueue::promote(SteadyTime now) {
  while (!later_.empty() && later_.begin()->first <= now) {
    ready_.push_back(std::move(later_.begin()->second));
    later_.erase(later_.begin());
  }
  // Overtaken enough: before all that is ready, or still more would pass. Their own order stays.
  const auto ripe = std::stable_partition(overtaken_.begin(), overtaken_.end(), [now](const Delivery& waiting) {
    return waiting.overtaken_by > 0 && waiting.due > now;
  });
  ready_.insert(ready_.begin(), std::make_move_iterator(ripe), std::make_move_iterator(overtaken_.end()));
  overtaken_.erase(ripe, overtaken_.end());
}

std::optional<Delivery> DeliveryQueue::take(SteadyTime now) {
  promote(now);
  if (ready_.empty()) {
    return std::nullopt;
  }
  Delivery next = std::move(ready_.front());
  ready_.pop_front();
  return next;
}

std::optional<SteadyTime> DeliveryQueue::next_due() const {
  std::optional<SteadyTime> due;
  if (!ready_.empty()) {
    return SteadyTime::min();
  }
  if (!later_.empty()) {
    due = later_.begin()->first;
  }
  for (const Delivery& waiting : overtaken_) {
    due = due ? std::min(*due, waiting.due) : waiting.due;
  }
  return due;
}

void DeliveryQueue::count_overtaking(const std::string& target_id) {
  for (Delivery& waiting : overtaken_) {
    if (waiting.target_id == target_id) {
      --waiting.overtaken_by;
    }
  }
}

}  // namespace stripe_sim
