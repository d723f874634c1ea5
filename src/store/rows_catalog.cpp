#include "store/rows_catalog.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "store/usage_rows.hpp"

namespace flexsync::store {

namespace {

using Kind = nlohmann::json::value_t;

nlohmann::json json_of(const pqxx::field& field, Kind kind) {
  auto parsed = nlohmann::json::parse(text_from(field), nullptr, /*allow_exceptions=*/false);
  if (parsed.type() != kind) {
    throw std::runtime_error(std::string("a column holds no JSON ") + nlohmann::json(kind).type_name());
  }
  return parsed;
}

nlohmann::json to_json(const std::optional<Decimal>& number) {
  return number ? nlohmann::json(number->str()) : nlohmann::json();
}

std::optional<Decimal> decimal_at(const nlohmann::json& tier, const char* key) {
  const auto& value = tier.at(key);
  if (value.is_null()) {
    return std::nullopt;
  }
  const auto number = Decimal::parse(value.get<std::string>());
  if (!number) {
    throw std::runtime_error("a price's tier holds no decimal");
  }
  return number;
}

std::vector<PriceTier> tiers_from(const pqxx::field& field) {
  std::vector<PriceTier> tiers;
  for (const auto& tier : json_of(field, Kind::array)) {
    tiers.push_back({decimal_at(tier, "up_to"), decimal_at(tier, "unit_amount"), decimal_at(tier, "flat_amount")});
  }
  return tiers;
}

std::optional<QuantityTransform> transform_from(const pqxx::field& field) {
  if (field.is_null()) {
    return std::nullopt;
  }
  const auto transform = json_of(field, Kind::object);
  return QuantityTransform{transform.at("divide_by").get<std::int64_t>(), transform.at("round").get<std::string>()};
}

std::vector<SeenItem> seen_items_from(const pqxx::field& field) {
  std::vector<SeenItem> items;
  for (const auto& item : json_of(field, Kind::array)) {
    items.push_back({StripeId{item.at(0).get<std::string>()}, from_unix_micros(item.at(1).get<std::int64_t>()),
                     from_unix_micros(item.at(2).get<std::int64_t>()), item.at(3).get<bool>()});
  }
  return items;
}

std::optional<std::int64_t> optional_number_from(const pqxx::field& field) {
  if (field.is_null()) {
    return std::nullopt;
  }
  return field.as<std::int64_t>();
}

PlanFields plan_fields_from(const pqxx::row& row) {
  return {text_from(row["name"]), text_from(row["description"]), metadata_from_json(text_from(row["metadata"]))};
}

// What every row of ours has at its end.
template <class Entity>
void read_life(const pqxx::row& row, Entity& entity) {
  entity.status = parse_status(text_from(row["status"]));
  entity.version = row["version"].as<std::int64_t>();
  entity.created_at = time_from(row["created_at"]);
  entity.updated_at = time_from(row["updated_at"]);
  if constexpr (requires { entity.created_by; }) {
    entity.created_by = text_from(row["created_by"]);
    entity.updated_by = text_from(row["updated_by"]);
  }
}

}  // namespace

std::string tiers_to_json(const std::vector<PriceTier>& tiers) {
  auto json = nlohmann::json::array();
  for (const auto& tier : tiers) {
    json.push_back({{"up_to", to_json(tier.up_to)},
                    {"unit_amount", to_json(tier.unit_amount)},
                    {"flat_amount", to_json(tier.flat_amount)}});
  }
  return json.dump();
}

std::optional<std::string> transform_to_json(const std::optional<QuantityTransform>& transform) {
  if (!transform) {
    return std::nullopt;
  }
  return nlohmann::json{{"divide_by", transform->divide_by}, {"round", transform->round}}.dump();
}

std::string seen_items_to_json(const std::vector<SeenItem>& items) {
  auto json = nlohmann::json::array();
  for (const auto& item : items) {
    json.push_back(nlohmann::json::array(
        {item.item_id.str(), to_unix_micros(item.created), to_unix_micros(item.last_seen), item.at_creation}));
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Plan plan_from_row(const pqxx::row& row) {
  Plan plan;
  plan.id = PlanId{text_from(row["id"])};
  plan.lookup_key = text_from(row["lookup_key"]);
  plan.fields = plan_fields_from(row);
  read_life(row, plan);
  return plan;
}

Addon addon_from_row(const pqxx::row& row) {
  Addon addon;
  addon.id = AddonId{text_from(row["id"])};
  addon.plan_id = PlanId{text_from(row["plan_id"])};
  addon.lookup_key = text_from(row["lookup_key"]);
  addon.fields = plan_fields_from(row);
  read_life(row, addon);
  return addon;
}

Price price_from_row(const pqxx::row& row) {
  Price price;
  price.id = StripeId{text_from(row["id"])};
  price.plan_id = PlanId{text_from(row["plan_id"])};
  price.currency = text_from(row["currency"]);
  if (!row["amount"].is_null()) {
    price.amount = decimal_from(row["amount"]);
  }
  price.billing_period = parse_billing_period(text_from(row["billing_period"]));
  price.billing_period_count = row["billing_period_count"].as<int>();
  price.metered = row["metered"].as<bool>();
  price.tier_mode = text_from(row["tier_mode"]);
  price.tiers = tiers_from(row["tiers"]);
  price.transform_quantity = transform_from(row["transform_quantity"]);
  price.display_name = text_from(row["display_name"]);
  price.metadata = metadata_from_json(text_from(row["metadata"]));
  read_life(row, price);
  return price;
}

Subscription subscription_from_row(const pqxx::row& row) {
  Subscription subscription;
  subscription.id = SubscriptionId{text_from(row["id"])};
  auto& terms = subscription.terms;
  terms.customer_id = CustomerId{text_from(row["customer_id"])};
  terms.plan_id = PlanId{text_from(row["plan_id"])};
  terms.subscription_status = parse_subscription_status(text_from(row["subscription_status"]));
  terms.currency = text_from(row["currency"]);
  terms.billing_period = parse_billing_period(text_from(row["billing_period"]));
  terms.billing_period_count = row["billing_period_count"].as<int>();
  terms.plan_item_id = StripeId{text_from(row["plan_item_id"])};
  terms.price_id = StripeId{text_from(row["price_id"])};
  terms.quantity = optional_number_from(row["quantity"]);
  terms.start_date = optional_time_from(row["start_date"]);
  terms.end_date = optional_time_from(row["end_date"]);
  terms.current_period_start = optional_time_from(row["current_period_start"]);
  terms.current_period_end = optional_time_from(row["current_period_end"]);
  terms.trial_start = optional_time_from(row["trial_start"]);
  terms.trial_end = optional_time_from(row["trial_end"]);
  terms.billing_anchor = optional_time_from(row["billing_anchor"]);
  terms.cancel_at = optional_time_from(row["cancel_at"]);
  terms.cancelled_at = optional_time_from(row["cancelled_at"]);
  terms.cancel_at_period_end = row["cancel_at_period_end"].as<bool>();
  terms.collection_paused = row["collection_paused"].as<bool>();
  terms.collection_method = text_from(row["collection_method"]);
  terms.metadata = metadata_from_json(text_from(row["metadata"]));
  subscription.seen_items = seen_items_from(row["seen_items"]);
  read_life(row, subscription);
  return subscription;
}

SubscriptionAddon subscription_addon_from_row(const pqxx::row& row) {
  SubscriptionAddon addon;
  addon.item_id = StripeId{text_from(row["item_id"])};
  addon.addon_id = AddonId{text_from(row["addon_id"])};
  addon.price_id = StripeId{text_from(row["price_id"])};
  addon.quantity = optional_number_from(row["quantity"]);
  addon.start_date = time_from(row["start_date"]);
  return addon;
}

}  // namespace flexsync::store
