// What an answer of Stripe's, or its absence, means: the one classifier of this outside system.
//
// Read against https://docs.stripe.com/error-low-level, /rate-limits and /api/idempotent_requests: Stripe-Should-Retry
// comes first where it is sent; the rate limiter and the check of the key run before idempotency, so a 429 and a 401
// were certainly not carried out; a 5xx may have been, and is what its idempotency key says from then on.
#pragma once

#include <chrono>
#include <optional>

#include "stripe/call.hpp"
#include "stripe/outcome.hpp"
#include "stripe/transport.hpp"

namespace flexsync::stripe {

enum class Repeat : std::uint8_t {
  never,
  rate_limited,  // exponential: 429, lock_timeout
  same_again,    // linear, same key and bytes: the network, 5xx, 409 key in use
};

enum class Limited : std::uint8_t { no, whole, endpoint, object };

struct Verdict {
  CallOutcome outcome;  // if this was the last attempt
  Repeat repeat = Repeat::never;
  std::optional<std::chrono::seconds> retry_after = {};  // Stripe's Retry-After
  Limited limited = Limited::no;                         // which rate was too high
  bool unhealthy = false;                                // a failure that is Stripe's or the network's
};

// `received`: our own clock when the answer came.
Verdict classify(const HttpResult& result, const Call& call, Timestamp received);

}  // namespace flexsync::stripe
