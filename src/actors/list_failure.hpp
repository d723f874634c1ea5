// A list of Stripe's that was not answered: why, and when to ask again.
#pragma once

#include <chrono>
#include <string>

#include "domain/time.hpp"
#include "stripe/outcome.hpp"

namespace flexsync::actors {

struct ListFailure {
  std::string why;
  Timestamp again_at;
};

struct ListPatience {
  std::chrono::milliseconds retry;     // after Stripe was not available
  std::chrono::milliseconds pause;     // while the connection is paused, or has no key
  std::chrono::milliseconds interval;  // after an answer that will be the same again
};

// Of any outcome but Answered.
ListFailure list_failure(const stripe::CallOutcome& outcome, Timestamp now, const ListPatience& patience);

}  // namespace flexsync::actors
