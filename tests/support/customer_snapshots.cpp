#include "support/customer_snapshots.hpp"

#include <algorithm>

#include "sync/customer_fields.hpp"

namespace flexsync::test {

stripe::CustomerState ada_in_stripe() {
  stripe::CustomerState state;
  state.id = kStripe;
  state.name = "Ada";
  state.email = "ada@example.com";
  return state;
}

stripe::CustomerState renamed(stripe::CustomerState state, const std::string& name) {
  state.name = name;
  return state;
}

EntitySnapshot only_ours() {
  Customer customer;
  customer.id = kCustomer;
  customer.external_id = "ext_1";
  customer.fields.name = "Ada";
  customer.fields.email = "ada@example.com";
  customer.version = 1;
  customer.created_at = at(0);
  EntitySnapshot snapshot;
  snapshot.customer = customer;
  return snapshot;
}

EntitySnapshot mapped(const stripe::CustomerState& state, std::int64_t second) {
  auto snapshot = only_ours();
  snapshot.customer->fields = sync::to_customer_fields(state).fields;
  snapshot.customer->fields.metadata[sync::kStripeCustomerIdKey] = state.id.str();
  Mapping mapping;
  mapping.id = MappingId("eim_1");
  mapping.entity_type = sync::kCustomerEntity;
  mapping.entity_id = kCustomer.str();
  mapping.provider_type = sync::kStripeProvider;
  mapping.provider_entity_id = state.id.str();
  snapshot.mapping = mapping;
  StripeObject shadow;
  shadow.object_type = sync::kCustomerEntity;
  shadow.stripe_id = state.id;
  shadow.entity_id = kCustomer.str();
  shadow.state = stripe::to_canonical(state);
  shadow.true_during = {at(second), at(second)};
  shadow.version = 1;
  snapshot.shadow = shadow;
  return snapshot;
}

EntitySnapshot with(EntitySnapshot snapshot, Intent intent) {
  intent.seq = snapshot.intents.empty() ? 1 : snapshot.intents.back().seq + 1;
  snapshot.intents.push_back(std::move(intent));
  return snapshot;
}

EntitySnapshot after(const ChangeSet& change, EntitySnapshot snapshot) {
  if (change.customer) {
    snapshot.customer = change.customer;
  }
  if (change.mapping) {
    snapshot.mapping = change.mapping->status == Status::published ? change.mapping : std::nullopt;
  }
  if (change.stripe_object) {
    snapshot.shadow = change.stripe_object;
  }
  for (const auto& intent : change.intents) {
    for (auto& known : snapshot.intents) {
      known = known.id == intent.id ? intent : known;
    }
  }
  std::erase_if(snapshot.intents, [](const auto& intent) { return intent.state != IntentState::ready; });
  for (const auto& intent : change.new_intents) {
    snapshot = with(std::move(snapshot), intent);
  }
  return snapshot;
}

std::vector<std::string> audited(const ChangeSet& change) {
  std::vector<std::string> actions;
  std::transform(change.audit.begin(), change.audit.end(), std::back_inserter(actions),
                 [](const auto& entry) { return entry.action; });
  return actions;
}

}  // namespace flexsync::test
