// Time is a parameter: whoever needs it is given a Clock, so that a test can move it.
#pragma once

#include <atomic>

#include "domain/time.hpp"

namespace flexsync {

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  virtual Timestamp now() const = 0;
};

// The machine's clock; the only place that reads it.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

// A clock that stands still until it is moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : micros_(to_unix_micros(start)) {}

  Timestamp now() const override { return from_unix_micros(micros_.load()); }
  void advance(std::chrono::microseconds by) { micros_ += by.count(); }
  void set(Timestamp time) { micros_ = to_unix_micros(time); }

 private:
  std::atomic<std::int64_t> micros_;
};

}  // namespace flexsync
