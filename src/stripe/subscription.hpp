// Stripe's subscription as far as it is mirrored, from any API version since 2020: `plan` or `price` on its items,
// the current period on itself or (since 2025-03-31.basil) on its items.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync::stripe {

struct SubscriptionItem {
  StripeId id;
  StripeId price;        // of `price`, else of `plan`
  StripeId product;      // of the same
  std::string interval;  // of its recurring price: "month"; empty where it has none
  int interval_count = 1;
  std::optional<std::int64_t> quantity;  // none: metered
  Timestamp created;                     // 1970 where an old payload has none

  friend bool operator==(const SubscriptionItem&, const SubscriptionItem&) = default;
};

struct SubscriptionState {
  StripeId id;
  bool deleted = false;  // it has ended, which is final; its metadata may still change
  StripeId customer;
  std::string status;  // Stripe's word, whatever it is: sync decides what it means
  std::string currency;
  std::string collection_method;
  std::vector<SubscriptionItem> items;  // by id; an item marked `deleted` is left out
  bool has_more_items = false;          // the payload does not have them all: they are fetched before anything is gone
  std::optional<Timestamp> start_date;
  std::optional<Timestamp> ended_at;
  std::optional<Timestamp> current_period_start;  // of the item that ends first, else the subscription's
  std::optional<Timestamp> current_period_end;
  std::optional<Timestamp> trial_start;
  std::optional<Timestamp> trial_end;
  std::optional<Timestamp> billing_cycle_anchor;
  std::optional<Timestamp> cancel_at;
  std::optional<Timestamp> canceled_at;
  bool cancel_at_period_end = false;
  bool collection_paused = false;  // pause_collection is set
  std::map<std::string, std::string> metadata;

  friend bool operator==(const SubscriptionState&, const SubscriptionState&) = default;
};

// Of these a subscription comes back to no other one (Stripe: How subscriptions work, subscription statuses).
bool is_final_status(std::string_view status);

// It has ended, whatever its status says.
void mark_ended(SubscriptionState& state);

// From `GET /v1/subscriptions/{id}` or `data.object`. A pending update is not part of it until Stripe has applied it.
Result<SubscriptionState> parse_subscription(std::string_view object_json);

// Where an object shows the first of its items only: takes all of `GET /v1/subscription_items?subscription=…` instead,
// and the period that ends first among them. validation_error for what is no such list, and for one that has more than
// a page: a subscription has 20 items at most (Stripe: Subscriptions, multiple products).
Result<void> take_items(SubscriptionState& state, std::string_view list_json);

std::string to_canonical(const SubscriptionState& state);
SubscriptionState subscription_from_canonical(const std::string& text);  // throws std::runtime_error for anything else

}  // namespace flexsync::stripe
