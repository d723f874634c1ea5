#include "sync/parent.hpp"

#include <utility>

#include "sync/customer.hpp"
#include "sync/ordering.hpp"
#include "sync/plan.hpp"
#include "sync/price.hpp"
#include "sync/subscription.hpp"

namespace flexsync::sync {

std::optional<std::string> existing_parent(const ParentTask& task, const EntitySnapshot& snapshot) {
  if (task.entity.kind == EntityKind::customer) {
    // Ours that is claimed, but not mapped to it yet, is mapped first.
    const auto& mapping = snapshot.mapping;
    const bool is_its = snapshot.shadow || (mapping && mapping->provider_entity_id == task.parent.object.id.str());
    return snapshot.customer && is_its ? std::optional(snapshot.customer->id.str()) : std::nullopt;
  }
  if (snapshot.plan) {
    return snapshot.plan->id.str();
  }
  // A price that was deleted has no mapping any more that leads to the plan that it was.
  const bool was_plan =
      task.parent.object.type == "price" && snapshot.shadow && snapshot.shadow->deleted && snapshot.price;
  return was_plan ? std::optional(snapshot.price->plan_id.str()) : std::nullopt;
}

namespace {

constexpr TrueInterval kBeforeAnyEvent{};

// Stripe cannot be asked: what there is to know is the id. A price may be known already that was no plan until
// `sync.plan_source` was changed.
Taken take_unasked(const Context& context, const Parent& parent, ChangeSet& change) {
  const auto& shadow = context.snapshot.shadow;
  const auto bare = stripe::bare_object(parent.object, parent.product);
  const auto* price = std::get_if<stripe::PriceState>(&bare);
  if (price != nullptr && shadow && !shadow->state.empty()) {
    return take(context, stripe::price_from_canonical(shadow->state), shadow->true_during, change);
  }
  auto taken =
      price != nullptr
          ? take_shell(context, *price, change)
          : std::visit([&](const auto& object) { return take(context, object, kBeforeAnyEvent, change); }, bare);
  if (change.stripe_object) {
    change.stripe_object->state.clear();  // nothing is known: whatever comes is news
    change.stripe_object->needs_reconcile = true;
  }
  return taken;
}

}  // namespace

Decision decide_parent(const ParentTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                       const std::optional<Fetched>& fetched) {
  const StateOrigin origin{task.scope,
                           task.epoch,
                           task.entity,
                           task.now,
                           task.request_id,
                           "stripe:" + task.parent.object.id.str(),
                           kStripeItself,
                           {{"sync_direction", "inbound"}, {"created_via", "create_missing"}},
                           {}};
  const Context context{origin, snapshot, settings, nullptr};
  auto change = change_of(origin);
  Taken taken;
  if (fetched && !stripe::is_deleted(fetched->state)) {
    const auto& shadow = snapshot.shadow;
    const auto known = shadow ? later(shadow->true_during, fetched->true_during) : fetched->true_during;
    taken = std::visit([&](const auto& object) { return take(context, object, known, change); }, fetched->state);
  } else if (fetched) {
    taken =
        std::visit([&](const auto& object) { return take_deletion(context, object, fetched->true_during.to, change); },
                   fetched->state);
  } else {
    taken = take_unasked(context, task.parent, change);
  }
  if (taken.conflict) {
    return *taken.conflict;
  }
  return change;
}

}  // namespace flexsync::sync
