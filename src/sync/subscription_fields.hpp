// Stripe's subscription fields in our terms.
#pragma once

#include "domain/subscription.hpp"
#include "stripe/subscription.hpp"
#include "sync/origin.hpp"

namespace flexsync::sync {

// What the subscription says of itself: all but customer, plan and addons, which need to be looked up. Its status must
// be a known one.
SubscriptionTerms own_terms_of(const stripe::SubscriptionState& state);

// All of it by name, as an audit row shows it.
FieldMap field_map(const SubscriptionTerms& terms);

}  // namespace flexsync::sync
