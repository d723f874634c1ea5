// Stripe's request encoding: application/x-www-form-urlencoded with bracketed keys, `address[line1]=...`,
// `types[]=...`, `types[0]=...`.
#pragma once

#include <string_view>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

// A tree of objects with strings as leaves. Lists stay objects with "0", "1", ... as keys, because only the reader of
// a parameter knows whether `x[0]` is the first of a list or, as in metadata, a key called "0". Throws StripeError.
Json decode_form(std::string_view text);

// Percent and plus decoding of one piece.
std::string url_decode(std::string_view text);

}  // namespace stripe_sim
