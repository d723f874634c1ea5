#include "sync/customer.hpp"

#include <algorithm>

#include "domain/ulid.hpp"
#include "sync/customer_fields.hpp"
#include "sync/ordering.hpp"

namespace flexsync::sync {

namespace {

constexpr const char* kEntityType = "customer";
constexpr const char* kProvider = "stripe";
constexpr const char* kCreatedBy = "stripe";

std::string audit_actor(const CustomerTask& task) {
  return "stripe:" + task.event.id.str();
}

ChangeSet settled(const CustomerTask& task, InboxOutcome outcome, std::string reason = {}) {
  ChangeSet change;
  change.scope = task.scope;
  change.epoch = task.epoch;
  change.settlement = InboxSettlement{task.seq, task.event.id, outcome, std::move(reason), task.was_parked, task.now};
  return change;
}

AuditEntry audit(const CustomerTask& task, std::string action, std::string before, std::string after) {
  return {kEntityType,       task.customer_id.str(), std::move(action), audit_actor(task),
          std::move(before), std::move(after),       task.request_id,   task.now};
}

StripeObject next_shadow(const CustomerTask& task, const CustomerSnapshot& snapshot, const stripe::CustomerState& state,
                         const TrueInterval& true_during) {
  StripeObject shadow;
  shadow.object_type = kEntityType;
  shadow.stripe_id = state.id;
  shadow.entity_id = task.customer_id.str();
  shadow.state = stripe::to_canonical(state);
  shadow.true_during = true_during;
  shadow.deleted = state.deleted;
  shadow.version = snapshot.shadow ? snapshot.shadow->version + 1 : 1;
  return shadow;
}

// The fields that Stripe had when we last looked; before that, none.
CustomerFields known_fields(const CustomerSnapshot& snapshot) {
  return snapshot.shadow ? to_customer_fields(stripe::from_canonical(snapshot.shadow->state)).fields : CustomerFields{};
}

Customer next_customer(const CustomerTask& task, const CustomerSnapshot& snapshot, const stripe::CustomerState& state,
                       const CustomerFields& fields) {
  Customer customer;
  if (snapshot.customer) {
    customer = *snapshot.customer;
    apply_difference(known_fields(snapshot), fields, customer.fields);
  } else {
    customer.id = task.customer_id;
    customer.external_id = external_id_for(state);
    customer.fields = fields;
    customer.created_at = task.now;
    customer.updated_at = task.now;
    customer.created_by = kCreatedBy;
    customer.updated_by = kCreatedBy;
  }
  customer.fields.metadata[kStripeCustomerIdKey] = state.id.str();
  return customer;
}

Mapping next_mapping(const CustomerTask& task, const CustomerSnapshot& snapshot, const stripe::CustomerState& state) {
  Mapping mapping;
  if (snapshot.mapping) {
    mapping = *snapshot.mapping;
  } else {
    mapping.id = new_id<MappingId>(prefix::kMapping, task.now);
    mapping.entity_type = kEntityType;
    mapping.entity_id = task.customer_id.str();
    mapping.provider_type = kProvider;
    mapping.provider_entity_id = state.id.str();
    mapping.created_at = task.now;
    mapping.metadata = {{"sync_direction", "inbound"},
                        {"created_via", "webhook"},
                        {"webhook_event", task.event.type},
                        {"webhook_id", task.event.id.str()}};
  }
  const auto fields = to_customer_fields(state).fields;
  mapping.metadata["last_webhook_event"] = task.event.type;
  mapping.metadata["last_webhook_id"] = task.event.id.str();
  mapping.metadata["stripe_customer_email"] = fields.email;
  mapping.metadata["stripe_customer_name"] = fields.name;
  mapping.updated_at = task.now;
  return mapping;
}

// The customer's new row and its audit row, when anything differs.
void write_customer(const CustomerTask& task, const CustomerSnapshot& snapshot, Customer customer, ChangeSet& change) {
  const auto* before = snapshot.customer ? &*snapshot.customer : nullptr;
  if (before != nullptr && customer.fields == before->fields && customer.status == before->status) {
    return;
  }
  auto difference = describe_change(before, customer);
  change.audit.push_back(
      audit(task, before == nullptr ? "create" : "update", std::move(difference.before), std::move(difference.after)));
  customer.version += 1;
  customer.updated_at = task.now;
  customer.updated_by = kCreatedBy;
  change.customer = std::move(customer);
}

// The state takes effect: customer, mapping, shadow, audit and "done" in one change set.
ChangeSet apply_state(const CustomerTask& task, const CustomerSnapshot& snapshot, const stripe::CustomerState& state,
                      const TrueInterval& true_during) {
  const auto mapped = to_customer_fields(state);
  auto change = settled(task, InboxOutcome::unchanged, mapped.note);
  change.stripe_object = next_shadow(task, snapshot, state, true_during);
  write_customer(task, snapshot, next_customer(task, snapshot, state, mapped.fields), change);
  if (!snapshot.mapping) {
    change.audit.push_back(audit(task, "map", "{}", R"({"stripe_customer_id":")" + state.id.str() + R"("})"));
  }
  if (change.customer || !snapshot.mapping) {
    change.mapping = next_mapping(task, snapshot, state);
    change.settlement->outcome = InboxOutcome::applied;
  }
  return change;
}

// Deletion is final at any age: a tombstone for the Stripe id, the mapping ends, the setting decides about ours.
// The event carries the last state, which is taken over first: whatever came or will come late, all orders end alike.
ChangeSet apply_deletion(const CustomerTask& task, const CustomerSnapshot& snapshot, const CustomerSettings& settings,
                         stripe::CustomerState state, Timestamp at) {
  state.deleted = true;
  auto change = settled(task, InboxOutcome::applied);
  const Timestamp known = snapshot.shadow ? std::max(at, snapshot.shadow->true_during.to) : at;
  change.stripe_object = next_shadow(task, snapshot, state, {known, known});
  if (snapshot.mapping && snapshot.mapping->provider_entity_id != state.id.str()) {
    return change;  // our customer belongs to another Stripe customer
  }
  if (snapshot.mapping) {
    change.mapping = next_mapping(task, snapshot, state);
    change.mapping->status = Status::deleted;
    change.audit.push_back(audit(task, "unmap", R"({"stripe_customer_id":")" + state.id.str() + R"("})", "{}"));
  }
  const auto mapped = to_customer_fields(state);
  change.settlement->reason = mapped.note;
  auto customer = next_customer(task, snapshot, state, mapped.fields);
  if (settings.customer_deleted == CustomerDeleted::archive) {
    customer.status = Status::archived;
  } else if (settings.customer_deleted == CustomerDeleted::remove) {
    customer.status = Status::deleted;
  }
  write_customer(task, snapshot, std::move(customer), change);
  return change;
}

// The customer that the metadata names is mapped to another Stripe customer: never a guess.
std::optional<Conflict> mapped_elsewhere(const CustomerTask& task, const CustomerSnapshot& snapshot) {
  if (!snapshot.mapping || snapshot.mapping->provider_entity_id == task.event.state.id.str()) {
    return std::nullopt;
  }
  return Conflict{"metadata." + std::string(stripe::kMetadataCustomerId) + " of " + task.event.state.id.str() +
                  " names customer " + task.customer_id.str() + ", which is already mapped to " +
                  snapshot.mapping->provider_entity_id +
                  "; remove the metadata from one of the two in Stripe, then redrive"};
}

}  // namespace

CustomerDecision decide(const CustomerTask& task, const CustomerSnapshot& snapshot, const CustomerSettings& settings) {
  const auto& shadow = snapshot.shadow;
  if (task.event.state.deleted) {
    if (shadow && shadow->deleted && shadow->state == stripe::to_canonical(task.event.state)) {
      return settled(task, InboxOutcome::unchanged);
    }
    return apply_deletion(task, snapshot, settings, task.event.state, task.event.created);
  }
  if (shadow && shadow->deleted) {
    return settled(task, InboxOutcome::superseded, "the customer was deleted in Stripe");
  }
  if (const auto conflict = mapped_elsewhere(task, snapshot)) {
    return *conflict;
  }
  if (task.before_fetch && shadow) {
    return settled(task, InboxOutcome::superseded, "the state was fetched from Stripe after this event had come");
  }
  if (settings.ordering == Ordering::refetch) {
    return Refetch{};
  }
  const TrueInterval at_event{task.event.created, task.event.created};
  if (!shadow) {
    return apply_state(task, snapshot, task.event.state, at_event);
  }
  switch (order(shadow->true_during, task.event.created)) {
    case Order::superseded:
      return settled(task, InboxOutcome::superseded,
                     "a state of " + to_rfc3339(shadow->true_during.from) + " or later is known");
    case Order::newer:
      return apply_state(task, snapshot, task.event.state, at_event);
    case Order::tied:
      break;
  }
  if (stripe::to_canonical(task.event.state) == shadow->state) {
    return settled(task, InboxOutcome::unchanged);
  }
  return Refetch{};
}

CustomerDecision decide_fetched(const CustomerTask& task, const CustomerSnapshot& snapshot,
                                const CustomerSettings& settings, const stripe::CustomerState& fetched,
                                const TrueInterval& true_during) {
  if (snapshot.shadow && snapshot.shadow->deleted) {
    return settled(task, InboxOutcome::superseded, "the customer was deleted in Stripe");
  }
  if (fetched.deleted) {
    auto last = task.event.state;  // a deleted object is fetched without its fields
    return apply_deletion(task, snapshot, settings, std::move(last), true_during.to);
  }
  if (const auto conflict = mapped_elsewhere(task, snapshot)) {
    return *conflict;
  }
  const auto known = snapshot.shadow ? later(snapshot.shadow->true_during, true_during) : true_during;
  return apply_state(task, snapshot, fetched, known);
}

CustomerDecision decide_unanswered(const CustomerTask& task, const CustomerSnapshot& snapshot,
                                   const CustomerSettings& settings, const std::string& why) {
  if (settings.ordering == Ordering::refetch && snapshot.shadow &&
      order(snapshot.shadow->true_during, task.event.created) == Order::superseded) {
    return settled(task, InboxOutcome::superseded, "a later state is known");
  }
  const TrueInterval at_event{task.event.created, task.event.created};
  const auto known = snapshot.shadow ? later(snapshot.shadow->true_during, at_event) : at_event;
  auto change = apply_state(task, snapshot, task.event.state, known);
  change.stripe_object->needs_reconcile = true;
  change.settlement->reason = "the last arrival stands until reconcile: " + why;
  return change;
}

std::optional<std::string> claimed_customer(const stripe::CustomerState& state) {
  const auto claimed = state.metadata.find(std::string(stripe::kMetadataCustomerId));
  if (claimed == state.metadata.end() || claimed->second.empty()) {
    return std::nullopt;
  }
  return claimed->second;
}

bool belongs_elsewhere(const stripe::CustomerState& state, const Scope& scope) {
  const auto named = state.metadata.find(std::string(stripe::kMetadataEnvironment));
  return named != state.metadata.end() && !named->second.empty() && named->second != scope.environment.str();
}

}  // namespace flexsync::sync
