// Prices and the legacy plans beside them.
//
// A recurring price and the plan of the same id are one thing seen two ways, whichever route made it. So only prices
// are stored; a plan is rendered from its price, and every change is announced twice.
#pragma once

#include <set>
#include <string>

#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

bool is_plan(const Json& price);
Json plan_of(const Json& price);

// Tiers are kept with the price, but shown only where they are asked for; events never carry them.
Json shown_price(ApiCall& call, Json price, const std::set<std::string>& expand);
Json shown_plan(ApiCall& call, Json price, const std::set<std::string>& expand);

void add_price(ApiCall& call, const Json& price);
void change_price(ApiCall& call, const Json& before, const Json& after);
void remove_price(ApiCall& call, const Json& price);

// Throws StripeError when the price's meter does not exist or is not active.
void check_meter(ApiCall& call, const Json& price, const std::string& param);

}  // namespace stripe_sim
