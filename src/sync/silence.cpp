#include "sync/silence.hpp"

#include <variant>

namespace flexsync::sync {

namespace {

struct Reason {
  NoAnswer operator()(const stripe::Answered& /*answer*/) const { return {Silence::refused, "Stripe answered"}; }
  NoAnswer operator()(const stripe::NotFound& answer) const { return {Silence::refused, answer.message}; }
  NoAnswer operator()(const stripe::Refused& answer) const { return {Silence::refused, answer.message}; }
  NoAnswer operator()(const stripe::NotConnected& answer) const { return {Silence::not_connected, answer.reason}; }
  NoAnswer operator()(const stripe::RetryLater& answer) const { return {Silence::unavailable, answer.reason}; }
  NoAnswer operator()(const stripe::Unknown& answer) const { return {Silence::unavailable, answer.reason}; }
};

}  // namespace

NoAnswer no_answer(const stripe::CallOutcome& outcome) {
  return std::visit(Reason{}, outcome);
}

WithoutAnswer without_answer(const stripe::ObjectEvent& event, Silence silence, int attempts_before, int attempts_max) {
  if (silence == Silence::refused) {
    return WithoutAnswer::go_on;
  }
  if (event.hint && event.type != stripe::kReconcileEvent) {
    return WithoutAnswer::wait;
  }
  const bool again = silence == Silence::unavailable && attempts_before + 1 < attempts_max;
  return again ? WithoutAnswer::try_again : WithoutAnswer::go_on;
}

}  // namespace flexsync::sync
