// When Stripe is down, it is not asked: the breaker opens after failures in a row, and lets one call through now and
// then to see whether it is back. Only failures that are Stripe's or the network's count. Time is a parameter.
#pragma once

#include <chrono>

#include "domain/time.hpp"

namespace flexsync::stripe {

struct BreakerPolicy {
  int failures_to_open = 5;  // in a row
  std::chrono::milliseconds open_base{1'000};
  std::chrono::milliseconds open_cap{30'000};  // doubles with each probe that fails, up to here
};

class CircuitBreaker {
 public:
  enum class State : std::uint8_t { closed, open, half_open };

  explicit CircuitBreaker(BreakerPolicy policy) : policy_(policy) {}

  // May a call go out now? In the half-open state the one that asks first is the probe.
  bool admit(Timestamp now);
  void on_success();
  // What was on its way when the breaker opened says nothing new: then only the probe's failure counts.
  void on_failure(Timestamp now, bool was_probe);
  // The probe came to nothing that tells (it was never sent, or told off by the rate limiter): the next one probes.
  void on_no_verdict() { probing_ = false; }
  bool is_probing() const { return probing_; }

  State state(Timestamp now) const;
  Timestamp open_until() const { return open_until_; }

 private:
  BreakerPolicy policy_;
  int failures_ = 0;
  int openings_ = 0;  // in a row
  bool open_ = false;
  bool probing_ = false;
  Timestamp open_until_{};
};

}  // namespace flexsync::stripe
