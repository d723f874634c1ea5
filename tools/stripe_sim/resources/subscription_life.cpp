#include "stripe_sim/resources/subscription_life.hpp"

#include <algorithm>

#include "stripe_sim/resources/billing_calendar.hpp"
#include "stripe_sim/resources/subscription_payments.hpp"

namespace stripe_sim {

namespace {

constexpr std::int64_t kHourSeconds = 3'600;
constexpr std::int64_t kDaySeconds = 24 * kHourSeconds;
constexpr std::int64_t kTrialNoticeSeconds = 3 * kDaySeconds;
constexpr std::int64_t kFirstPaymentSeconds = 23 * kHourSeconds;

Json& items_of(Json& subscription) {
  return subscription.at("items").at("data");
}

std::int64_t moment_of(const Json& object, const char* field) {
  return object.at(field).get<std::int64_t>();
}

const Json& recurring_of(const Json& item) {
  return item.at("price").at("recurring");
}

void roll(Json& subscription, std::int64_t moment) {
  const std::int64_t anchor = moment_of(subscription, "billing_cycle_anchor");
  for (Json& item : items_of(subscription)) {
    const std::int64_t end = moment_of(item, "current_period_end");
    if (end <= moment) {
      item["current_period_start"] = end;
      item["current_period_end"] = period_end_after(end, anchor, recurring_of(item));
    }
  }
}

std::string end_trial(Json& subscription, SubscriptionProgress& progress, const PaymentHabits& habits,
                      std::int64_t moment) {
  const std::string without_method = subscription.at("trial_settings").at("end_behavior").at("missing_payment_method");
  const bool has_method = habits.has_payment_method || !subscription.at("default_payment_method").is_null() ||
                          !subscription.at("default_source").is_null();
  if (!has_method && without_method == "pause") {
    return pause(subscription, "trial_end_without_payment_method", moment);
  }
  if (!has_method && without_method == "cancel") {
    cancel(subscription, moment, {});
    return {};
  }
  subscription["status"] = "active";
  roll(subscription, moment);
  request_payment(subscription, progress, moment);
  return {};
}

}  // namespace

bool has_ended(const Json& subscription) {
  return subscription.at("status") == "canceled" || subscription.at("status") == "incomplete_expired";
}

void start_cycle(Json& subscription, std::int64_t anchor, std::int64_t from) {
  subscription["billing_cycle_anchor"] = anchor;
  for (Json& item : items_of(subscription)) {
    item["current_period_start"] = from;
    item["current_period_end"] = period_end_after(from, anchor, recurring_of(item));
  }
}

void fill_periods(Json& subscription, std::int64_t now) {
  const bool is_trial = subscription.at("status") == "trialing";
  const std::int64_t anchor = moment_of(subscription, "billing_cycle_anchor");
  for (Json& item : items_of(subscription)) {
    if (item.at("current_period_end").is_null()) {
      item["current_period_start"] = now;
      item["current_period_end"] =
          is_trial ? moment_of(subscription, "trial_end") : period_end_after(now, anchor, recurring_of(item));
    }
  }
}

void start_trial(Json& subscription, std::int64_t now, std::int64_t trial_end) {
  if (subscription.at("status") != "trialing") {
    subscription["trial_start"] = now;
  }
  subscription["status"] = "trialing";
  subscription.erase("status_details");
  subscription["trial_end"] = trial_end;
  subscription["billing_cycle_anchor"] = trial_end;
  for (Json& item : items_of(subscription)) {
    item["current_period_start"] = subscription.at("trial_start");
    item["current_period_end"] = trial_end;
  }
}

void set_cancellation(Json& subscription, bool is_at_period_end, const Json& cancel_at, std::int64_t now) {
  subscription["cancel_at_period_end"] = is_at_period_end;
  subscription["cancel_at"] = cancel_at;
  subscription["canceled_at"] = cancel_at.is_null() ? Json() : Json(now);
  subscription["cancellation_details"]["reason"] = cancel_at.is_null() ? Json() : Json("cancellation_requested");
}

std::string pause(Json& subscription, const std::string& why, std::int64_t moment) {
  subscription["status"] = "paused";
  subscription["status_details"] = {
      {"paused", {{"subscription", {{"type", why}}}, {"transitioned_at", moment}, {"type", "subscription"}}}};
  return "customer.subscription.paused";
}

void cancel(Json& subscription, std::int64_t moment, const std::string& reason) {
  subscription["status"] = "canceled";
  subscription["ended_at"] = moment;
  subscription["pending_update"] = nullptr;
  subscription.erase("status_details");
  if (subscription.at("canceled_at").is_null()) {
    subscription["canceled_at"] = moment;
  }
  Json& known = subscription.at("cancellation_details").at("reason");
  if (known.is_null() && !reason.empty()) {
    known = reason;
  }
}

std::int64_t first_period_end(const Json& subscription) {
  const Json& items = subscription.at("items").at("data");
  std::int64_t first = moment_of(items.front(), "current_period_end");
  for (const Json& item : items) {
    first = std::min(first, moment_of(item, "current_period_end"));
  }
  return first;
}

std::int64_t last_period_end(const Json& subscription) {
  const Json& items = subscription.at("items").at("data");
  std::int64_t last = moment_of(items.front(), "current_period_end");
  for (const Json& item : items) {
    last = std::max(last, moment_of(item, "current_period_end"));
  }
  return last;
}

std::optional<NextStep> next_step(const Json& subscription, const SubscriptionProgress& progress) {
  std::optional<NextStep> next;
  // Of steps at the same moment the one considered first is taken.
  const auto consider = [&](std::int64_t moment, Step step) {
    moment = std::max(moment, progress.changed_at);
    if (!next || moment < next->moment) {
      next = NextStep{moment, step};
    }
  };
  if (has_ended(subscription)) {
    return next;
  }
  if (!subscription.at("cancel_at").is_null()) {
    consider(moment_of(subscription, "cancel_at"), Step::cancel);
  }
  if (subscription.at("status") == "incomplete") {
    consider(moment_of(subscription, "created") + kFirstPaymentSeconds, Step::expire);
    return next;
  }
  if (!subscription.at("pending_update").is_null()) {
    consider(moment_of(subscription.at("pending_update"), "expires_at"), Step::expire_pending_update);
  }
  const Json& collection = subscription.at("pause_collection");
  if (!collection.is_null() && !collection.at("resumes_at").is_null()) {
    consider(moment_of(collection, "resumes_at"), Step::resume_collection);
  }
  if (subscription.at("status") == "trialing") {
    const std::int64_t trial_end = moment_of(subscription, "trial_end");
    if (!progress.is_trial_end_announced) {
      consider(trial_end - kTrialNoticeSeconds, Step::announce_trial_end);
    }
    consider(trial_end, Step::end_trial);
  } else if (subscription.at("status") != "paused") {
    consider(first_period_end(subscription), Step::roll_period);
  }
  if (progress.payment_due) {
    consider(*progress.payment_due, Step::try_payment);
  }
  return next;
}

std::string take_step(const NextStep& next, Json& subscription, SubscriptionProgress& progress,
                      const PaymentHabits& habits) {
  switch (next.step) {
    case Step::cancel:
      cancel(subscription, next.moment, "cancellation_requested");
      return {};
    case Step::expire:
      subscription["status"] = "incomplete_expired";
      subscription["ended_at"] = next.moment;
      return {};
    case Step::expire_pending_update:
      subscription["pending_update"] = nullptr;
      return "customer.subscription.pending_update_expired";
    case Step::resume_collection:
      subscription["pause_collection"] = nullptr;
      return {};
    case Step::announce_trial_end:
      progress.is_trial_end_announced = true;
      return "customer.subscription.trial_will_end";
    case Step::end_trial:
      return end_trial(subscription, progress, habits, next.moment);
    case Step::roll_period:
      roll(subscription, next.moment);
      request_payment(subscription, progress, next.moment);
      return {};
    case Step::try_payment:
      try_payment(subscription, progress, habits, next.moment);
      return {};
  }
  return {};
}

}  // namespace stripe_sim
