// Which of a subscription's items is the plan, and which are addons.
//
// Stripe does not say: its items are equals. At creation the plan is the oldest item (of one second: the lowest id);
// the others, and what is added later, if only in the same second, are addons. The plan's item keeps being it, whatever
// the order of the list, until it is gone; then the item that was no addon beside it takes its place: one that was made
// when the plan's item was not seen any more.
//
// The naive solution remembers "the plan's item" in the row, and what that is then depends on the order in which the
// events came: of the states [A, B] and [B, C] the first makes A the plan and B an addon, so that C is the plan of the
// second; who sees the second alone takes B. Ours remembers every item that any event has shown, with the time it was
// made, the latest time it was seen there, and whether the subscription was made with it. That memory is a set that
// only grows, the same in every order; and the plan is a function of it and of the state that stands.
#pragma once

#include <vector>

#include "domain/subscription.hpp"
#include "stripe/subscription.hpp"

namespace flexsync::sync {

// The memory after an event of `at` that had these items: sorted by id, each at most once. `at_creation`: it was
// customer.subscription.created.
std::vector<SeenItem> remember(std::vector<SeenItem> seen, const std::vector<stripe::SubscriptionItem>& items,
                               Timestamp at, bool at_creation);

// The plan's item among `items`; an empty id where there are none.
StripeId plan_item_of(const std::vector<SeenItem>& seen, const std::vector<stripe::SubscriptionItem>& items);

}  // namespace flexsync::sync
