#include "sync/customer_state.hpp"

#include <algorithm>

#include "domain/ulid.hpp"
#include "sync/customer_fields.hpp"
#include "sync/intents.hpp"

namespace flexsync::sync {

namespace {

using Names = std::vector<std::string>;

Names common(const Names& names, const Names& others) {
  Names both;
  std::copy_if(names.begin(), names.end(), std::back_inserter(both),
               [&](const auto& name) { return std::find(others.begin(), others.end(), name) != others.end(); });
  return both;
}

// The fields of the intents that end here: Stripe has been told of them.
Names told_by_us(const ChangeSet& change) {
  Names names;
  for (const auto& intent : change.intents) {
    names.insert(names.end(), intent.fields.begin(), intent.fields.end());
  }
  return names;
}

Names without_waiting(Names names, const CustomerSnapshot& snapshot, const ChangeSet& change) {
  for (const auto& intent : untouched(snapshot.intents, change)) {
    std::erase_if(names, [&](const auto& name) {
      return std::find(intent.fields.begin(), intent.fields.end(), name) != intent.fields.end();
    });
  }
  return names;
}

// What Stripe is still to be told, now that intents end without it: of `dropped` ones what differs; of a creation all
// that differs, for our customer may have changed without an intent since (the last state of a former counterpart).
void tell_rest(const StateOrigin& origin, const CustomerSnapshot& snapshot, const CustomerFields& theirs,
               const CustomerFields& fields, const Names& dropped, ChangeSet& change) {
  auto rest = without_waiting(changed_fields(theirs, fields), snapshot, change);
  if (waiting_creation(change.intents) == nullptr) {
    rest = common(rest, dropped);
  }
  if (!rest.empty()) {
    const auto& request_id = change.intents.back().request_id;
    change.new_intents.push_back(
        update({origin.scope, CustomerId{origin.entity.id}, origin.now, request_id}, fields, rest));
  }
}

// Stripe's state (`theirs`) against what waits to be told to it: the local value stays, or the intent goes.
void settle_conflicts(const StateOrigin& origin, const CustomerSnapshot& snapshot, FieldConflict conflict,
                      const CustomerFields& theirs, CustomerFields& fields, ChangeSet& change) {
  const auto& before = snapshot.customer->fields;
  const auto taken = changed_fields(before, fields);
  const auto ours = told_by_us(change);
  Names dropped;
  for (const auto& intent : untouched(snapshot.intents, change)) {
    const auto both = common(intent.fields, taken);
    // A creation carries the customer itself, and what may be on its way cannot be called back.
    const bool stays =
        conflict == FieldConflict::local || intent.operation == IntentOperation::create_customer || intent.attempts > 0;
    const auto kept = stays ? both : common(both, ours);
    copy_fields(kept, before, fields);
    if (kept.size() == both.size()) {
      continue;
    }
    change.intents.push_back(superseded(intent, origin.now, "Stripe changed the same fields (sync.conflict = stripe)"));
    dropped.insert(dropped.end(), intent.fields.begin(), intent.fields.end());
  }
  tell_rest(origin, snapshot, theirs, fields, dropped, change);
}

// Made before anything was known of Stripe's object.
bool is_shell(const CustomerSnapshot& snapshot) {
  return snapshot.shadow && snapshot.shadow->state.empty();
}

Customer next_customer(const StateOrigin& origin, const CustomerSnapshot& snapshot, const Settings& settings,
                       const stripe::CustomerState& state, const CustomerFields& fields, ChangeSet& change) {
  Customer customer;
  if (snapshot.customer) {
    customer = *snapshot.customer;
    if (is_shell(snapshot) && customer.external_id == snapshot.shadow->stripe_id.str()) {
      customer.external_id = external_id_for(state);  // this is the creation that the shell stood in for
    }
    apply_difference(known_fields(snapshot), fields, customer.fields);
    copy_fields(told_by_us(change), fields, customer.fields);  // Stripe may have changed them since: no more ours
    settle_conflicts(origin, snapshot, settings.conflict, fields, customer.fields, change);
  } else {
    customer.id = CustomerId{origin.entity.id};
    customer.external_id = external_id_for(state);
    customer.fields = fields;
    customer.created_at = origin.now;
    customer.updated_at = origin.now;
    customer.created_by = kStripeItself;
    customer.updated_by = kStripeItself;
  }
  customer.fields.metadata[kStripeCustomerIdKey] = state.id.str();
  return customer;
}

// Removed by Stripe's deletion, not here: its last state may still come.
bool is_removed_by_stripe(const CustomerSnapshot& snapshot) {
  return is_gone(snapshot) && snapshot.customer->updated_by == kStripeItself;
}

Mapping next_mapping(const StateOrigin& origin, const CustomerSnapshot& snapshot, const stripe::CustomerState& state,
                     ChangeSet& change) {
  auto mapping = touched_mapping(origin, snapshot.mapping, kCustomerEntity, origin.entity.id, state.id, change);
  const auto fields = to_customer_fields(state).fields;
  mapping.metadata["stripe_customer_email"] = fields.email;
  mapping.metadata["stripe_customer_name"] = fields.name;
  return mapping;
}

}  // namespace

stripe::CustomerState last_state(const StripeObject& shadow) {
  if (!shadow.state.empty()) {
    return stripe::from_canonical(shadow.state);
  }
  stripe::CustomerState shell;
  shell.id = shadow.stripe_id;
  return shell;
}

CustomerFields known_fields(const CustomerSnapshot& snapshot) {
  return snapshot.shadow ? to_customer_fields(last_state(*snapshot.shadow)).fields : CustomerFields{};
}

StripeObject next_shadow(const StateOrigin& origin, const CustomerSnapshot& snapshot,
                         const stripe::CustomerState& state, const TrueInterval& true_during) {
  return shadow_of(origin, snapshot.shadow, {kCustomerEntity, state.id}, stripe::to_canonical(state), true_during,
                   state.deleted);
}

bool write_customer(const StateOrigin& origin, const CustomerSnapshot& snapshot, Customer customer, ChangeSet& change) {
  const auto* before = snapshot.customer ? &*snapshot.customer : nullptr;
  if (before != nullptr && customer.fields == before->fields && customer.status == before->status &&
      customer.external_id == before->external_id) {
    return false;
  }
  const bool deletes = customer.status == Status::deleted && (before == nullptr || before->status != Status::deleted);
  const auto was = before != nullptr ? field_map(*before) : FieldMap{};
  audit_write(origin, kCustomerEntity, origin.entity.id, before != nullptr ? &was : nullptr, field_map(customer),
              deletes, change);
  customer.version += 1;
  customer.updated_at = origin.now;
  customer.updated_by = origin.updated_by;
  change.customer = std::move(customer);
  return true;
}

void end_mapping(const StateOrigin& origin, Mapping mapping, ChangeSet& change) {
  change.mapping = ended_mapping(origin, std::move(mapping), change);
}

bool is_gone(const CustomerSnapshot& snapshot) {
  return snapshot.customer && snapshot.customer->status == Status::deleted;
}

bool is_done_with(const CustomerSnapshot& snapshot) {
  return is_gone(snapshot) && std::none_of(snapshot.intents.begin(), snapshot.intents.end(), [](const auto& intent) {
           return intent.operation == IntentOperation::delete_customer;
         });
}

bool take_state(const StateOrigin& origin, const CustomerSnapshot& snapshot, const Settings& settings,
                const stripe::CustomerState& state, const TrueInterval& true_during, ChangeSet& change) {
  change.stripe_object = next_shadow(origin, snapshot, state, true_during);
  if (is_done_with(snapshot)) {
    return false;
  }
  bool changed = false;
  if (!is_gone(snapshot)) {
    auto customer = next_customer(origin, snapshot, settings, state, to_customer_fields(state).fields, change);
    changed = write_customer(origin, snapshot, std::move(customer), change);
  }
  if (changed || !snapshot.mapping) {
    change.mapping = next_mapping(origin, snapshot, state, change);
    return true;
  }
  return false;
}

void take_told(const StateOrigin& origin, const CustomerSnapshot& snapshot, ChangeSet& change) {
  if (!snapshot.customer || is_gone(snapshot) || !snapshot.mapping || !snapshot.shadow || snapshot.shadow->deleted) {
    return;
  }
  const auto theirs = known_fields(snapshot);
  auto customer = *snapshot.customer;
  copy_fields(without_waiting(told_by_us(change), snapshot, change), theirs, customer.fields);
  tell_rest(origin, snapshot, theirs, customer.fields, {}, change);
  write_customer(origin, snapshot, std::move(customer), change);
}

void take_deletion(const StateOrigin& origin, const CustomerSnapshot& snapshot, const Settings& settings,
                   stripe::CustomerState state, Timestamp at, ChangeSet& change) {
  state.deleted = true;
  const Timestamp known = snapshot.shadow ? std::max(at, snapshot.shadow->true_during.to) : at;
  change.stripe_object = next_shadow(origin, snapshot, state, {known, known});
  if (snapshot.mapping && snapshot.mapping->provider_entity_id != state.id.str()) {
    return;  // our customer belongs to another Stripe customer
  }
  if (snapshot.mapping) {
    end_mapping(origin, next_mapping(origin, snapshot, state, change), change);
  }
  if (!is_gone(snapshot) || is_removed_by_stripe(snapshot)) {
    auto customer = next_customer(origin, snapshot, settings, state, to_customer_fields(state).fields, change);
    change.new_intents.clear();
    if (settings.customer_deleted == CustomerDeleted::archive) {
      customer.status = Status::archived;
    } else if (settings.customer_deleted == CustomerDeleted::remove) {
      customer.status = Status::deleted;
    }
    write_customer(origin, snapshot, std::move(customer), change);
  }
  // A creation may be on its way; its answer will find the tombstone.
  for (const auto& intent : untouched(snapshot.intents, change)) {
    if (intent.operation == IntentOperation::delete_customer) {
      change.intents.push_back(settled(intent, origin.now));
    } else if (intent.operation == IntentOperation::update_customer) {
      change.intents.push_back(superseded(intent, origin.now, "the customer was deleted in Stripe"));
    }
  }
}

}  // namespace flexsync::sync
