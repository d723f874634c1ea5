// What a Stripe customer's event means for our customer: pure decisions, no I/O, no clock.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "domain/change_set.hpp"
#include "stripe/customer.hpp"
#include "sync/customer_state.hpp"

namespace flexsync::sync {

// The event at hand and where it is applied.
struct CustomerTask {
  Scope scope;
  std::int64_t epoch = 0;
  CustomerId customer_id;  // resolved or reserved before
  stripe::CustomerEvent event;
  std::int64_t seq = 0;
  bool was_parked = false;
  std::string request_id;
  Timestamp now;
  bool before_fetch = false;  // it was waiting here when the shadow's state was asked for: that state is newer
};

struct Refetch {};  // only Stripe can tell: ask, then decide_fetched
struct Conflict {
  std::string message;
};  // deciding again gives the same: for a person
using CustomerDecision = std::variant<ChangeSet, Refetch, Conflict>;

CustomerDecision decide(const CustomerTask& task, const CustomerSnapshot& snapshot, const CustomerSettings& settings);

// After a Refetch: the object as Stripe has it now.
CustomerDecision decide_fetched(const CustomerTask& task, const CustomerSnapshot& snapshot,
                                const CustomerSettings& settings, const stripe::CustomerState& fetched,
                                const TrueInterval& true_during);

// After a Refetch that Stripe could not answer: the last arrival stands, and the object is marked for reconcile.
CustomerDecision decide_unanswered(const CustomerTask& task, const CustomerSnapshot& snapshot,
                                   const CustomerSettings& settings, const std::string& why);

// The customer that Stripe's metadata claims this object to be: our id, or an external_id of ours. Nothing when there
// is no claim; objects of another environment are ignored, which the caller asks with belongs_elsewhere().
std::optional<std::string> claimed_customer(const stripe::CustomerState& state);
bool belongs_elsewhere(const stripe::CustomerState& state, const Scope& scope);

}  // namespace flexsync::sync
