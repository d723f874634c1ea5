// Products, prices and subscriptions as Stripe shows them, for tests of what the actors make of them.
#pragma once

#include <string>
#include <vector>

#include "stripe/object_event.hpp"

namespace flexsync::test {

stripe::ProductState product_state(const std::string& id, const std::string& name);
// Of 10.00 a month; an empty interval: a one-time price.
stripe::PriceState price_state(const std::string& id, const std::string& product,
                               const std::string& interval = "month");
// An active one with an item of each product: si_1, which is the plan, si_2 …; the price of prod_gold is
// price_prod_gold.
stripe::SubscriptionState subscription_state(const std::string& id, const std::string& customer,
                                             const std::vector<std::string>& products);

std::string to_object_json(const stripe::ObjectState& state);
std::string to_item_list_json(const std::vector<stripe::SubscriptionItem>& items);
std::string to_event_json(const stripe::ObjectEvent& event);

}  // namespace flexsync::test
