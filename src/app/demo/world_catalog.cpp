// The catalogue and the subscriptions: made in Stripe, read on both sides.
#include <algorithm>

#include "app/demo/patience.hpp"
#include "app/demo/world.hpp"

namespace flexsync::app::demo {

namespace {

// Both sides' lists are short here: what a page cannot hold would be compared by halves.
std::vector<Json> whole(const Json& answer) {
  if (answer.at("has_more").get<bool>()) {
    throw Failure("Stripe has more objects than the demo reads");
  }
  auto all = answer.at("data").get<std::vector<Json>>();
  std::reverse(all.begin(), all.end());  // Stripe lists the newest first
  return all;
}

std::map<std::string, Json> by_id(const Json& answer) {
  std::map<std::string, Json> all;
  for (const auto& item : answer.at("items")) {
    all[item.at("id").get<std::string>()] = item;
  }
  return all;
}

}  // namespace

Json World::create_in_stripe(const std::string& kind, const Form& fields) {
  return stripe_->post_form("/v1/" + kind, fields);
}

Json World::update_in_stripe(const std::string& kind, const std::string& id, const Form& fields) {
  return stripe_->post_form("/v1/" + kind + "/" + id, fields);
}

void World::cancel_subscription(const std::string& id) {
  stripe_->remove("/v1/subscriptions/" + id);
}

void World::payments_fail(const std::string& subscription, bool fail) {
  control_->post("/_sim/api/subscriptions/" + subscription + "/status", {{"status", fail ? "past_due" : "active"}});
}

Catalog World::catalog() {
  Catalog catalog;
  catalog.products = whole(stripe_->get("/v1/products?limit=100"));
  catalog.prices = whole(stripe_->get("/v1/prices?limit=100"));
  catalog.subscriptions = whole(stripe_->get("/v1/subscriptions?status=all&limit=100"));
  catalog.plans = by_id(api_->get("/v1/plans?limit=1000&expand=prices"));
  catalog.addons = by_id(api_->get("/v1/addons?limit=1000&expand=prices"));
  catalog.own_subscriptions = by_id(api_->get("/v1/subscriptions?limit=1000"));
  const auto mappings = api_->get("/v1/entity-integration-mappings?provider_type=stripe&limit=1000");
  for (const auto& mapping : mappings.at("items")) {
    catalog
        .mapped[{mapping.at("entity_type").get<std::string>(), mapping.at("provider_entity_id").get<std::string>()}] =
        mapping.at("entity_id").get<std::string>();
  }
  return catalog;
}

}  // namespace flexsync::app::demo
