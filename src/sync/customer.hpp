// What a Stripe customer's state does to ours (customer_state.hpp), as event.cpp asks it of every kind.
#pragma once

#include <optional>

#include "stripe/customer.hpp"
#include "sync/decision.hpp"

namespace flexsync::sync {

Taken take(const Context& context, const stripe::CustomerState& state, const TrueInterval& true_during,
           ChangeSet& change);
Taken take_deletion(const Context& context, const stripe::CustomerState& last, Timestamp at, ChangeSet& change);
Taken pass_by(const Context& context, const stripe::CustomerState& state, ChangeSet& change);

// An event carries all of a customer that is mirrored.
constexpr bool complete_from(const std::optional<StripeObject>&, const stripe::CustomerState&) {
  return true;
}

}  // namespace flexsync::sync
