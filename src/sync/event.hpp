// What a Stripe event means for the entity it is about: pure decisions, no I/O, no clock. The order of states is the
// same for all kinds of objects (here, and ordering.hpp); what a state changes is each kind's own (customer.hpp,
// plan.hpp, price.hpp, subscription.hpp).
#pragma once

#include <optional>
#include <string>

#include "domain/change_set.hpp"
#include "sync/decision.hpp"

namespace flexsync::sync {

Decision decide(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings);

// After a Refetch: the object as Stripe has it now.
Decision decide_fetched(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                        const Fetched& fetched);

// After a Refetch that Stripe could not answer: the last arrival stands, and the object is marked for reconcile. A hint
// of the comparison's is ignored, since the next comparison finds the same; another hint is a conflict.
Decision decide_unanswered(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                           const std::string& why);

// After a Refetch that found no such object in Stripe. Where the event is a hint of its deletion, it was deleted: the
// last state known stands beside it. Another hint is a conflict; an event with a state is as one unanswered.
Decision decide_gone(const EventTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                     const std::string& why);

// A subscription needs this customer, product or price to exist here.
struct ParentTask {
  Scope scope;
  std::int64_t epoch = 0;
  EntityKey entity;
  Parent parent;
  std::string request_id;
  Timestamp now;
};

// The entity's id, where it exists already; in a price's case the plan's that it is.
std::optional<std::string> existing_parent(const ParentTask& task, const EntitySnapshot& snapshot);

// The parent as Stripe has it, or an empty shell, older than any event, where Stripe could not be asked (`fetched` is
// empty). Never Refetch.
Decision decide_parent(const ParentTask& task, const EntitySnapshot& snapshot, const Settings& settings,
                       const std::optional<Fetched>& fetched);

// The customer that Stripe's metadata claims this object to be: our id, or an external_id of ours. Nothing when there
// is no claim; objects of another environment are ignored, which the caller asks with belongs_elsewhere().
std::optional<std::string> claimed_entity(const stripe::ObjectState& state);
// By which e-mail it may be a customer of ours: empty where it may not, or `sync.match_email` is off.
std::string matched_email(const stripe::ObjectState& state, const Settings& settings);
// Several of ours have that e-mail, and none is guessed.
Conflict ambiguous_email(const StripeId& object, const std::vector<std::string>& customers);
bool belongs_elsewhere(const stripe::ObjectState& state, const Scope& scope);
inline constexpr std::string_view kElsewhere =
    "the object belongs to another environment (metadata.flexprice_environment)";

// Whether only Stripe can say whose event it is: a thin event of a price does not name its product, and one of a
// customer that is not known here does not show the metadata by which it may claim to be one of ours.
bool must_be_looked_up(const stripe::ObjectEvent& event, bool is_known);

// Of an event that only names its object, where Stripe could not be asked; the comparison's own are just ignored.
Conflict unanswered_hint(const std::string& why);
std::string unanswered_repair(const std::string& why);
std::string unknown_to_stripe(const std::string& object_type, const std::string& why);

}  // namespace flexsync::sync
