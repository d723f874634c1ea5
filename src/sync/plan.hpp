// What a Stripe product's state does to our plan and its twin addon, as event.cpp asks it of every kind; and the part
// that a product has in common with a recurring price (setting `sync.plan_source`).
#pragma once

#include <optional>

#include "domain/plan.hpp"
#include "stripe/product.hpp"
#include "sync/decision.hpp"

namespace flexsync::sync {

Taken take(const Context& context, const stripe::ProductState& state, const TrueInterval& true_during,
           ChangeSet& change);
Taken take_deletion(const Context& context, const stripe::ProductState& last, Timestamp at, ChangeSet& change);
Taken pass_by(const Context& context, const stripe::ProductState& state, ChangeSet& change);

constexpr bool complete_from(const std::optional<StripeObject>&, const stripe::ProductState&) {
  return true;
}

// The addon that comes of the same product: it has the plan's ULID, so that either is known from the other.
AddonId twin_of(const PlanId& plan);

// The Stripe object that is mirrored into a plan and an addon.
struct PlanSourceState {
  ObjectKey key;
  PlanFields fields;
  Status status = Status::published;
};

// Plan, addon and their mappings, each where it differs from what is stored; true when our side changed.
// `known` are the fields that Stripe had before: only what it changes is taken over.
bool take_plan(const Context& context, const PlanId& id, const PlanSourceState& source, const PlanFields& known,
               ChangeSet& change);

// Deleted, both; the mappings end.
void delete_plan(const Context& context, const PlanId& id, PlanSourceState last, const PlanFields& known,
                 ChangeSet& change);

// Metadata without the keys that are ours.
Metadata open_metadata(const Metadata& metadata);

}  // namespace flexsync::sync
