// Plans, addons, prices and subscriptions.
#pragma once

#include "support/fake_ports/queries.hpp"

namespace flexsync::test {

class FakeCatalogQueries final : public CatalogQueries {
 public:
  Result<Page<Plan>> plans(const Scope& scope, const PlanFilter& filter) override {
    const SyncScope sync;
    asked_scope = scope;
    plan_filter = filter;
    return page_of(all_plans);
  }
  Result<Plan> plan(const Scope& scope, const PlanId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return FakeQueries::first(all_plans, "plan");
  }
  Result<Page<Addon>> addons(const Scope& scope, const PlanFilter& filter) override {
    const SyncScope sync;
    asked_scope = scope;
    plan_filter = filter;
    return page_of(all_addons);
  }
  Result<Addon> addon(const Scope& scope, const AddonId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return FakeQueries::first(all_addons, "addon");
  }
  Result<Addon> addon_by_lookup_key(const Scope& scope, const std::string& lookup_key) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = lookup_key;
    return FakeQueries::first(all_addons, "addon");
  }
  Result<std::vector<Price>> prices(const Scope& scope, const std::vector<PlanId>& plans) override {
    const SyncScope sync;
    asked_scope = scope;
    priced_plans = plans;
    return error ? Result<std::vector<Price>>(tl::unexpected(*error)) : all_prices;
  }
  Result<Page<Subscription>> subscriptions(const Scope& scope, const SubscriptionFilter& filter) override {
    const SyncScope sync;
    asked_scope = scope;
    subscription_filter = filter;
    return page_of(all_subscriptions);
  }
  Result<Subscription> subscription(const Scope& scope, const SubscriptionId& id) override {
    const SyncScope sync;
    asked_scope = scope;
    asked_id = id.str();
    return FakeQueries::first(all_subscriptions, "subscription");
  }

  std::vector<Plan> all_plans;
  std::vector<Addon> all_addons;
  std::vector<Price> all_prices;
  std::vector<Subscription> all_subscriptions;
  std::int64_t total = 0;
  std::optional<Error> error;  // of lists and prices

  Scope asked_scope;
  std::string asked_id;
  std::vector<PlanId> priced_plans;
  PlanFilter plan_filter;
  SubscriptionFilter subscription_filter;

 private:
  template <class T>
  Result<Page<T>> page_of(const std::vector<T>& items) const {
    return error ? Result<Page<T>>(tl::unexpected(*error)) : Page<T>{items, total};
  }
};

}  // namespace flexsync::test
