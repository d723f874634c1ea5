// A plan, its twin addon and their prices, in FlexPrice's terms.
//
// A Stripe product (setting `sync.plan_source = price`: a recurring price) is mirrored into one plan and one addon:
// which of the two it is for a subscription depends on the subscription's item, not on the product.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/customer.hpp"
#include "domain/decimal.hpp"
#include "domain/ids.hpp"
#include "domain/quantity_transform.hpp"
#include "domain/time.hpp"

namespace flexsync {

struct PlanFields {
  std::string name;
  std::string description;
  Metadata metadata;

  friend bool operator==(const PlanFields&, const PlanFields&) = default;
};

// A deleted plan or addon that a live subscription still uses is shown as archived (store/queries_plans.cpp).
struct Plan {
  PlanId id;
  std::string lookup_key;
  PlanFields fields;
  Status status = Status::published;
  std::int64_t version = 0;  // rises by one with every write; 0 = not stored yet
  Timestamp created_at;
  Timestamp updated_at;
  std::string created_by;
  std::string updated_by;

  friend bool operator==(const Plan&, const Plan&) = default;
};

struct Addon {
  AddonId id;
  PlanId plan_id;  // its twin
  std::string lookup_key;
  PlanFields fields;
  Status status = Status::published;
  std::int64_t version = 0;
  Timestamp created_at;
  Timestamp updated_at;
  std::string created_by;
  std::string updated_by;

  friend bool operator==(const Addon&, const Addon&) = default;
};

// FlexPrice: MONTHLY with a count; Stripe: month with an interval_count. Of one-time prices: onetime.
enum class BillingPeriod : std::uint8_t { daily, weekly, monthly, annual, onetime };

std::string to_string(BillingPeriod period);                  // "MONTHLY"
BillingPeriod parse_billing_period(const std::string& text);  // throws std::invalid_argument: rows are checked

struct PriceTier {
  std::optional<Decimal> up_to;  // none: the last one, without an end
  std::optional<Decimal> unit_amount;
  std::optional<Decimal> flat_amount;

  friend bool operator==(const PriceTier&, const PriceTier&) = default;
};

// What Stripe bills for; read-only here. Amounts are in the currency's main unit (dollars, not cents).
struct Price {
  StripeId id;  // price_…, or a legacy plan's id; ours and Stripe's are one
  PlanId plan_id;
  std::string currency;           // lower case, ISO 4217
  std::optional<Decimal> amount;  // none where tiers say it
  BillingPeriod billing_period = BillingPeriod::onetime;
  int billing_period_count = 1;
  bool metered = false;   // FlexPrice: USAGE, else FIXED
  std::string tier_mode;  // "SLAB" (Stripe: graduated), "VOLUME", "" where there are no tiers
  std::vector<PriceTier> tiers;
  std::optional<QuantityTransform> transform_quantity;
  std::string display_name;  // Stripe's nickname
  Metadata metadata;
  Status status = Status::published;  // archived: not active in Stripe
  std::int64_t version = 0;
  Timestamp created_at;
  Timestamp updated_at;

  friend bool operator==(const Price&, const Price&) = default;
};

}  // namespace flexsync
