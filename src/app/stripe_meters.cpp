#include "app/stripe_meters.hpp"

#include <future>
#include <memory>

#include "stripe/meter.hpp"

namespace flexsync::app {

namespace {

constexpr std::chrono::seconds kPatience{25};  // below the time in which a request must be answered

tl::unexpected<Error> explain(const stripe::CallOutcome& outcome, const StripeId& meter) {
  if (std::holds_alternative<stripe::NotFound>(outcome)) {
    return fail(ErrorCode::validation_error, "Stripe has no billing meter " + meter.str(),
                {{"provider_meter_id", "is no billing meter of the connected Stripe account"}});
  }
  if (const auto* refused = std::get_if<stripe::Refused>(&outcome)) {
    return fail(ErrorCode::invalid_operation, "Stripe refused to show the meter: " + refused->message);
  }
  if (const auto* away = std::get_if<stripe::NotConnected>(&outcome)) {
    return fail(ErrorCode::invalid_operation, away->reason);
  }
  return fail(ErrorCode::service_unavailable, "Stripe cannot be asked for the meter now: try again later");
}

}  // namespace

Result<store::StripeMeter> look_up_meter(actors::Engine& engine, const Scope& scope, const StripeId& meter) {
  auto call = stripe::retrieve("billing.meter", meter);
  call.lane = stripe::Lane::interactive;
  const auto answer = std::make_shared<std::promise<stripe::CallOutcome>>();
  auto waiting = answer->get_future();
  engine.call(scope, std::move(call), [answer](stripe::CallOutcome outcome) { answer->set_value(std::move(outcome)); });
  if (waiting.wait_for(kPatience) != std::future_status::ready) {
    return explain(stripe::Unknown{}, meter);
  }
  const auto outcome = waiting.get();
  const auto* answered = std::get_if<stripe::Answered>(&outcome);
  if (answered == nullptr) {
    return explain(outcome, meter);
  }
  const auto read = stripe::parse_billing_meter(answered->json);
  if (!read) {
    return tl::unexpected(read.error());
  }
  return store::StripeMeter{read->event_name, read->formula, read->status, read->customer_key, read->value_key};
}

}  // namespace flexsync::app
