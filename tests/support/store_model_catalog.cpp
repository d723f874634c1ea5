// The catalog and the subscriptions of the store in memory, and what objects of Stripe's are of ours.
#include <algorithm>

#include "support/store_model.hpp"

namespace flexsync::test {

namespace {

template <class Map, class Key>
auto value_at(const Map& map, const Key& key) -> const typename Map::mapped_type* {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

template <class Row>
bool follows(const std::optional<Row>& written, const Row* known) {
  return !written || (known == nullptr ? 0 : known->version) == written->version - 1;
}

}  // namespace

bool StoreModel::breaks_unique(const Scope& scope, const Addon& addon) const {
  return addon.status != Status::deleted && !addon.lookup_key.empty() &&
         std::any_of(addons_.begin(), addons_.end(), [&](const auto& entry) {
           const auto& other = entry.second;
           return entry.first.first == scope && other.id != addon.id && other.status != Status::deleted &&
                  other.lookup_key == addon.lookup_key;
         });
}

bool StoreModel::refers_to_nothing(const ChangeSet& change) const {
  const auto is_plan = [&](const PlanId& id) {
    return (change.plan && change.plan->id == id) || plan(change.scope, id) != nullptr;
  };
  if (change.addon && !is_plan(change.addon->plan_id)) {
    return true;
  }
  if (!change.subscription) {
    return false;
  }
  const auto& terms = change.subscription->terms;
  return customer(change.scope, terms.customer_id) == nullptr || !is_plan(terms.plan_id) ||
         !std::all_of(terms.addons.begin(), terms.addons.end(), [&](const SubscriptionAddon& attached) {
           return addons_.contains({change.scope, attached.addon_id});
         });
}

bool StoreModel::catalog_matches(const ChangeSet& change) const {
  const auto& scope = change.scope;
  return follows(change.plan, change.plan ? plan(scope, change.plan->id) : nullptr) &&
         follows(change.addon, change.addon ? value_at(addons_, Key<AddonId>{scope, change.addon->id}) : nullptr) &&
         follows(change.price, change.price ? price(scope, change.price->id) : nullptr) &&
         follows(change.subscription, change.subscription ? subscription(scope, change.subscription->id) : nullptr);
}

void StoreModel::write_catalog(const ChangeSet& change) {
  const auto write = [&](const auto& row) {
    if (row) {
      put(change.scope, *row);
    }
  };
  write(change.plan);
  write(change.addon);
  write(change.price);
  write(change.subscription);
}

void StoreModel::load_catalog(const store::SnapshotRequest& request, EntitySnapshot& stored) const {
  const auto& scope = request.scope;
  const auto& id = request.entity.id;
  if (request.entity.kind == EntityKind::plan) {
    const auto* mapped = request.by_mapping ? live_mapping(scope, request.object.id, "plan") : nullptr;
    const auto wanted = request.by_mapping ? (mapped == nullptr ? "" : mapped->entity_id) : id;
    if (const auto* known = plan(scope, PlanId{wanted})) {
      stored.plan = *known;
    }
  }
  if (const auto* known = stored.plan ? twin(scope, stored.plan->id) : nullptr) {
    stored.addon = *known;
    if (const auto* mapping = mapping_of(scope, "addon", known->id.str())) {
      stored.addon_mapping = *mapping;
    }
  }
  if (const auto* known = request.object.type == "price" ? price(scope, request.object.id) : nullptr) {
    stored.price = *known;
  }
  if (const auto* known = request.product.empty() ? nullptr : object(scope, request.product.id)) {
    stored.product = *known;
  }
  if (const auto* known = subscription(scope, SubscriptionId{id});
      known != nullptr && request.entity.kind == EntityKind::subscription) {
    stored.subscription = *known;
  }
  for (const auto& key : request.parents) {
    if (const auto local = parent(scope, key)) {
      stored.parents.emplace(key, *local);
    }
  }
}

std::optional<std::string> StoreModel::parent(const Scope& scope, const ObjectKey& object) const {
  const auto kind = kind_of(object.type);
  const auto exists = [&](const std::string& id) {
    return kind == EntityKind::customer ? customer(scope, CustomerId{id}) != nullptr
                                        : plan(scope, PlanId{id}) != nullptr;
  };
  if (!kind || *kind == EntityKind::subscription) {
    return std::nullopt;
  }
  if (const auto* mapping = live_mapping(scope, object.id, to_string(*kind));
      mapping != nullptr && exists(mapping->entity_id)) {
    return mapping->entity_id;
  }
  const auto* shadow = this->object(scope, object.id);
  return shadow != nullptr && exists(shadow->entity_id) ? std::optional(shadow->entity_id) : std::nullopt;
}

std::string StoreModel::entity_of(const Scope& scope, const ObjectKey& object) const {
  const auto kind = kind_of(object.type);
  if (const auto* mapping = live_mapping(scope, object.id, kind ? to_string(*kind) : object.type)) {
    return mapping->entity_id;
  }
  const auto* shadow = this->object(scope, object.id);
  return shadow == nullptr ? "" : shadow->entity_id;
}

std::map<ObjectKey, std::string> StoreModel::find_entities(const Scope& scope,
                                                           const std::vector<ObjectKey>& objects) const {
  std::map<ObjectKey, std::string> found;
  for (const auto& object : objects) {
    if (auto entity = entity_of(scope, object); !entity.empty()) {
      found.emplace(object, std::move(entity));
    }
  }
  return found;
}

const Mapping* StoreModel::mapping_of(const Scope& scope, const std::string& type, const std::string& entity_id) const {
  for (const auto& [key, mapping] : mappings_) {
    if (key.first == scope && mapping.entity_type == type && mapping.entity_id == entity_id &&
        mapping.status == Status::published) {
      return &mapping;
    }
  }
  return nullptr;
}

const Plan* StoreModel::plan(const Scope& scope, const PlanId& id) const {
  return value_at(plans_, Key<PlanId>{scope, id});
}

const Addon* StoreModel::twin(const Scope& scope, const PlanId& id) const {
  const auto found = std::find_if(addons_.begin(), addons_.end(), [&](const auto& entry) {
    return entry.first.first == scope && entry.second.plan_id == id;
  });
  return found == addons_.end() ? nullptr : &found->second;
}

const Price* StoreModel::price(const Scope& scope, const StripeId& id) const {
  return value_at(prices_, Key<StripeId>{scope, id});
}

const Subscription* StoreModel::subscription(const Scope& scope, const SubscriptionId& id) const {
  return value_at(subscriptions_, Key<SubscriptionId>{scope, id});
}

void StoreModel::put(const Scope& scope, Plan plan) {
  plans_[{scope, plan.id}] = std::move(plan);
}

void StoreModel::put(const Scope& scope, Addon addon) {
  addons_[{scope, addon.id}] = std::move(addon);
}

void StoreModel::put(const Scope& scope, Price price) {
  prices_[{scope, price.id}] = std::move(price);
}

void StoreModel::put(const Scope& scope, Subscription subscription) {
  subscriptions_[{scope, subscription.id}] = std::move(subscription);
}

}  // namespace flexsync::test
