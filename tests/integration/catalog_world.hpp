// Change sets of plans, prices and subscriptions, as one event each would make them.
#pragma once

#include "integration/change_world.hpp"

namespace flexsync::testing {

struct CatalogWorld : ChangeWorld {
  // A product that is new: plan and twin addon, both mapped.
  ChangeSet product(const std::string& n) const {
    auto change = empty_change();
    Plan plan;
    plan.id = PlanId{"plan_" + n};
    plan.lookup_key = "key_" + n;
    plan.fields = {"Pro \"" + n + "\"", "all of it", {{"k\"ey", "va\\lue"}}};
    live(plan);
    plan.created_by = plan.updated_by = "stripe";
    Addon addon;
    addon.id = AddonId{"addon_" + n};
    addon.plan_id = plan.id;
    addon.lookup_key = plan.lookup_key;
    addon.fields = plan.fields;
    live(addon);
    addon.created_by = addon.updated_by = "stripe";
    change.plan = plan;
    change.addon = addon;
    change.mapping = mapping("eim_plan_" + n, "plan", "plan_" + n, "prod_" + n);
    change.addon_mapping = mapping("eim_addon_" + n, "addon", "addon_" + n, "prod_" + n);
    change.stripe_object = shadow("product", "prod_" + n, "plan_" + n);
    return change;
  }

  // A price of it, with everything that a price can have.
  ChangeSet price(const std::string& n) const {
    auto change = empty_change();
    Price price;
    price.id = StripeId{"price_" + n};
    price.plan_id = PlanId{"plan_" + n};
    price.currency = "usd";
    price.amount = Decimal::parse("12.000000000001");
    price.billing_period = BillingPeriod::annual;
    price.billing_period_count = 3;
    price.metered = true;
    price.tier_mode = "SLAB";
    price.tiers = {{Decimal(100), Decimal::parse("0.5"), std::nullopt}, {std::nullopt, std::nullopt, Decimal(7)}};
    price.transform_quantity = QuantityTransform{1000, "up"};
    price.display_name = "per \"seat\"";
    price.metadata = {{"a", "b"}};
    live(price);
    change.price = price;
    change.stripe_object = shadow("price", "price_" + n, "plan_" + n);
    return change;
  }

  // A subscription of customer `n` to plan `n`, with one addon: plan `n`'s twin.
  ChangeSet subscription(const std::string& n) const {
    auto change = empty_change();
    Subscription row;
    row.id = SubscriptionId{"subs_" + n};
    row.terms.customer_id = CustomerId{"cust_" + n};
    row.terms.plan_id = PlanId{"plan_" + n};
    row.terms.subscription_status = SubscriptionStatus::past_due;
    row.terms.currency = "eur";
    row.terms.plan_item_id = StripeId{"si_1"};
    row.terms.price_id = StripeId{"price_" + n};
    row.terms.quantity = 4;
    row.terms.start_date = kStart;
    row.terms.trial_end = kStart + std::chrono::hours(1);
    row.terms.cancel_at_period_end = true;
    row.terms.collection_method = "send_invoice";
    row.terms.metadata = {{"seat", "1"}};
    row.terms.addons = {attached("si_2", n)};
    row.seen_items = {{StripeId{"si_1"}, kStart, kStart, true},
                      {StripeId{"si_2"}, kStart, kStart + std::chrono::seconds(1), false}};
    live(row);
    row.created_by = row.updated_by = "stripe";
    change.subscription = row;
    change.mapping = mapping("eim_subs_" + n, "subscription", "subs_" + n, "sub_" + n);
    change.stripe_object = shadow("subscription", "sub_" + n, "subs_" + n);
    return change;
  }

  static SubscriptionAddon attached(const std::string& item, const std::string& n) {
    return {StripeId{item}, AddonId{"addon_" + n}, StripeId{"price_" + n}, std::nullopt, kStart};
  }

  // Customer and plan `n`, and the subscription.
  void subscribe(const std::string& n) {
    REQUIRE(result(creation(n)) == ChangeResult::committed);
    REQUIRE(result(product(n)) == ChangeResult::committed);
    REQUIRE(result(subscription(n)) == ChangeResult::committed);
  }

  ChangeSet empty_change() const {
    ChangeSet change;
    change.scope = scope;
    change.epoch = epoch;
    return change;
  }

  static Mapping mapping(const std::string& id, const std::string& type, const std::string& entity,
                         const std::string& object) {
    return {MappingId{id}, type, entity, "stripe", object, {}, Status::published, kStart, kStart};
  }

  static StripeObject shadow(const std::string& type, const std::string& id, const std::string& entity) {
    return {type, StripeId{id}, entity, "{}", {kStart, kStart}, false, false, 1};
  }

  EntitySnapshot load_plan(const std::string& n, const ObjectKey& object, const ObjectKey& product = {}) {
    return load(store::SnapshotRequest{scope, {EntityKind::plan, "plan_" + n}, object, product});
  }

  EntitySnapshot load_subscription(const std::string& n, const std::vector<ObjectKey>& parents = {}) {
    return load(store::SnapshotRequest{scope, {EntityKind::subscription, "subs_" + n}, {}, {}, parents});
  }

 private:
  template <class Row>
  static void live(Row& row) {
    row.version = 1;
    row.created_at = row.updated_at = kStart;
  }
};

}  // namespace flexsync::testing
