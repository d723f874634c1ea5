// What Stripe knows about subscriptions and shows nobody: whose payments succeed, which try is next, what is due when.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

// How a customer's payments go; set through /_sim/api/customers/{id}/payments.
struct PaymentHabits {
  bool succeed = true;
  bool has_payment_method = false;          // asked only where a trial ends with missing_payment_method=pause or cancel
  std::string after_last_try = "canceled";  // or unpaid, or past_due: what a subscription then becomes
};

struct SubscriptionProgress {
  bool is_trial_end_announced = false;
  std::optional<std::int64_t> payment_due;  // the next try
  int failed_tries = 0;
  std::int64_t changed_at = 0;  // nothing happens to it at an earlier moment
};

class SubscriptionLedger {
 public:
  using Due = std::pair<std::int64_t, std::string>;  // moment and subscription

  PaymentHabits habits(const std::string& customer_id) const;
  void set_habits(const std::string& customer_id, PaymentHabits habits);

  // `due`: when it next changes by itself; nothing: never.
  SubscriptionProgress progress(const std::string& id) const;
  void set_progress(const std::string& id, const SubscriptionProgress& progress, std::optional<std::int64_t> due);
  std::optional<Due> first_due() const;

  // Empty for an item that is on no subscription.
  std::string owner_of(const std::string& item_id) const;
  void set_items(const Json& before, const Json& after);

 private:
  struct Entry {
    SubscriptionProgress progress;
    std::optional<std::int64_t> due;
  };

  std::map<std::string, PaymentHabits> habits_;
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<std::string, std::string> owners_;
  std::set<Due> dues_;
};

}  // namespace stripe_sim
