// How fast Stripe may be called: a token bucket for everything, one for each endpoint, and lanes.
//
// Stripe's limits (https://docs.stripe.com/rate-limits) hold per account and mode, and others call with the same
// account, so we keep to a share of them. Lower lanes leave a reserve in the bucket, so that a bulk job never makes a
// person wait for the next token. A 429 halves the rate it was about, which then recovers second by second.
// Time is a parameter; tokens are counted in millionths, so nothing is lost to rounding.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "domain/time.hpp"
#include "stripe/call.hpp"
#include "stripe/classify.hpp"

namespace flexsync::stripe {

class TokenBucket {
 public:
  explicit TokenBucket(std::int64_t per_second);  // and a burst of a quarter of it

  // From when on one token beyond `reserve` (of the burst, in percent) is there; `now` where it is.
  Timestamp ready_at(std::int64_t reserve_percent, Timestamp now);
  void take() { level_ -= kToken; }
  void slow_down(Timestamp now);  // to half its rate
  std::int64_t rate() const { return rate_; }
  bool is_full() const { return level_ >= burst_ * kToken; }

 private:
  static constexpr std::int64_t kToken = 1'000'000;

  void refill(Timestamp now);

  std::int64_t full_;   // tokens a second
  std::int64_t burst_;  // and so many at once
  std::int64_t rate_;   // of now
  std::int64_t level_;  // millionths
  Timestamp refilled_{};
  Timestamp recovered_{};
};

struct RateLimits {
  std::int64_t live_per_second = 80;  // 80 % of Stripe's 100, 25, 25 and 1,000
  std::int64_t test_per_second = 20;
  std::int64_t endpoint_per_second = 20;
  std::int64_t meter_events_per_second = 800;  // live; in test mode they count with all others
};

class RateLimiter {
 public:
  static constexpr std::size_t kEndpointsMax = 64;

  RateLimiter(const RateLimits& limits, bool live);

  // Takes a token of each bucket that applies, or says from when on it is worth asking again.
  std::optional<Timestamp> admit(const std::string& endpoint, Lane lane, Timestamp now);
  void on_limited(const std::string& endpoint, Limited limited, Timestamp now);

 private:
  TokenBucket& endpoint(const std::string& name);
  bool has_own_limit(const std::string& name) const { return live_ && name == kMeterEvents; }

  RateLimits limits_;
  bool live_;
  TokenBucket whole_;
  TokenBucket meter_events_;
  std::map<std::string, TokenBucket> endpoints_;
};

}  // namespace flexsync::stripe
