// What a price charges: amounts, tiers, recurrence. Read once at its creation; Stripe lets none of it be changed.
#pragma once

#include "stripe_sim/params.hpp"

namespace stripe_sim {

// Sets billing_scheme, unit_amount, unit_amount_decimal, tiers, tiers_mode and transform_quantity.
void apply_amounts(Params& params, Json& price);

// Sets recurring and type. That the meter exists is the caller's to check.
void apply_recurrence(Params& params, Json& price);

}  // namespace stripe_sim
