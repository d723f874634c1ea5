// An event at hand, and what can come of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "domain/change_set.hpp"
#include "stripe/object_event.hpp"
#include "sync/origin.hpp"
#include "sync/settings.hpp"

namespace flexsync::sync {

// The event and the entity it is applied to.
struct EventTask {
  Scope scope;
  std::int64_t epoch = 0;
  EntityKey entity;  // resolved or reserved before
  stripe::ObjectEvent event;
  std::int64_t seq = 0;
  bool was_parked = false;
  std::string request_id;
  Timestamp now;
  bool before_fetch = false;  // it was waiting here when the shadow's state was asked for: that state is newer
};

struct Refetch {};  // only Stripe can tell: ask, then decide_fetched

// Deciding again gives the same: for a person.
struct Conflict {
  std::string message;
  std::string code = "conflict";
};

// A subscription's customer or plans that are not here yet: they come first, then it is decided again.
struct Parent {
  ObjectKey object;
  StripeId product;  // of a price: the actor of its product has it

  friend bool operator==(const Parent&, const Parent&) = default;
};
struct Missing {
  std::vector<Parent> parents;
};

using Decision = std::variant<ChangeSet, Refetch, Conflict, Missing>;

// What Stripe answered, and when that was true.
struct Fetched {
  stripe::ObjectState state;
  TrueInterval true_during;
};

// What the kinds of entities are given to take a state.
struct Context {
  StateOrigin origin;
  const EntitySnapshot& snapshot;
  const Settings& settings;
  const stripe::ObjectEvent* event = nullptr;  // at hand; none where a parent is made for a subscription
};

// What taking a state came to.
struct Taken {
  bool changed = false;         // our side
  std::string note;             // what was kept out, and why
  std::string ignored;          // why nothing was taken over
  std::vector<Parent> missing;  // nothing can be taken before these exist
  std::optional<Conflict> conflict;
};

}  // namespace flexsync::sync
