// What a price charges: amounts, tiers, recurrence. Read once at its creation; Stripe lets none of it be changed.
#pragma once

#include <string>

#include "stripe_sim/params.hpp"

namespace stripe_sim {

// What the parameters are called: a price's unit_amount is a plan's amount.
struct TermNames {
  std::string amount = "unit_amount";
  std::string transform = "transform_quantity";
};

std::string read_currency(Params& params);

// Sets billing_scheme, unit_amount, unit_amount_decimal, tiers, tiers_mode and transform_quantity.
void apply_amounts(Params& params, Json& price, const TermNames& names = {});

// Sets recurring and type. That the meter exists is the caller's to check.
void apply_recurrence(Params& params, Json& price);

// The same from the fields themselves, which a plan has at its top.
void apply_interval(Params& fields, Json& price);

}  // namespace stripe_sim
