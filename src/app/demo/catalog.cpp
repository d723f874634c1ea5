#include "app/demo/catalog.hpp"

namespace flexsync::app::demo {

namespace {

Json found_in(const std::map<std::string, Json>& objects, const std::string& id) {
  const auto found = objects.find(id);
  return found == objects.end() ? Json() : found->second;
}

}  // namespace

std::string Catalog::id_of(const std::string& kind, const std::string& stripe_id) const {
  const auto found = mapped.find({kind, stripe_id});
  return found == mapped.end() ? std::string() : found->second;
}

Json Catalog::plan_of(const std::string& product) const {
  return found_in(plans, id_of("plan", product));
}

Json Catalog::addon_of(const std::string& product) const {
  return found_in(addons, id_of("addon", product));
}

Json Catalog::subscription_of(const std::string& stripe_id) const {
  return found_in(own_subscriptions, id_of("subscription", stripe_id));
}

std::string Catalog::product_name(const std::string& id) const {
  for (const auto& product : products) {
    if (product.at("id") == id) {
      return product.at("name").get<std::string>();
    }
  }
  return id;
}

std::string Catalog::own_name(const std::string& id) const {
  for (const auto* side : {&plans, &addons}) {
    if (const auto found = side->find(id); found != side->end()) {
      return found->second.at("name").get<std::string>();
    }
  }
  return id;
}

}  // namespace flexsync::app::demo
