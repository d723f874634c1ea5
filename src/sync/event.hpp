// What a Stripe event means for the entity it is about: pure decisions, no I/O, no clock. The order of states is the
// same for all kinds of objects (here, and ordering.hpp); what a state changes is each kind's own (customer.hpp,
// plan.hpp, price.hpp, subscription.hpp).
#pragma once

#include <string>
#include <variant>

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

// What becomes of an event that only names its object (a hint), where Stripe says nothing of that.
struct Ignored {
  std::string reason;
};
using HintEnd = std::variant<Ignored, Conflict>;

// Nothing will be heard of it. The comparison's own are ignored: the next comparison finds the same.
HintEnd unanswered_hint(const stripe::ObjectEvent& event, const std::string& why);

// Stripe has no such object, and nobody knows it here.
HintEnd unknown_hint(const stripe::ObjectEvent& event, const std::string& why);

}  // namespace flexsync::sync
