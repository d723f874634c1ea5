#include "stripe_sim/subscription_ledger.hpp"

namespace stripe_sim {

PaymentHabits SubscriptionLedger::habits(const std::string& customer_id) const {
  const auto found = habits_.find(customer_id);
  return found == habits_.end() ? PaymentHabits() : found->second;
}

void SubscriptionLedger::set_habits(const std::string& customer_id, PaymentHabits habits) {
  habits_[customer_id] = std::move(habits);
}

SubscriptionProgress SubscriptionLedger::progress(const std::string& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? SubscriptionProgress() : found->second.progress;
}

void SubscriptionLedger::set_progress(const std::string& id, const SubscriptionProgress& progress,
                                      std::optional<std::int64_t> due) {
  Entry& entry = entries_[id];
  if (entry.due) {
    dues_.erase({*entry.due, id});
  }
  if (due) {
    dues_.emplace(*due, id);
  }
  entry = {progress, due};
}

std::optional<SubscriptionLedger::Due> SubscriptionLedger::first_due() const {
  return dues_.empty() ? std::nullopt : std::optional(*dues_.begin());
}

std::string SubscriptionLedger::owner_of(const std::string& item_id) const {
  const auto found = owners_.find(item_id);
  return found == owners_.end() ? std::string() : found->second;
}

void SubscriptionLedger::set_items(const Json& before, const Json& after) {
  if (!before.is_null()) {
    for (const Json& item : before.at("items").at("data")) {
      owners_.erase(item.at("id").get<std::string>());
    }
  }
  for (const Json& item : after.at("items").at("data")) {
    owners_[item.at("id").get<std::string>()] = after.at("id").get<std::string>();
  }
}

}  // namespace stripe_sim
