// The rules of a subscription's life, as functions of the object, the moment, and how its customer pays.
//
// Nothing here reads a clock, stores anything or emits an event: who calls does. Time passes step by step: next_step
// says what happens next and when, take_step does it to the object. So a clock that is moved by a year runs through
// every moment at which something was due, in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stripe_sim/subscription_ledger.hpp"
#include "stripe_sim/types.hpp"

namespace stripe_sim {

enum class Step {
  cancel,                 // cancel_at is reached
  expire,                 // incomplete for too long
  expire_pending_update,  // its payment did not come
  resume_collection,      // pause_collection[resumes_at]
  announce_trial_end,
  end_trial,
  roll_period,
  try_payment,
};

struct NextStep {
  std::int64_t moment;
  Step step;
};

// Nothing: it stays as it is for ever.
std::optional<NextStep> next_step(const Json& subscription, const SubscriptionProgress& progress);

// Answers the event that goes with it besides customer.subscription.updated or .deleted; empty: none.
std::string take_step(const NextStep& next, Json& subscription, SubscriptionProgress& progress,
                      const PaymentHabits& habits);

bool has_ended(const Json& subscription);

// The items' periods begin `from`, by the anchor, which becomes the subscription's.
void start_cycle(Json& subscription, std::int64_t anchor, std::int64_t from);

// Items without a period get theirs, from now.
void fill_periods(Json& subscription, std::int64_t now);
void start_trial(Json& subscription, std::int64_t now, std::int64_t trial_end);

// That it will end: at `cancel_at`, null for never.
void set_cancellation(Json& subscription, bool is_at_period_end, const Json& cancel_at, std::int64_t now);
void cancel(Json& subscription, std::int64_t moment, const std::string& reason);

// Answers the event that goes with it. `why` as in status_details.
std::string pause(Json& subscription, const std::string& why, std::int64_t moment);
std::int64_t first_period_end(const Json& subscription);
std::int64_t last_period_end(const Json& subscription);

}  // namespace stripe_sim
