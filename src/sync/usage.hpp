// What becomes of a batch of usage before and after an attempt to send it to Stripe.
//
// Stripe counts a meter event once per identifier, but remembers identifiers for at least 24 hours only. So a batch of
// unknown outcome is sent again, under the same identifier, while it must still be remembered; after that nobody can
// tell, and it is for a person. Whether it may have reached Stripe has to survive our own death, too: `sending` is
// booked before the first attempt.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "domain/usage.hpp"
#include "stripe/outcome.hpp"
#include "sync/failure.hpp"

namespace flexsync::sync {

struct UsagePolicy {
  RetryPolicy retry;                    // its attempts_max has no say: usage is never given up for a number
  std::chrono::hours resend_max{24};    // since first_sent_at
  std::chrono::hours age_max{35 * 24};  // of the meter event's timestamp: Stripe takes nothing older
};

// The end of a batch that must not be sent (any more), without a call: expired, or ambiguous. Nothing: send it.
std::optional<BatchResult> before_attempt(const UsageBatch& batch, Timestamp now, const UsagePolicy& policy);

// To be booked before the first attempt: from now on it may have reached Stripe.
BatchResult sending(const UsageBatch& batch, Timestamp now);

// Takes that back: no attempt was made.
BatchResult not_sent(const UsageBatch& batch);

// The key of the attempt: the identifier, so that Stripe gives the same answer again. A 5xx that Stripe has stored
// under it would be given again, too: then every attempt has its own, and the identifier alone guards.
std::string idempotency_key(const UsageBatch& batch);

// `batch` as it was before the attempt, `first_sent` when it was first sent (perhaps with this attempt).
BatchResult after_attempt(const UsageBatch& batch, const stripe::CallOutcome& outcome, Timestamp now,
                          Timestamp first_sent, const UsagePolicy& policy);

}  // namespace flexsync::sync
