// Rows and the types of the catalog and of subscriptions, at their border (see rows.hpp).
#pragma once

#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <vector>

#include "domain/plan.hpp"
#include "domain/subscription.hpp"
#include "store/rows.hpp"

namespace flexsync::store {

inline constexpr std::string_view kPlanColumns =
    "id, lookup_key, name, description, metadata, status, version, created_by, updated_by,"
    " " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS("updated_at") " AS updated_at";
inline constexpr std::string_view kAddonColumns =
    "id, plan_id, lookup_key, name, description, metadata, status, version, created_by, updated_by,"
    " " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS("updated_at") " AS updated_at";
inline constexpr std::string_view kPriceColumns =
    "id, plan_id, currency, amount, billing_period, billing_period_count, metered, tier_mode, tiers,"
    " transform_quantity, display_name, metadata, status, version,"
    " " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS("updated_at") " AS updated_at";
inline constexpr std::string_view kSubscriptionColumns =
    "id, customer_id, plan_id, subscription_status, currency, billing_period, billing_period_count, plan_item_id,"
    " price_id, quantity, " FLEXSYNC_MICROS("start_date") " AS start_date, " FLEXSYNC_MICROS("end_date") " AS end_date,"
    " " FLEXSYNC_MICROS("current_period_start") " AS current_period_start,"
    " " FLEXSYNC_MICROS("current_period_end") " AS current_period_end,"
    " " FLEXSYNC_MICROS("trial_start") " AS trial_start, " FLEXSYNC_MICROS("trial_end") " AS trial_end,"
    " " FLEXSYNC_MICROS("billing_anchor") " AS billing_anchor, " FLEXSYNC_MICROS("cancel_at") " AS cancel_at,"
    " " FLEXSYNC_MICROS("cancelled_at") " AS cancelled_at, cancel_at_period_end, collection_paused,"
    " collection_method, metadata, seen_items, status, version, created_by, updated_by,"
    " " FLEXSYNC_MICROS("created_at") " AS created_at, " FLEXSYNC_MICROS("updated_at") " AS updated_at";
inline constexpr std::string_view kSubscriptionAddonColumns =
    "subscription_id, item_id, addon_id, price_id, quantity, " FLEXSYNC_MICROS("start_date") " AS start_date";

Plan plan_from_row(const pqxx::row& row);
Addon addon_from_row(const pqxx::row& row);
Price price_from_row(const pqxx::row& row);
Subscription subscription_from_row(const pqxx::row& row);  // without its addons
SubscriptionAddon subscription_addon_from_row(const pqxx::row& row);

// jsonb of a price's tiers and package, and of the items that a subscription has shown.
std::string tiers_to_json(const std::vector<PriceTier>& tiers);
std::optional<std::string> transform_to_json(const std::optional<QuantityTransform>& transform);
std::string seen_items_to_json(const std::vector<SeenItem>& items);

}  // namespace flexsync::store
