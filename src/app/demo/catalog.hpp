// Plans, addons and subscriptions as both sides have them at one moment, for the scenes and the comparison.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace flexsync::app::demo {

using Json = nlohmann::json;

struct Catalog {
  // What Stripe has, oldest first.
  std::vector<Json> products;
  std::vector<Json> prices;
  std::vector<Json> subscriptions;  // the cancelled ones, too

  // What Flexsync has, by its ids; the prices are in the plans.
  std::map<std::string, Json> plans;
  std::map<std::string, Json> addons;
  std::map<std::string, Json> own_subscriptions;

  // What the live mappings lead to: kind and Stripe's id, Flexsync's id.
  std::map<std::pair<std::string, std::string>, std::string> mapped;

  // The id of the plan (the addon, the subscription, the customer) of Stripe's object; empty where there is none.
  std::string id_of(const std::string& kind, const std::string& stripe_id) const;
  // Flexsync's object of that kind; null where there is none.
  Json plan_of(const std::string& product) const;
  Json addon_of(const std::string& product) const;
  Json subscription_of(const std::string& stripe_id) const;
  // The names that people know: of Stripe's product, and of Flexsync's plan or addon.
  std::string product_name(const std::string& id) const;
  std::string own_name(const std::string& id) const;
};

}  // namespace flexsync::app::demo
