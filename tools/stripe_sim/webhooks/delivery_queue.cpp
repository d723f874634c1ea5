#include "stripe_sim/webhooks/delivery_queue.hpp"

#include <algorithm>
#include <iterator>

namespace stripe_sim {

void DeliveryQueue::push_until_due(Delivery delivery) {
  const SteadyTime due = delivery.due;
  later_.emplace(due, std::move(delivery));
}

void DeliveryQueue::push_until_clock(Delivery delivery) {
  const std::int64_t due = delivery.due_unix;
  for_clock_.emplace(due, std::move(delivery));
}

void DeliveryQueue::promote(SteadyTime now, std::int64_t now_unix) {
  while (!for_clock_.empty() && for_clock_.begin()->first <= now_unix) {
    ready_.push_back(std::move(for_clock_.begin()->second));
    for_clock_.erase(for_clock_.begin());
  }
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

std::optional<Delivery> DeliveryQueue::take(SteadyTime now, std::int64_t now_unix) {
  promote(now, now_unix);
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

std::optional<std::int64_t> DeliveryQueue::first_due_unix() const {
  return for_clock_.empty() ? std::nullopt : std::optional(for_clock_.begin()->first);
}

std::optional<std::int64_t> DeliveryQueue::last_due_unix() const {
  return for_clock_.empty() ? std::nullopt : std::optional(for_clock_.rbegin()->first);
}

void DeliveryQueue::visit(const Visitor& visitor) const {
  for (const Delivery& delivery : ready_) {
    visitor(delivery, "turn");
  }
  for (const auto& [due, delivery] : later_) {
    visitor(delivery, delivery.attempt > 0 ? "retry" : "delay");
  }
  for (const Delivery& delivery : overtaken_) {
    visitor(delivery, "overtaking");
  }
  for (const auto& [due, delivery] : for_clock_) {
    visitor(delivery, "clock");
  }
  for (const Delivery& delivery : held_) {
    visitor(delivery, "release");
  }
}

void DeliveryQueue::count_overtaking(const std::string& target_id) {
  for (Delivery& waiting : overtaken_) {
    if (waiting.target_id == target_id) {
      --waiting.overtaken_by;
    }
  }
}

}  // namespace stripe_sim
