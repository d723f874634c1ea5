// Plans, addons, prices and subscriptions as the API reads them (see queries.hpp).
#pragma once

#include "domain/ports.hpp"
#include "store/read_pool.hpp"

namespace flexsync::store {

class StoreCatalogQueries final : public CatalogQueries {
 public:
  explicit StoreCatalogQueries(ReadPool& pool) : pool_(pool) {}

  // queries_plans.cpp
  Result<Page<Plan>> plans(const Scope& scope, const PlanFilter& filter) override;
  Result<Plan> plan(const Scope& scope, const PlanId& id) override;
  Result<Page<Addon>> addons(const Scope& scope, const PlanFilter& filter) override;
  Result<Addon> addon(const Scope& scope, const AddonId& id) override;
  Result<Addon> addon_by_lookup_key(const Scope& scope, const std::string& lookup_key) override;
  Result<std::vector<Price>> prices(const Scope& scope, const std::vector<PlanId>& plans) override;

  // queries_subscriptions.cpp
  Result<Page<Subscription>> subscriptions(const Scope& scope, const SubscriptionFilter& filter) override;
  Result<Subscription> subscription(const Scope& scope, const SubscriptionId& id) override;

 private:
  ReadPool& pool_;
};

}  // namespace flexsync::store
