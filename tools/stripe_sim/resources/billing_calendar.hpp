// When a billing period ends.
#pragma once

#include <cstdint>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

// The first boundary after `moment`. Boundaries lie whole intervals before and after the anchor; an anchor on the 31st
// falls on the last day of a shorter month, and on the 31st again in the next long one.
std::int64_t period_end_after(std::int64_t moment, std::int64_t anchor, const Json& recurring);

}  // namespace stripe_sim
