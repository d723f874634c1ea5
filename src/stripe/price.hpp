// Stripe's price, or the legacy plan that is the same thing under the same id, as far as it is mirrored.
//
// Only what both forms carry is part of the state: price.updated and plan.updated tell of one change, and whichever
// comes first, the other must be equal to it. (So lookup_key, which a plan has not, is left out.)
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/decimal.hpp"
#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/quantity_transform.hpp"

namespace flexsync::stripe {

// Amounts are Stripe's: in the currency's smallest unit.
struct PriceTier {
  std::optional<Decimal> up_to;  // none: "inf"
  std::optional<Decimal> unit_amount;
  std::optional<Decimal> flat_amount;

  friend bool operator==(const PriceTier&, const PriceTier&) = default;
};

struct PriceState {
  StripeId id;
  bool deleted = false;
  StripeId product;
  bool active = true;
  std::string currency;
  std::optional<Decimal> unit_amount;  // unit_amount_decimal (plan: amount_decimal), else unit_amount (amount)
  std::string interval;                // "day", "week", "month", "year"; empty: a one-time price
  int interval_count = 1;
  std::string usage_type;                               // "licensed", "metered"; empty for one-time prices
  std::string billing_scheme;                           // "per_unit", "tiered"
  std::string tiers_mode;                               // "graduated", "volume", ""
  std::vector<PriceTier> tiers;                         // Stripe gives them only where they were expanded
  std::optional<QuantityTransform> transform_quantity;  // of a plan: transform_usage
  std::string nickname;
  std::map<std::string, std::string> metadata;

  friend bool operator==(const PriceState&, const PriceState&) = default;
};

// From a `price` or a `plan` object (`GET /v1/prices/{id}?expand[]=tiers`, `data.object`, an item's `price` or `plan`).
Result<PriceState> parse_price(std::string_view object_json);

std::string to_canonical(const PriceState& state);
PriceState price_from_canonical(const std::string& text);  // throws std::runtime_error for anything else

}  // namespace flexsync::stripe
