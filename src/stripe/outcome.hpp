// What became of a call to Stripe. Callers see outcomes, never raw statuses: what matters to them is whether it
// happened, whether it may happen when tried again, and whether anybody can know.
#pragma once

#include <string>
#include <variant>

#include "domain/mapping.hpp"
#include "domain/time.hpp"
#include "stripe/transport.hpp"

namespace flexsync::stripe {

// It happened. The object as it was during `true_during` (Stripe's `Date` less the call's duration and a second, up to
// `Date`).
struct Answered {
  std::string json;
  TrueInterval true_during;
  bool replayed = false;  // what Stripe kept under the idempotency key: it was true when the key was first used
};

// 404 with Stripe's error body: no such object in this account and mode.
struct NotFound {
  std::string message;
};

// Any other 4xx: asking again gives the same. Stripe's own words, for a person.
struct Refused {
  std::string code;  // Stripe's error code, else its type: "email_invalid", "invalid_request_error"
  std::string message;
  std::string param;
};

// The connection itself: no key, a revoked one (401). Paused until it is changed, or a probe goes through.
struct NotConnected {
  std::string reason;
};

// It certainly did not happen, and may when tried again: 429, lock_timeout, an open breaker, a refused connection, a
// lane that is full.
struct RetryLater {
  std::string reason;
  Timestamp not_before;  // never ask before that; the caller's own back-off may be longer
};

// Nobody can tell whether it happened: a timeout, a connection lost under way, a 5xx.
struct Unknown {
  std::string reason;
  bool stored = false;  // Stripe answered 5xx: under the same key it may only be repeated, so look before a new one
};

using CallOutcome = std::variant<Answered, NotFound, Refused, NotConnected, RetryLater, Unknown>;

}  // namespace flexsync::stripe
