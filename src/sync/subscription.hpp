// What a Stripe subscription's state does to ours, as event.cpp asks it of every kind.
//
// A subscription needs its customer and the plans of its items to exist first: as long as they do not (they are not
// among the snapshot's `parents`), nothing is taken and Taken::missing names them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/subscription.hpp"
#include "stripe/subscription.hpp"
#include "sync/decision.hpp"

namespace flexsync::sync {

Taken take(const Context& context, const stripe::SubscriptionState& state, const TrueInterval& true_during,
           ChangeSet& change);
Taken take_deletion(const Context& context, const stripe::SubscriptionState& last, Timestamp at, ChangeSet& change);

// An older event changes nothing, but which items it shows may tell the plan's from the addons'.
Taken pass_by(const Context& context, const stripe::SubscriptionState& state, ChangeSet& change);

// A payload shows the first items only: none of those known before is gone until all are fetched (false).
bool complete_from(const std::optional<StripeObject>& shadow, stripe::SubscriptionState& state);

// The customer, and the product (plan_source = price: the price) of every item.
std::vector<Parent> parents_of(const stripe::SubscriptionState& state, const Settings& settings);

// FlexPrice's word for Stripe's; nothing for one that is new to us: a lapsed payer must not be shown as active.
std::optional<SubscriptionStatus> subscription_status_of(const std::string& stripe_status);

}  // namespace flexsync::sync
