// When a failed event is tried again, and when it is given up to a person.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "domain/change_set.hpp"

namespace flexsync::sync {

struct RetryPolicy {
  int attempts_max = 8;
  std::chrono::milliseconds base{500};
  std::chrono::milliseconds cap{15 * 60 * 1000};
};

// Exponential with jitter: base * 2^(attempt-1), capped, of which the second half is random. `seed` is the randomness
// (an event's seq does), so that the same call gives the same answer.
std::chrono::milliseconds backoff(const RetryPolicy& policy, int attempt, std::uint64_t seed);

// The event failed for the (attempts_before + 1)-th time.
ParkedEvent after_failure(const RetryPolicy& policy, int attempts_before, std::uint64_t seed, Timestamp now,
                          std::string error_code, std::string error_message);

// What waits for others costs no attempt. It is looked at again at least so often, and after kWaitMax since it was
// parked first it is for a person.
inline constexpr std::chrono::minutes kWaitRecheck{5};
inline constexpr std::chrono::days kWaitMax{7};

// A subscription waits for its customer or plan (`key`), which wakes it when it appears.
ParkedEvent blocked(int attempts_before, Timestamp parked_at, Timestamp now, ObjectKey key);

// Nothing can be done before Stripe answers: asked again after about as long as it has been waited for already.
ParkedEvent unanswered(const RetryPolicy& policy, int attempts_before, std::uint64_t seed, Timestamp parked_at,
                       Timestamp now, std::string why);

// Trying again would give the same: dead at once.
ParkedEvent given_up(int attempts_before, Timestamp now, std::string error_code, std::string error_message);

}  // namespace flexsync::sync
