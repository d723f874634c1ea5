#include "http/resources/prices.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/resources/catalog_filter.hpp"
#include "http/resources/render.hpp"

namespace flexsync::http {

namespace {

nlohmann::json decimal_json(const std::optional<Decimal>& value) {
  return value ? nlohmann::json(value->str()) : nlohmann::json();
}

// FlexPrice's client wants `up_to` as a number, the amounts as strings.
nlohmann::json tiers_json(const std::vector<PriceTier>& tiers) {
  if (tiers.empty()) {
    return nullptr;
  }
  auto all = nlohmann::json::array();
  for (const auto& tier : tiers) {
    all.push_back({{"up_to", tier.up_to ? nlohmann::json::parse(tier.up_to->str()) : nlohmann::json()},
                   {"unit_amount", decimal_json(tier.unit_amount)},
                   {"flat_amount", decimal_json(tier.flat_amount)}});
  }
  return all;
}

// What FlexPrice has and a price of Stripe's has not.
constexpr std::array kNotOurs = {"addon",
                                 "conversion_rate",
                                 "description",
                                 "display_amount",
                                 "display_price_unit_amount",
                                 "end_date",
                                 "group",
                                 "group_id",
                                 "lookup_key",
                                 "meter",
                                 "meter_id",
                                 "min_quantity",
                                 "parent_price_id",
                                 "plan",
                                 "price_unit",
                                 "price_unit_amount",
                                 "price_unit_id",
                                 "price_unit_tiers",
                                 "pricing_unit",
                                 "start_date",
                                 "trial_period",
                                 "created_by",
                                 "updated_by"};

const char* billing_model(const Price& price) {
  return !price.tiers.empty() ? "TIERED" : price.transform_quantity ? "PACKAGE" : "FLAT_FEE";
}

nlohmann::json transform_json(const std::optional<QuantityTransform>& transform) {
  return transform ? nlohmann::json{{"divide_by", transform->divide_by}, {"round", transform->round}}
                   : nlohmann::json();
}

nlohmann::json price_json(const Scope& scope, const Price& price, const Priced& owner) {
  const bool recurring = price.billing_period != BillingPeriod::onetime;
  nlohmann::json record = {{"id", price.id.str()},
                           {"entity_type", owner.entity_type},
                           {"entity_id", owner.entity_id},
                           {"amount", decimal_json(price.amount)},
                           {"currency", price.currency},
                           {"type", price.metered ? "USAGE" : "FIXED"},
                           {"price_unit_type", "FIAT"},
                           {"billing_model", billing_model(price)},
                           {"billing_cadence", recurring ? "RECURRING" : "ONETIME"},
                           {"billing_period", to_string(price.billing_period)},
                           {"billing_period_count", price.billing_period_count},
                           {"invoice_cadence", price.metered ? "ARREAR" : "ADVANCE"},
                           {"tier_mode", nullptr},
                           {"tiers", tiers_json(price.tiers)},
                           {"transform_quantity", transform_json(price.transform_quantity)},
                           {"display_name", price.display_name},
                           {"metadata", nlohmann::json(price.metadata)},
                           {"status", to_string(price.status)},
                           {"created_at", to_rfc3339(price.created_at)},
                           {"updated_at", to_rfc3339(price.updated_at)}};
  if (!price.tier_mode.empty()) {
    record["tier_mode"] = price.tier_mode;
  }
  for (const auto* name : kNotOurs) {
    record[name] = nullptr;
  }
  put_scope(record, scope);
  return record;
}

}  // namespace

Result<nlohmann::json> with_prices(Ports ports, const RequestContext& context, const std::vector<Priced>& owners,
                                   nlohmann::json records) {
  const auto& scope = context.principal.scope;
  std::vector<PlanId> plans;
  for (const auto& owner : owners) {
    plans.push_back(owner.plan_id);
  }
  if (plans.empty() || !expands(context.query, "prices")) {
    return records;
  }
  const auto prices = ports.catalog.prices(scope, plans);
  if (!prices) {
    return tl::unexpected(prices.error());
  }
  std::multimap<std::string, const Price*> by_plan;  // of one plan in the order of the query
  for (const auto& price : *prices) {
    by_plan.emplace(price.plan_id.str(), &price);
  }
  for (std::size_t i = 0; i < owners.size(); ++i) {
    auto all = nlohmann::json::array();
    const auto [from, to] = by_plan.equal_range(owners[i].plan_id.str());
    std::for_each(from, to, [&](const auto& entry) { all.push_back(price_json(scope, *entry.second, owners[i])); });
    records.at(i)["prices"] = std::move(all);
  }
  return records;
}

}  // namespace flexsync::http
