// What is mirrored: which of our entities, which of Stripe's objects, and what is stored of both.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/customer.hpp"
#include "domain/mapping.hpp"
#include "domain/outbox.hpp"
#include "domain/plan.hpp"
#include "domain/subscription.hpp"

namespace flexsync {

// A plan stands for its twin addon and their prices, too: one actor has all that comes of one product.
enum class EntityKind : std::uint8_t { customer, plan, subscription };

std::string to_string(EntityKind kind);  // as in mappings and audit rows: "customer"

struct EntityKey {
  EntityKind kind = EntityKind::customer;
  std::string id;  // cust_…, plan_…, subs_…

  friend bool operator==(const EntityKey&, const EntityKey&) = default;
  friend auto operator<=>(const EntityKey&, const EntityKey&) = default;
};

// An object of Stripe's, by its type ("customer", "product", "price", "subscription") and id.
struct ObjectKey {
  std::string type;
  StripeId id;

  bool empty() const { return id.empty(); }

  friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

// Which kind of entity an object of this type is mirrored into; nothing for types that are not mirrored.
std::optional<EntityKind> kind_of(const std::string& object_type);

// What is stored of one entity, and of the Stripe object that an event or a call is about.
struct EntitySnapshot {
  std::optional<Customer> customer;  // at most one of the three kinds
  std::optional<Plan> plan;
  std::optional<Addon> addon;  // the plan's twin
  std::optional<Price> price;  // where the object at hand is one
  std::optional<Subscription> subscription;
  std::optional<Mapping> mapping;            // the entity's live one
  std::optional<Mapping> addon_mapping;      // of the twin
  std::optional<StripeObject> shadow;        // of the object at hand
  std::optional<StripeObject> product;       // where that is a price: its product's shadow
  std::vector<Intent> intents;               // unsettled, in order
  std::map<ObjectKey, std::string> parents;  // those asked for that exist here: the id of our customer or plan

  friend bool operator==(const EntitySnapshot&, const EntitySnapshot&) = default;
};

}  // namespace flexsync

template <>
struct std::hash<flexsync::EntityKey> {
  std::size_t operator()(const flexsync::EntityKey& key) const noexcept {
    return std::hash<std::string>{}(key.id) * 31 + static_cast<std::size_t>(key.kind);
  }
};
