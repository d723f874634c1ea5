#include "stripe_sim/clock.hpp"

#include <array>
#include <chrono>
#include <ctime>

namespace stripe_sim {

std::int64_t real_unix_millis() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

std::int64_t real_unix_seconds() {
  return real_unix_millis() / 1000;
}

Clock::Clock(std::optional<std::int64_t> start_time) {
  if (start_time) {
    offset_seconds_ = *start_time - real_unix_seconds();
  }
}

std::int64_t Clock::now() const {
  const std::lock_guard lock(mutex_);
  return frozen_at_.value_or(real_unix_seconds() + offset_seconds_);
}

void Clock::advance(std::int64_t seconds) {
  const std::lock_guard lock(mutex_);
  if (frozen_at_) {
    *frozen_at_ += seconds;
  } else {
    offset_seconds_ += seconds;
  }
}

void Clock::freeze_at(std::int64_t unix_seconds) {
  const std::lock_guard lock(mutex_);
  frozen_at_ = unix_seconds;
}

void Clock::follow() {
  const std::lock_guard lock(mutex_);
  frozen_at_.reset();
  offset_seconds_ = 0;
}

Json Clock::state() const {
  const std::int64_t time = now();
  const std::lock_guard lock(mutex_);
  return {{"now", time}, {"frozen", frozen_at_.has_value()}, {"offset_seconds", time - real_unix_seconds()}};
}

std::string http_date(std::int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), length};
}

}  // namespace stripe_sim
