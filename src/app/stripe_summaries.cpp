#include "app/stripe_summaries.hpp"

#include "stripe/meter.hpp"

namespace flexsync::app {

namespace {

constexpr int kPagesMax = 1'000;  // of 100 hours: eleven years
}  // namespace

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
    const auto outcome = stripe_.ask(call);
    const auto* answered = std::get_if<stripe::Answered>(&outcome);
    if (answered == nullptr) {
      return tl::unexpected(stripe_.explain(
          outcome, "no usage for meter " + account.meter.str() + " and customer " + account.customer.str()));
    }
    const auto read = stripe::parse_meter_summaries(answered->json);
    if (!read) {
      return fail(ErrorCode::invalid_operation, stripe_.base() + ": " + read.error().message);
    }
    for (const auto& summary : read->summaries) {
      hours[std::chrono::floor<std::chrono::hours>(summary.start)] += summary.value;
      last = summary.id.str();
    }
    if (!read->has_more || read->summaries.empty()) {
      return hours;
    }
  }
  return fail(ErrorCode::invalid_operation, stripe_.base() + " has more pages of usage than can be");
}

}  // namespace flexsync::app
