// Asking Stripe for one object: the request, and what its answer means. Callers see outcomes, never raw statuses.
#pragma once

#include <string>
#include <variant>

#include "domain/ids.hpp"
#include "domain/mapping.hpp"
#include "domain/secret.hpp"
#include "domain/time.hpp"
#include "stripe/transport.hpp"

namespace flexsync::stripe {

// The object as it was during `true_during` (Stripe's `Date` less the call's duration and a second, up to `Date`).
struct Found {
  std::string object_json;
  TrueInterval true_during;
};
struct NotFound {};  // 404 with Stripe's error body: no such object in this account and mode
struct CannotAsk {   // no key, a revoked or restricted one: asking again gives the same
  std::string reason;
};
struct RetryLater {  // 429, 5xx, the network, a timeout
  std::string reason;
};

using RetrieveOutcome = std::variant<Found, NotFound, CannotAsk, RetryLater>;

// GET /v1/<collection>/<id>; `object_type` is Stripe's ("customer", "product", "price", "plan", "subscription").
// Throws std::invalid_argument for another type and for an empty id, which would ask for the list.
HttpRequest retrieve_request(const std::string& object_type, const StripeId& id, const Secret& api_key,
                             std::chrono::milliseconds timeout);

// `received` is our own clock when the answer came, for an answer without a usable `Date`.
RetrieveOutcome classify_retrieve(const HttpResult& result, Timestamp received);

}  // namespace flexsync::stripe
