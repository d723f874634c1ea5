// The end, second half: plans, addons and subscriptions compared.
#include "app/demo/comparison.hpp"
#include "app/demo/story.hpp"

namespace flexsync::app::demo {

bool Story::counted(const std::string& what, std::size_t stripe, std::size_t own) {
  if (stripe != own) {
    screen_.bad("Flexsync has " + std::to_string(own) + " " + what + ", where Stripe has " + std::to_string(stripe));
  }
  return stripe == own;
}

bool Story::compare_subscriptions(const Catalog& catalog, Table& overview) {
  bool equal = counted("subscriptions", catalog.subscriptions.size(), catalog.own_subscriptions.size());
  for (const auto& subscription : catalog.subscriptions) {
    const auto id = subscription.at("id").get<std::string>();
    const auto ours = catalog.subscription_of(id);
    if (ours.is_null()) {
      overview.add({id, "(nothing)", "", "not mapped"});
      equal = false;
      continue;
    }
    const auto pairs = compare_subscription(catalog, subscription, ours);
    equal = judge(id, ours.at("id").get<std::string>(), pairs, overview) && equal;
  }
  return equal;
}

bool Story::compare_catalog(Table& overview) {
  const auto catalog = world_.catalog();
  bool equal = counted("plans", catalog.products.size(), catalog.plans.size());
  equal = counted("addons", catalog.products.size(), catalog.addons.size()) && equal;
  for (const auto& product : catalog.products) {
    const auto id = product.at("id").get<std::string>();
    for (const auto& ours : {catalog.plan_of(id), catalog.addon_of(id)}) {
      if (ours.is_null()) {
        overview.add({id, "(nothing)", "", "not mapped"});
        equal = false;
        continue;
      }
      equal = judge(id, ours.at("id").get<std::string>(), compare_product(catalog, product, ours), overview) && equal;
    }
  }
  return compare_subscriptions(catalog, overview) && equal;
}

}  // namespace flexsync::app::demo
