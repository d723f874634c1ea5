#include "sync/subscription.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "sync/plan.hpp"
#include "sync/price.hpp"
#include "sync/subscription_fields.hpp"
#include "sync/subscription_items.hpp"

namespace flexsync::sync {

namespace {

constexpr const char* kSubscriptionEntity = "subscription";

constexpr std::array<std::pair<const char*, SubscriptionStatus>, 8> kStatuses = {{
    {"active", SubscriptionStatus::active},
    {"trialing", SubscriptionStatus::trialing},
    {"past_due", SubscriptionStatus::past_due},
    {"unpaid", SubscriptionStatus::unpaid},
    {"paused", SubscriptionStatus::paused},
    {"incomplete", SubscriptionStatus::incomplete},
    {"incomplete_expired", SubscriptionStatus::inactive},
    {"canceled", SubscriptionStatus::cancelled},
}};

ObjectKey plan_key(const stripe::SubscriptionItem& item, const Settings& settings) {
  const bool by_product = settings.plan_source == PlanSource::product && !item.product.empty();
  return by_product ? ObjectKey{"product", item.product} : ObjectKey{"price", item.price};
}

const std::string& parent(const Context& context, const ObjectKey& key) {
  return context.snapshot.parents.at(key);
}

std::vector<Parent> missing_parents(const Context& context, const stripe::SubscriptionState& state) {
  auto parents = parents_of(state, context.settings);
  std::erase_if(parents, [&](const auto& parent) { return context.snapshot.parents.contains(parent.object); });
  return parents;
}

std::optional<Conflict> objection(const stripe::SubscriptionState& state) {
  const auto of = " of subscription " + state.id.str();
  if (!subscription_status_of(state.status)) {
    return Conflict{"status '" + state.status + "'" + of + " is not known to this version: redrive after an update",
                    "unknown_value"};
  }
  if (state.items.empty()) {
    return Conflict{"items" + of + " is empty, so that there is no plan to subscribe to: give it one in Stripe, or " +
                    "discard this event"};
  }
  for (const auto& item : state.items) {
    if (!billing_period_of(item.interval)) {
      return Conflict{"recurring.interval '" + item.interval + "'" + of + " is not known to this version: redrive " +
                          "after an update",
                      "unknown_value"};
    }
  }
  return std::nullopt;
}

// All parents exist.
SubscriptionTerms terms_of(const Context& context, const stripe::SubscriptionState& state,
                           const std::vector<SeenItem>& seen) {
  auto terms = own_terms_of(state);
  terms.customer_id = CustomerId{parent(context, {"customer", state.customer})};
  terms.plan_item_id = plan_item_of(seen, state.items);
  for (const auto& item : state.items) {
    const PlanId plan{parent(context, plan_key(item, context.settings))};
    if (item.id == terms.plan_item_id) {
      terms.plan_id = plan;
      terms.price_id = item.price;
      terms.quantity = item.quantity;
      terms.billing_period = *billing_period_of(item.interval);
      terms.billing_period_count = item.interval_count;
    } else {
      terms.addons.push_back({item.id, twin_of(plan), item.price, item.quantity, item.created});
    }
  }
  return terms;
}

// True when anything but the memory changed.
bool write_subscription(const Context& context, SubscriptionTerms terms, std::vector<SeenItem> seen,
                        ChangeSet& change) {
  const auto& origin = context.origin;
  const auto& before = context.snapshot.subscription;
  const bool same_terms = before && terms == before->terms;
  if (same_terms && seen == before->seen_items) {
    return false;
  }
  auto row = before.value_or(Subscription{});
  if (!before) {
    row.id = SubscriptionId{origin.entity.id};
    row.created_at = origin.now;
    row.created_by = origin.updated_by;
  }
  if (!same_terms) {
    const auto was = before ? field_map(before->terms) : FieldMap{};
    audit_write(origin, kSubscriptionEntity, row.id.str(), before ? &was : nullptr, field_map(terms), false, change);
  }
  row.terms = std::move(terms);
  row.seen_items = std::move(seen);
  row.version += 1;
  row.updated_at = origin.now;
  row.updated_by = origin.updated_by;
  change.subscription = std::move(row);
  return !same_terms;
}

std::vector<SeenItem> memory(const Context& context) {
  auto seen = context.snapshot.subscription ? context.snapshot.subscription->seen_items : std::vector<SeenItem>{};
  const auto* shown =
      context.event == nullptr ? nullptr : std::get_if<stripe::SubscriptionState>(&context.event->state);
  if (shown == nullptr) {
    return seen;
  }
  const bool at_creation = context.event->type == "customer.subscription.created";
  return remember(std::move(seen), shown->items, context.event->created, at_creation);
}

Taken take_as(const Context& context, const stripe::SubscriptionState& state, const TrueInterval& true_during,
              ChangeSet& change) {
  Taken taken;
  taken.conflict = objection(state);
  taken.missing = missing_parents(context, state);
  if (taken.conflict || !taken.missing.empty()) {
    return taken;
  }
  const auto& snapshot = context.snapshot;
  change.stripe_object = shadow_of(context.origin, snapshot.shadow, {kSubscriptionEntity, state.id},
                                   stripe::to_canonical(state), true_during, state.deleted);
  auto seen = memory(context);
  auto terms = terms_of(context, state, seen);
  taken.changed = write_subscription(context, std::move(terms), std::move(seen), change);
  if (taken.changed || !snapshot.mapping) {
    change.mapping = touched_mapping(context.origin, snapshot.mapping, kSubscriptionEntity, context.origin.entity.id,
                                     state.id, change);
    taken.changed = true;
  }
  return taken;
}

}  // namespace

std::optional<SubscriptionStatus> subscription_status_of(const std::string& stripe_status) {
  const auto found = std::find_if(kStatuses.begin(), kStatuses.end(),
                                  [&](const auto& status) { return stripe_status == status.first; });
  return found == kStatuses.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Parent> parents_of(const stripe::SubscriptionState& state, const Settings& settings) {
  std::vector<Parent> parents{{{"customer", state.customer}, {}}};
  for (const auto& item : state.items) {
    Parent plan{plan_key(item, settings), item.product};
    if (std::find(parents.begin(), parents.end(), plan) == parents.end()) {
      parents.push_back(std::move(plan));
    }
  }
  return parents;
}

bool complete_from(const std::optional<StripeObject>& shadow, stripe::SubscriptionState& state) {
  if (!state.has_more_items) {
    return true;
  }
  if (shadow && !shadow->state.empty()) {
    for (const auto& known : stripe::subscription_from_canonical(shadow->state).items) {
      if (std::none_of(state.items.begin(), state.items.end(), [&](const auto& item) { return item.id == known.id; })) {
        state.items.push_back(known);
      }
    }
    std::sort(state.items.begin(), state.items.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  return false;
}

Taken take(const Context& context, const stripe::SubscriptionState& state, const TrueInterval& true_during,
           ChangeSet& change) {
  return take_as(context, state, true_during, change);
}

Taken take_deletion(const Context& context, const stripe::SubscriptionState& last, Timestamp at, ChangeSet& change) {
  auto state = last;
  stripe::mark_ended(state);
  return take_as(context, state, {at, at}, change);
}

Taken pass_by(const Context& context, const stripe::SubscriptionState&, ChangeSet& change) {
  const auto& snapshot = context.snapshot;
  Taken taken;
  auto seen = memory(context);
  if (!snapshot.subscription || !snapshot.shadow || snapshot.shadow->state.empty() ||
      seen == snapshot.subscription->seen_items) {
    return taken;
  }
  const auto stands = stripe::subscription_from_canonical(snapshot.shadow->state);
  taken.missing = missing_parents(context, stands);
  if (taken.missing.empty()) {
    auto terms = terms_of(context, stands, seen);
    write_subscription(context, std::move(terms), std::move(seen), change);
  }
  return taken;
}

}  // namespace flexsync::sync
