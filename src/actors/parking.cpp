#include "actors/parking.hpp"

#include <utility>

#include "sync/failure.hpp"

namespace flexsync::actors {

namespace {

constexpr const char* kStripeUnavailable = "stripe_unavailable";

// Of the pauses.
std::uint64_t seed_of(const RoutedEvent& routed) {
  return static_cast<std::uint64_t>(routed.seq);
}

}  // namespace

ParkedEvent after_failure(const RoutedEvent& routed, const ActorConfig& config, Timestamp now, std::string error_code,
                          std::string error_message) {
  return sync::after_failure(config.retry, routed.attempts, seed_of(routed), now, std::move(error_code),
                             std::move(error_message));
}

ParkedEvent until_stripe_answers(const RoutedEvent& routed, const ActorConfig& config, Timestamp now, std::string why) {
  return sync::unanswered(config.retry, routed.attempts, seed_of(routed), routed.parked_at.value_or(now), now,
                          std::move(why));
}

std::optional<ParkedEvent> after_silence(const RoutedEvent& routed, const ActorConfig& config, Timestamp now,
                                         const sync::NoAnswer& reason) {
  switch (sync::without_answer(routed.event, reason.silence, routed.attempts, config.asked_max())) {
    case sync::WithoutAnswer::wait:
      return until_stripe_answers(routed, config, now, reason.why);
    case sync::WithoutAnswer::try_again:
      return after_failure(routed, config, now, kStripeUnavailable, reason.why);
    case sync::WithoutAnswer::go_on:
      break;
  }
  return std::nullopt;
}

}  // namespace flexsync::actors
