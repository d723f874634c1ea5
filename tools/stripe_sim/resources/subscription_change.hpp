// A change that a request makes to a subscription: what it costs, whether that is paid, and what then becomes of it.
#pragma once

#include "stripe_sim/resources/subscription_params.hpp"

namespace stripe_sim {

// A new subscription, whose items have no period yet. `anchor`: billing_cycle_anchor as given.
Json begin_subscription(ApiCall& call, Json subscription, const ChangeTerms& terms,
                        const std::optional<std::int64_t>& anchor, const Cancellation& cancellation);

// `after` is `before` with its details and items changed. Answers the subscription as it then is, which is not
// `after` where a payment is needed and fails. Throws StripeError (402).
Json change_subscription(ApiCall& call, const Json& before, Json after, const ChangeTerms& terms,
                         const Cancellation& cancellation);

}  // namespace stripe_sim
