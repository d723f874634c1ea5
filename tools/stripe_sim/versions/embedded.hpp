// What versions before 2020-08-27 showed within an object that does not hold it itself: a customer's subscriptions and
// a tiered plan's tiers. It is gathered when an event is made, as its contents never change, or an answer is given.
#pragma once

#include <string>

#include "stripe_sim/simulator.hpp"

namespace stripe_sim {

// Where an event keeps it, beside data.object; never shown.
inline constexpr const char* kEmbeddedLists = "_embedded";

bool embeds_lists(const std::string& version);

// {"subscriptions": {"cus_...": [...]}, "tiers": {"price_...": [...]}}: for what is shown and all within it.
Json embedded_lists(Account& account, const Json& shown);

// Puts them into the objects they belong to, in the newest shape.
void embed(Json& shown, const Json& lists);

}  // namespace stripe_sim
