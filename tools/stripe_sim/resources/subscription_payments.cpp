#include "stripe_sim/resources/subscription_payments.hpp"

#include <algorithm>
#include <array>

#include "stripe_sim/resources/subscription_life.hpp"

namespace stripe_sim {

namespace {

constexpr std::int64_t kHourSeconds = 3'600;
constexpr std::int64_t kDaySeconds = 24 * kHourSeconds;
constexpr std::int64_t kDraftSeconds = kHourSeconds;  // a renewal's invoice is a draft for so long before it is tried
constexpr std::array<std::int64_t, 3> kRetryDays = {3, 5, 7};

bool charges(const Json& subscription) {
  return subscription.at("collection_method") == "charge_automatically";
}

bool is_status(const Json& subscription, std::initializer_list<const char*> statuses) {
  return std::any_of(statuses.begin(), statuses.end(),
                     [&](const char* status) { return subscription.at("status") == status; });
}

bool costs_money(const Json& item) {
  const Json& price = item.at("price");
  return price.at("recurring").at("usage_type") == "licensed" && item.at("quantity") != 0 &&
         price.at("unit_amount_decimal") != "0";
}

// The changes that waited for their payment. Periods that rolled in the meantime stay.
void apply_pending_update(Json& subscription, std::int64_t moment) {
  const Json pending = subscription.at("pending_update");
  subscription["pending_update"] = nullptr;
  if (!pending.at("subscription_items").is_null()) {
    const Json old = subscription["items"]["data"];
    subscription["items"]["data"] = pending.at("subscription_items");
    for (Json& item : subscription["items"]["data"]) {
      const auto same = std::find_if(old.begin(), old.end(), [&](const Json& other) {
        return other.at("id") == item.at("id") && other.at("price").at("recurring") == item.at("price").at("recurring");
      });
      for (const char* field : {"current_period_start", "current_period_end"}) {
        item[field] = same == old.end() ? Json() : same->at(field);
      }
    }
    fill_periods(subscription, moment);
  }
  if (!pending.at("trial_end").is_null() && subscription.at("status") == "trialing") {
    subscription["trial_end"] = moment;
    subscription["status"] = "active";
  }
  if (!pending.at("billing_cycle_anchor").is_null()) {
    start_cycle(subscription, moment, moment);
  }
  if (!pending.at("metadata").is_null()) {
    subscription["metadata"] = pending.at("metadata");
  }
  if (!pending.at("cancel_at_period_end").is_null()) {
    set_cancellation(subscription, pending.at("cancel_at_period_end") == true, first_period_end(subscription), moment);
  }
}

}  // namespace

bool must_pay(const Json& subscription) {
  const Json& items = subscription.at("items").at("data");
  return charges(subscription) && subscription.at("pause_collection").is_null() &&
         std::any_of(items.begin(), items.end(), costs_money);
}

void request_payment(const Json& subscription, SubscriptionProgress& progress, std::int64_t moment) {
  if (progress.payment_due || !is_status(subscription, {"active", "past_due"})) {
    return;
  }
  if (!charges(subscription)) {
    progress.payment_due = moment + kDraftSeconds + subscription.at("days_until_due").get<std::int64_t>() * kDaySeconds;
  } else if (must_pay(subscription)) {
    progress.payment_due = moment + kDraftSeconds;
  }
}

void fail_payment(Json& subscription, SubscriptionProgress& progress, const PaymentHabits& habits,
                  std::int64_t moment) {
  const std::size_t failed = static_cast<std::size_t>(progress.failed_tries++);
  progress.payment_due.reset();
  if (charges(subscription) && failed >= kRetryDays.size()) {
    progress.failed_tries = 0;
    if (habits.after_last_try == "canceled") {
      cancel(subscription, moment, "payment_failed");
    } else {
      subscription["status"] = habits.after_last_try;
    }
    return;
  }
  subscription["status"] = "past_due";
  if (charges(subscription)) {
    progress.payment_due = moment + kRetryDays[failed] * kDaySeconds;
  }
}

std::string settle(Json& subscription, SubscriptionProgress& progress, std::int64_t moment) {
  if (is_status(subscription, {"incomplete", "past_due", "unpaid"})) {
    subscription["status"] = "active";
    progress.failed_tries = 0;
    progress.payment_due.reset();
  }
  if (subscription.at("pending_update").is_null() || has_ended(subscription)) {
    return {};
  }
  apply_pending_update(subscription, moment);
  return "customer.subscription.pending_update_applied";
}

void try_payment(Json& subscription, SubscriptionProgress& progress, const PaymentHabits& habits, std::int64_t moment) {
  progress.payment_due.reset();
  if (!subscription.at("pause_collection").is_null()) {
    return;
  }
  if (habits.succeed) {
    progress.failed_tries = 0;
    if (subscription.at("status") == "past_due") {
      subscription["status"] = "active";
    }
    return;
  }
  fail_payment(subscription, progress, habits, moment);
}

}  // namespace stripe_sim
