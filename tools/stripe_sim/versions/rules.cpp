#include "stripe_sim/versions/rules.hpp"

#include <algorithm>
#include <utility>

namespace stripe_sim {

namespace {

// An empty list object, as Stripe embeds it.
Json empty_list(const std::string& url) {
  return {{"object", "list"}, {"data", Json::array()}, {"has_more", false}, {"total_count", 0}, {"url", url}};
}

// The items a subscription embeds; nothing when it embeds none.
const Json* items_of(const Json& subscription) {
  const auto items = subscription.find("items");
  const bool has_data = items != subscription.end() && items->is_object() && items->contains("data");
  return has_data ? &items->at("data") : nullptr;
}

// All items had one period then. Where they differ now, the one that ends first is nearest to what was shown; of two
// that end together the shorter one.
void restore_periods(Json& subscription) {
  const Json* items = items_of(subscription);
  if (items == nullptr || items->empty()) {
    return;
  }
  const auto rank = [](const Json& item) {
    return std::pair(item.value("current_period_end", std::int64_t{0}),
                     -item.value("current_period_start", std::int64_t{0}));
  };
  const auto first =
      std::min_element(items->begin(), items->end(), [&](const Json& a, const Json& b) { return rank(a) < rank(b); });
  const Json item = *first;
  for (const char* field : {"current_period_start", "current_period_end"}) {
    subscription[field] = item.value(field, Json());
  }
}

void remove_item_periods(Json& item) {
  item.erase("current_period_start");
  item.erase("current_period_end");
}

// Of the one item there is; null where there are several.
void restore_plan(Json& subscription) {
  const Json* items = items_of(subscription);
  const bool is_single = items != nullptr && items->size() == 1;
  for (const char* field : {"plan", "quantity"}) {
    const Json value = is_single ? items->front().value(field, Json()) : Json();
    subscription[field] = value;
  }
}

void restore_subscription_discount(Json& subscription) {
  const Json discounts = subscription.value("discounts", Json::array());
  subscription["discount"] = discounts.empty() || !discounts.front().is_object() ? Json() : discounts.front();
}

void restore_aggregate_usage(Json& terms) {
  terms["aggregate_usage"] = nullptr;
}

void restore_price_aggregate_usage(Json& price) {
  if (const auto recurring = price.find("recurring"); recurring != price.end() && recurring->is_object()) {
    restore_aggregate_usage(*recurring);
  }
}

void rename_marketing_features(Json& product) {
  if (product.contains("marketing_features")) {
    product["features"] = std::move(product["marketing_features"]);
    product.erase("marketing_features");
  }
}

void restore_default_currency(Json& customer) {
  customer["default_currency"] = customer.value("currency", Json());
}

void restore_customer_lists(Json& customer) {
  const std::string url = "/v1/customers/" + customer.at("id").get<std::string>();
  for (const std::string list : {"sources", "tax_ids"}) {
    if (!customer.contains(list)) {
      customer[list] = empty_list(url + "/" + list);
    }
  }
}

void restore_tax_percent(Json& subscription) {
  subscription["tax_percent"] = nullptr;
}

// A tiered plan's own are embedded before.
void restore_plan_tiers(Json& plan) {
  if (!plan.contains("tiers") && plan.value("billing_scheme", Json()) == "per_unit") {
    plan["tiers"] = nullptr;
  }
}

}  // namespace

const std::vector<VersionRule>& version_rules() {
  static const std::vector<VersionRule> rules{
      {"2025-03-31.basil", "subscription",
       "current_period_start and current_period_end left the subscription for its items.", restore_periods},
      {"2025-03-31.basil", "subscription", "plan and quantity of a subscription with one item left it for that item.",
       restore_plan},
      {"2025-03-31.basil", "subscription", "discount was removed: discounts has them all.",
       restore_subscription_discount},
      {"2025-03-31.basil", "subscription_item", "Items got their own current_period_start and current_period_end.",
       remove_item_periods},
      {"2025-03-31.basil", "plan", "aggregate_usage was removed with legacy usage-based billing.",
       restore_aggregate_usage},
      {"2025-03-31.basil", "price", "recurring.aggregate_usage was removed with legacy usage-based billing.",
       restore_price_aggregate_usage},
      {"2024-04-10", "product", "features was renamed marketing_features.", rename_marketing_features},
      {"2022-08-01", "customer", "default_currency was removed: currency says the same.", restore_default_currency},
      {"2020-08-27", "customer",
       "The lists sources, subscriptions and tax_ids are included no longer unless they are expanded.",
       restore_customer_lists},
      {"2020-08-27", "subscription", "tax_percent was removed for tax rates.", restore_tax_percent},
      {"2020-08-27", "plan", "tiers are included no longer unless they are expanded.", restore_plan_tiers}};
  return rules;
}

}  // namespace stripe_sim
