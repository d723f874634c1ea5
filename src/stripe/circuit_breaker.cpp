#include "stripe/circuit_breaker.hpp"

#include <algorithm>
#include <utility>

namespace flexsync::stripe {

CircuitBreaker::State CircuitBreaker::state(Timestamp now) const {
  if (!open_) {
    return State::closed;
  }
  return now < open_until_ ? State::open : State::half_open;
}

bool CircuitBreaker::admit(Timestamp now) {
  switch (state(now)) {
    case State::closed:
      return true;
    case State::open:
      return false;
    case State::half_open:
      break;
  }
  return !std::exchange(probing_, true);
}

void CircuitBreaker::on_success() {
  failures_ = 0;
  openings_ = 0;
  open_ = false;
  probing_ = false;
}

void CircuitBreaker::on_failure(Timestamp now, bool was_probe) {
  if (open_ && !was_probe) {
    return;
  }
  if (!open_ && ++failures_ < policy_.failures_to_open) {
    return;
  }
  constexpr int kDoublingsMax = 20;
  const auto open = policy_.open_base.count() << std::min(openings_, kDoublingsMax);
  open_until_ = now + std::min(std::chrono::milliseconds(open), policy_.open_cap);
  ++openings_;
  open_ = true;
  probing_ = false;
}

}  // namespace flexsync::stripe
