#include "sync/customer.hpp"

#include <string>

#include "sync/customer_fields.hpp"
#include "sync/customer_state.hpp"

namespace flexsync::sync {

namespace {

// The customer that the metadata names, or whose the e-mail is, is mapped to another Stripe customer: never a guess.
std::optional<Conflict> mapped_elsewhere(const Context& context, const stripe::CustomerState& state) {
  const auto& mapping = context.snapshot.mapping;
  if (!mapping || mapping->provider_entity_id == state.id.str()) {
    return std::nullopt;
  }
  if (!state.metadata.contains(std::string(stripe::kMetadataCustomerId))) {
    return Conflict{"the e-mail of " + state.id.str() + " is that of customer " + context.origin.entity.id +
                    ", which was mapped to " + mapping->provider_entity_id +
                    " in the same moment; redrive it, and it becomes a customer of its own"};
  }
  return Conflict{"metadata." + std::string(stripe::kMetadataCustomerId) + " of " + state.id.str() +
                  " names customer " + context.origin.entity.id + ", which is already mapped to " +
                  mapping->provider_entity_id + "; remove the metadata from one of the two in Stripe, then redrive"};
}

}  // namespace

Taken take(const Context& context, const stripe::CustomerState& state, const TrueInterval& true_during,
           ChangeSet& change) {
  Taken taken;
  taken.conflict = mapped_elsewhere(context, state);
  if (taken.conflict) {
    return taken;
  }
  taken.changed = take_state(context.origin, context.snapshot, context.settings, state, true_during, change);
  if (is_done_with(context.snapshot)) {
    taken.ignored = "our customer was deleted; nothing of Stripe's revives it";  // but what Stripe has is known
  } else {
    taken.note = to_customer_fields(state).note;
  }
  return taken;
}

Taken take_deletion(const Context& context, const stripe::CustomerState& last, Timestamp at, ChangeSet& change) {
  take_deletion(context.origin, context.snapshot, context.settings, last, at, change);
  return {true, to_customer_fields(last).note, {}, {}, {}};
}

Taken pass_by(const Context& context, const stripe::CustomerState&, ChangeSet& change) {
  take_told(context.origin, context.snapshot, change);
  return {};
}

}  // namespace flexsync::sync
