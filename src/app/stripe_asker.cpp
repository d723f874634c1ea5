#include "app/stripe_asker.hpp"

#include <future>

#include "app/settings.hpp"
#include "stripe/classify.hpp"
#include "stripe/retry_policy.hpp"

namespace flexsync::app {

namespace {

// A person waits for the answer, so it comes sooner than the server would give up.
constexpr stripe::RetryPolicies kRetries{.same_again_max = 2, .same_again_step = std::chrono::milliseconds(500)};

}  // namespace

void pause_for(std::chrono::milliseconds length) {
  std::promise<void> never;
  never.get_future().wait_for(length);
}

StripeAsker::StripeAsker(const Config& config, Secret secret_key, const Clock& clock)
    : clock_(clock),
      base_(config.stripe.api_base),
      secret_key_(std::move(secret_key)),
      timeout_(std::chrono::seconds(config.stripe.timeout_seconds)),
      transport_(stripe::make_curl_transport(transport_config(config))) {}

stripe::CallOutcome StripeAsker::ask(const stripe::Call& call) {
  for (int retries = 0;; ++retries) {
    stripe::HttpRequest request;
    request.path = call.path;
    request.api_key = secret_key_;
    request.timeout = timeout_;
    const auto answer = std::make_shared<std::promise<stripe::HttpResult>>();
    auto waiting = answer->get_future();
    transport_->send(std::move(request), [answer](stripe::HttpResult result) { answer->set_value(std::move(result)); });
    // The transport answers within the request's own timeout.
    const auto verdict = stripe::classify(waiting.get(), call, clock_.now());
    const auto wait = stripe::retry_after(kRetries, verdict, retries, ++asked_);
    if (!wait) {
      return verdict.outcome;
    }
    pause_for(*wait);
  }
}

Error StripeAsker::explain(const stripe::CallOutcome& outcome, const std::string& what) const {
  if (const auto* missing = std::get_if<stripe::NotFound>(&outcome)) {
    return {ErrorCode::invalid_operation, base_ + " has " + what + ": " + missing->message, {}};
  }
  if (const auto* refused = std::get_if<stripe::Refused>(&outcome)) {
    return {ErrorCode::invalid_operation, base_ + " shows " + what + ": " + refused->message, {}};
  }
  if (const auto* away = std::get_if<stripe::NotConnected>(&outcome)) {
    return {ErrorCode::unauthenticated, away->reason, {}};
  }
  const auto* later = std::get_if<stripe::RetryLater>(&outcome);
  const auto* unknown = std::get_if<stripe::Unknown>(&outcome);
  return {ErrorCode::service_unavailable,
          base_ + " gave " + what + ": " + (later != nullptr ? later->reason : unknown->reason),
          {}};
}

}  // namespace flexsync::app
