// Subscriptions as they are kept, shown and announced.
//
// They are stored in the shape of the newest API version, with prices and plans embedded in their items, and shown
// through one function, which an older version's shape can be made from.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/resources.hpp"
#include "stripe_sim/resources/subscription_life.hpp"
#include "stripe_sim/resources/subscription_payments.hpp"

namespace stripe_sim {

// A subscription of that customer as Stripe makes it when nothing else is given, without items.
Json blank_subscription(ApiCall& call, const std::string& customer);

// The customer and the products are there; the others are null here, expanded or not.
Expandable expandable_in_subscription();

// As answers and events show it: lists within objects end after ten.
Json shown_subscription(const Json& stored);
Json shown_subscription(ApiCall& call, const Json& stored, const std::set<std::string>& expand);

// Throws StripeError when it does not exist, whatever its status.
Json find_subscription(ApiCall& call, const std::string& id, const std::string& param = "id");

// Stores it, announces the difference, `event` after it where there is one, and notes what is due next. `before` is
// null for a new one. Answers what was stored.
Json save_subscription(Simulator& simulator, Account& account, const Json& before, Json after,
                       const SubscriptionProgress& progress, const std::string& event, const RequestOrigin& origin);

// The customer's that have not ended.
std::vector<Json> subscriptions_of(const Account& account, const std::string& customer_id);

// Is or was the price in a subscription?
bool is_subscribed_to(const Account& account, const std::string& price_id);

// A price changed or a plan: items show it as it now is.
void refresh_items(ApiCall& call, const Json& price);

}  // namespace stripe_sim
