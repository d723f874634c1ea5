// A package of units: Stripe's `transform_quantity` of a price, `transform_usage` of a legacy plan.
#pragma once

#include <cstdint>
#include <string>

namespace flexsync {

// The quantity is divided and rounded to whole packages before the price's amount applies.
struct QuantityTransform {
  std::int64_t divide_by = 1;
  std::string round;  // "up", "down"

  friend bool operator==(const QuantityTransform&, const QuantityTransform&) = default;
};

}  // namespace flexsync
