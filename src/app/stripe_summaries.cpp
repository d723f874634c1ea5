#include "app/stripe_summaries.hpp"

#include <future>

#include "app/settings.hpp"
#include "stripe/meter.hpp"
#include "stripe/retry_policy.hpp"

namespace flexsync::app {

namespace {

constexpr int kPagesMax = 1'000;  // of 100 hours: eleven years
// A person waits for the answer, so it comes sooner than the server would give up.
constexpr stripe::RetryPolicies kRetries{.same_again_max = 2, .same_again_step = std::chrono::milliseconds(500)};

void pause(std::chrono::milliseconds length) {
  std::promise<void> never;
  never.get_future().wait_for(length);
}

tl::unexpected<Error> explain(const stripe::CallOutcome& outcome, const std::string& base,
                              const StripeAccount& account) {
  const auto whose = " for meter " + account.meter.str() + " and customer " + account.customer.str() + ": ";
  if (const auto* missing = std::get_if<stripe::NotFound>(&outcome)) {
    return fail(ErrorCode::invalid_operation, base + " has no usage" + whose + missing->message);
  }
  if (const auto* refused = std::get_if<stripe::Refused>(&outcome)) {
    return fail(ErrorCode::invalid_operation, base + " shows no usage" + whose + refused->message);
  }
  if (const auto* away = std::get_if<stripe::NotConnected>(&outcome)) {
    return fail(ErrorCode::unauthenticated, away->reason);
  }
  const auto* later = std::get_if<stripe::RetryLater>(&outcome);
  const auto* unknown = std::get_if<stripe::Unknown>(&outcome);
  return fail(ErrorCode::service_unavailable,
              base + " gave no usage" + whose + (later != nullptr ? later->reason : unknown->reason));
}

}  // namespace

StripeSummaries::StripeSummaries(const Config& config, Secret secret_key, const Clock& clock)
    : clock_(clock),
      base_(config.stripe.api_base),
      secret_key_(std::move(secret_key)),
      timeout_(std::chrono::seconds(config.stripe.timeout_seconds)),
      transport_(stripe::make_curl_transport(transport_config(config))) {}

stripe::CallOutcome StripeSummaries::ask(const stripe::Call& call) {
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
    pause(*wait);
  }
}

Result<AcceptedHours> StripeSummaries::read(const StripeAccount& account, const Segment& span) {
  if (account.meter.empty() || account.customer.empty()) {
    return fail(ErrorCode::invalid_operation,
                "usage was sent for customer " + account.customer.str() + " through a meter that no mapping names");
  }
  AcceptedHours hours;
  std::string last;
  for (int page = 0; page < kPagesMax; ++page) {
    auto call = stripe::meter_summaries(account.meter, account.customer, span.start, span.end, last);
    call.path += "&value_grouping_window=hour";  // an hour a row, where there is usage
    const auto outcome = ask(call);
    const auto* answered = std::get_if<stripe::Answered>(&outcome);
    if (answered == nullptr) {
      return explain(outcome, base_, account);
    }
    const auto read = stripe::parse_meter_summaries(answered->json);
    if (!read) {
      return fail(ErrorCode::invalid_operation, base_ + ": " + read.error().message);
    }
    for (const auto& summary : read->summaries) {
      hours[std::chrono::floor<std::chrono::hours>(summary.start)] += summary.value;
      last = summary.id.str();
    }
    if (!read->has_more || read->summaries.empty()) {
      return hours;
    }
  }
  return fail(ErrorCode::invalid_operation, base_ + " has more pages of usage than can be");
}

}  // namespace flexsync::app
