// A subscription with its addons, in FlexPrice's terms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/customer.hpp"
#include "domain/ids.hpp"
#include "domain/plan.hpp"
#include "domain/time.hpp"

namespace flexsync {

// FlexPrice's words where it has them, Stripe's for what it has not: a lapsed payer is never shown as active.
enum class SubscriptionStatus : std::uint8_t {
  active,
  trialing,
  past_due,
  unpaid,
  paused,
  incomplete,
  inactive,   // Stripe: incomplete_expired
  cancelled,  // Stripe: canceled
};

std::string to_string(SubscriptionStatus status);
SubscriptionStatus parse_subscription_status(const std::string& text);  // throws std::invalid_argument

// Over for good: nothing is billed any more.
constexpr bool has_ended(SubscriptionStatus status) {
  return status == SubscriptionStatus::inactive || status == SubscriptionStatus::cancelled;
}

// One line item beside the plan's: an addon that is attached. A detached one has no row; the audit log remembers it.
struct SubscriptionAddon {
  StripeId item_id;  // si_…
  AddonId addon_id;
  StripeId price_id;
  std::optional<std::int64_t> quantity;  // none: metered
  Timestamp start_date;                  // when the item was made

  friend bool operator==(const SubscriptionAddon&, const SubscriptionAddon&) = default;
};

// Which items Stripe's events have shown, ever: what tells a plan's item from an addon's, whatever the order in which
// they came (sync/subscription_items.hpp).
struct SeenItem {
  StripeId item_id;
  Timestamp created;
  Timestamp last_seen;       // the latest `created` of an event that had it
  bool at_creation = false;  // the subscription was made with it

  friend bool operator==(const SeenItem&, const SeenItem&) = default;
};

struct SubscriptionTerms {
  CustomerId customer_id;
  PlanId plan_id;
  SubscriptionStatus subscription_status = SubscriptionStatus::active;
  std::string currency;
  BillingPeriod billing_period = BillingPeriod::monthly;
  int billing_period_count = 1;
  StripeId plan_item_id;
  StripeId price_id;
  std::optional<std::int64_t> quantity;
  std::optional<Timestamp> start_date;
  std::optional<Timestamp> end_date;  // when it ended
  std::optional<Timestamp> current_period_start;
  std::optional<Timestamp> current_period_end;
  std::optional<Timestamp> trial_start;
  std::optional<Timestamp> trial_end;
  std::optional<Timestamp> billing_anchor;
  std::optional<Timestamp> cancel_at;
  std::optional<Timestamp> cancelled_at;
  bool cancel_at_period_end = false;
  bool collection_paused = false;  // Stripe's pause_collection; FlexPrice: pause_status "active"
  std::string collection_method;
  Metadata metadata;
  std::vector<SubscriptionAddon> addons;  // by item_id

  friend bool operator==(const SubscriptionTerms&, const SubscriptionTerms&) = default;
};

struct Subscription {
  SubscriptionId id;
  SubscriptionTerms terms;
  std::vector<SeenItem> seen_items;  // by item_id
  Status status = Status::published;
  std::int64_t version = 0;  // rises by one with every write; 0 = not stored yet
  Timestamp created_at;
  Timestamp updated_at;
  std::string created_by;
  std::string updated_by;

  friend bool operator==(const Subscription&, const Subscription&) = default;
};

}  // namespace flexsync
