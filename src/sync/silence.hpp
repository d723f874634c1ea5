// Stripe was asked for an object and says nothing of it: why, and what becomes of the event that asked.
#pragma once

#include <cstdint>
#include <string>

#include "stripe/object_event.hpp"
#include "stripe/outcome.hpp"

namespace flexsync::sync {

enum class Silence : std::uint8_t {
  refused,        // and would be the next time: there is no such object, it may not be shown, or cannot be read
  not_connected,  // there is no key that Stripe accepts
  unavailable     // Stripe does not answer, or says to come again
};

struct NoAnswer {
  Silence silence = Silence::unavailable;
  std::string why;
};

// Of any outcome but an answer.
NoAnswer no_answer(const stripe::CallOutcome& outcome);

enum class WithoutAnswer : std::uint8_t {
  wait,       // until Stripe answers
  try_again,  // a few times
  go_on       // without it
};

// A thin event says nothing itself, so that it waits. The comparison's own does not: the next comparison finds the
// same.
WithoutAnswer without_answer(const stripe::ObjectEvent& event, Silence silence, int attempts_before, int attempts_max);

}  // namespace flexsync::sync
