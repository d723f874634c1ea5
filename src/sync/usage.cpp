#include "sync/usage.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>
#include <variant>

namespace flexsync::sync {

namespace {

constexpr std::string_view kStoredFailure = "stripe_failed";  // Stripe answered 5xx once; stays until the end

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

BatchResult unchanged(const UsageBatch& batch) {
  return {batch.id,         batch.status,        batch.attempts,      batch.next_attempt_at,
          batch.error_code, batch.error_message, batch.first_sent_at, batch.synced_at};
}

bool has_stored_failure(const UsageBatch& batch) {
  return batch.error_code == kStoredFailure;
}

BatchResult ended(const UsageBatch& batch, BatchStatus status, std::string code, std::string message) {
  auto result = unchanged(batch);
  result.status = status;
  result.error_code = std::move(code);
  result.error_message = std::move(message);
  return result;
}

BatchResult waiting(const UsageBatch& batch, Timestamp next_attempt_at, std::string_view code, std::string message) {
  auto result = ended(batch, BatchStatus::pending, std::string(has_stored_failure(batch) ? kStoredFailure : code),
                      std::move(message));
  result.next_attempt_at = next_attempt_at;
  return result;
}

Timestamp next_attempt(const UsageBatch& batch, Timestamp now, const UsagePolicy& policy) {
  return now + backoff(policy.retry, batch.attempts + 1, std::hash<std::string>{}(batch.identifier));
}

bool is_known_to_stripe(const stripe::Refused& refused) {
  return refused.code == "duplicate_meter_event" ||
         refused.message.find("already exists with identifier") != std::string::npos;
}

BatchResult sent(const UsageBatch& batch, Timestamp now) {
  auto result = ended(batch, BatchStatus::sent, "", "");
  result.synced_at = now;
  return result;
}

// Under one idempotency key a refusal proves that no earlier attempt was taken. After a stored 5xx keys differ, and
// returning the batch could bill it twice.
BatchResult refused(const UsageBatch& batch, std::string code, std::string message) {
  if (has_stored_failure(batch)) {
    return ended(batch, BatchStatus::ambiguous, std::move(code),
                 "Stripe refused it, but an earlier attempt, answered with a failure, may have counted: " + message);
  }
  return ended(batch, BatchStatus::rejected, std::move(code), std::move(message));
}

BatchResult unknown(const UsageBatch& batch, const stripe::Unknown& outcome, Timestamp now, Timestamp first_sent,
                    const UsagePolicy& policy) {
  auto result = waiting(batch, next_attempt(batch, now, policy), outcome.stored ? kStoredFailure : "unknown_outcome",
                        outcome.reason);
  if (now - first_sent >= policy.resend_max) {
    result.status = BatchStatus::ambiguous;
  }
  return result;
}

}  // namespace

std::optional<BatchResult> before_attempt(const UsageBatch& batch, Timestamp now, const UsagePolicy& policy) {
  const bool too_old = batch.timestamp < now - policy.age_max;
  if (batch.first_sent_at && (too_old || now - *batch.first_sent_at >= policy.resend_max)) {
    return ended(batch, BatchStatus::ambiguous, batch.error_code.empty() ? "unknown_outcome" : batch.error_code,
                 "an attempt may have reached Stripe, and it is too late to ask again: compare with the meter's event "
                 "summaries");
  }
  if (too_old) {
    return ended(batch, BatchStatus::expired, "expired",
                 "the usage is older than Stripe takes, " + std::to_string(policy.age_max / std::chrono::days{1}) +
                     " days: it was not sent");
  }
  return std::nullopt;
}

BatchResult sending(const UsageBatch& batch, Timestamp now) {
  auto result = unchanged(batch);
  result.first_sent_at = now;
  return result;
}

BatchResult not_sent(const UsageBatch& batch) {
  return unchanged(batch);
}

std::string idempotency_key(const UsageBatch& batch) {
  return has_stored_failure(batch) ? batch.identifier + "-" + std::to_string(batch.attempts) : batch.identifier;
}

BatchResult after_attempt(const UsageBatch& batch, const stripe::CallOutcome& outcome, Timestamp now,
                          Timestamp first_sent, const UsagePolicy& policy) {
  using namespace stripe;
  auto result = std::visit(Overloaded{
                               [&](const Answered&) { return sent(batch, now); },
                               [&](const NotFound& missing) { return refused(batch, "not_found", missing.message); },
                               [&](const Refused& reason) {
                                 return is_known_to_stripe(reason) ? sent(batch, now)
                                                                   : refused(batch, reason.code, reason.message);
                               },
                               [&](const NotConnected& reason) {
                                 return waiting(batch, batch.next_attempt_at, "not_connected", reason.reason);
                               },
                               [&](const RetryLater& reason) {
                                 return waiting(batch, std::max(reason.not_before, next_attempt(batch, now, policy)),
                                                "retry_later", reason.reason);
                               },
                               [&](const Unknown& reason) { return unknown(batch, reason, now, first_sent, policy); },
                           },
                           outcome);
  const bool called = !std::holds_alternative<NotConnected>(outcome);
  const bool not_reached = !called || std::holds_alternative<RetryLater>(outcome);
  result.attempts += called ? 1 : 0;
  result.first_sent_at = not_reached ? batch.first_sent_at : first_sent;
  return result;
}

}  // namespace flexsync::sync
