// The simulator's time: real time plus an offset, or frozen. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "stripe_sim/types.hpp"

namespace stripe_sim {

// The machine's clock. Deliveries are signed with it by default, so that a server with a real clock accepts them.
std::int64_t real_unix_seconds();
std::int64_t real_unix_millis();

class Clock {
 public:
  explicit Clock(std::optional<std::int64_t> start_time);

  std::int64_t now() const;  // unix seconds, as everywhere in Stripe's objects
  void advance(std::int64_t seconds);
  void freeze_at(std::int64_t unix_seconds);
  void follow();  // the machine's clock again, without an offset
  Json state() const;

 private:
  mutable std::mutex mutex_;
  std::int64_t offset_seconds_ = 0;
  std::optional<std::int64_t> frozen_at_;
};

// "Tue, 15 Nov 1994 08:12:31 GMT", for the Date header.
std::string http_date(std::int64_t unix_seconds);

}  // namespace stripe_sim
