#include "sync/failure.hpp"

#include <algorithm>
#include <random>

namespace flexsync::sync {

namespace {

std::chrono::milliseconds with_jitter(std::int64_t full, std::uint64_t seed) {
  const auto half = full / 2;
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
  std::uniform_int_distribution<std::int64_t> jitter(0, std::max<std::int64_t>(full - half, 0));
  return std::chrono::milliseconds(half + jitter(random));
}

}  // namespace

std::chrono::milliseconds backoff(const RetryPolicy& policy, int attempt, std::uint64_t seed) {
  constexpr int kDoublingsMax = 30;
  const auto doublings = std::clamp(attempt - 1, 0, kDoublingsMax);
  return with_jitter(std::min(policy.cap.count(), policy.base.count() << doublings),
                     seed * 31 + static_cast<std::uint64_t>(attempt));
}

ParkedEvent after_failure(const RetryPolicy& policy, int attempts_before, std::uint64_t seed, Timestamp now,
                          std::string error_code, std::string error_message) {
  const int attempts = attempts_before + 1;
  if (attempts >= policy.attempts_max) {
    return given_up(attempts_before, now, std::move(error_code), std::move(error_message));
  }
  return {ParkedState::retrying,    attempts, now + backoff(policy, attempts, seed), std::move(error_code),
          std::move(error_message), {}};
}

ParkedEvent blocked(int attempts_before, Timestamp parked_at, Timestamp now, ObjectKey key) {
  const auto what = key.type + " " + key.id.str();
  if (now - parked_at >= kWaitMax) {
    return given_up(attempts_before, now, "blocked", what + " has not appeared for 7 days; make it, then redrive");
  }
  ParkedEvent parked{ParkedState::blocked,
                     attempts_before,
                     now + kWaitRecheck,
                     "blocked",
                     what + " is not here yet; the event waits for it",
                     std::move(key)};
  return parked;
}

ParkedEvent unanswered(const RetryPolicy& policy, int attempts_before, std::uint64_t seed, Timestamp parked_at,
                       Timestamp now, std::string why) {
  constexpr const char* kCode = "stripe_unavailable";
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - parked_at);
  if (waited >= kWaitMax) {
    return given_up(attempts_before, now, kCode, "Stripe does not answer, 7 days after it was asked first: " + why);
  }
  const auto pause_max = std::min<std::chrono::milliseconds>(policy.cap, kWaitRecheck);
  const auto pause = with_jitter(std::min(std::max(waited, policy.base), pause_max).count(), seed);
  return {ParkedState::retrying, attempts_before, now + pause, kCode, std::move(why), {}};
}

ParkedEvent given_up(int attempts_before, Timestamp now, std::string error_code, std::string error_message) {
  return {ParkedState::dead, attempts_before + 1, now, std::move(error_code), std::move(error_message), {}};
}

}  // namespace flexsync::sync
