// How an event that came to nothing is parked, by what it came to.
#pragma once

#include <optional>
#include <string>

#include "actors/messages.hpp"
#include "actors/services.hpp"
#include "sync/silence.hpp"

namespace flexsync::actors {

// It is one attempt less.
ParkedEvent after_failure(const RoutedEvent& routed, const ActorConfig& config, Timestamp now, std::string error_code,
                          std::string error_message);

// It waits for Stripe, which costs no attempt.
ParkedEvent until_stripe_answers(const RoutedEvent& routed, const ActorConfig& config, Timestamp now, std::string why);

// Stripe said nothing of its object; none: it goes on without.
std::optional<ParkedEvent> after_silence(const RoutedEvent& routed, const ActorConfig& config, Timestamp now,
                                         const sync::NoAnswer& reason);

}  // namespace flexsync::actors
