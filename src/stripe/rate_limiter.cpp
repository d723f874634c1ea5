#include "stripe/rate_limiter.hpp"

#include <algorithm>

namespace flexsync::stripe {

namespace {

// What a lane leaves in the bucket for those before it, in percent of the burst.
constexpr std::array<std::int64_t, kLanes> kReserves = {0, 10, 25, 50};
constexpr std::int64_t kRecovery = 20;   // a twentieth of the full rate comes back each second
constexpr std::int64_t kBurstShare = 4;  // of 80 %: the rest of Stripe's limit, which no second then passes
constexpr std::int64_t kMicros = 1'000'000;

}  // namespace

TokenBucket::TokenBucket(std::int64_t per_second)
    : full_(std::max<std::int64_t>(1, per_second)),
      burst_(std::max<std::int64_t>(1, full_ / kBurstShare)),
      rate_(full_),
      level_(burst_ * kToken) {}

void TokenBucket::refill(Timestamp now) {
  if (now <= refilled_) {  // a clock that was set back brings no tokens, but must not hold them up either
    refilled_ = now;
    recovered_ = std::min(recovered_, now);
    return;
  }
  // A second fills it, however long ago it was.
  const auto elapsed = std::min<std::int64_t>((now - refilled_).count(), full_ * kMicros);
  level_ = std::min(burst_ * kToken, level_ + elapsed * rate_);
  refilled_ = now;
  if (rate_ < full_) {
    const auto seconds = std::min<std::int64_t>((now - recovered_).count() / kMicros, kRecovery);
    rate_ = std::min(full_, rate_ + seconds * std::max<std::int64_t>(1, full_ / kRecovery));
    recovered_ += std::chrono::seconds(seconds);
  }
}

Timestamp TokenBucket::ready_at(std::int64_t reserve_percent, Timestamp now) {
  refill(now);
  // A bucket of one or two tokens has none to spare for a reserve.
  const auto reserve = std::min(burst_ - 1, burst_ * reserve_percent / 100) * kToken;
  const auto missing = reserve + kToken - level_;
  if (missing <= 0) {
    return now;
  }
  return now + std::chrono::microseconds((missing + rate_ - 1) / rate_);
}

void TokenBucket::slow_down(Timestamp now) {
  refill(now);
  rate_ = std::max<std::int64_t>(1, rate_ / 2);
  level_ = std::min<std::int64_t>(level_, 0);  // the burst was too much already
  recovered_ = now;
}

RateLimiter::RateLimiter(const RateLimits& limits, bool live)
    : limits_(limits),
      live_(live),
      whole_(live ? limits.live_per_second : limits.test_per_second),
      meter_events_(limits.meter_events_per_second) {}

TokenBucket& RateLimiter::endpoint(const std::string& name) {
  if (has_own_limit(name)) {
    return meter_events_;
  }
  if (endpoints_.size() >= kEndpointsMax && !endpoints_.contains(name)) {
    const auto idle =
        std::find_if(endpoints_.begin(), endpoints_.end(), [](const auto& entry) { return entry.second.is_full(); });
    endpoints_.erase(idle == endpoints_.end() ? endpoints_.begin() : idle);
  }
  const bool counts_as_all = name == kMeterEvents;  // in test mode it has the whole account's limit
  return endpoints_.try_emplace(name, counts_as_all ? limits_.test_per_second : limits_.endpoint_per_second)
      .first->second;
}

std::optional<Timestamp> RateLimiter::admit(const std::string& name, Lane lane, Timestamp now) {
  const auto reserve = kReserves.at(static_cast<std::size_t>(lane));
  auto& own = endpoint(name);
  auto ready = own.ready_at(reserve, now);
  if (!has_own_limit(name)) {
    ready = std::max(ready, whole_.ready_at(reserve, now));
  }
  if (ready > now) {
    return ready;
  }
  own.take();
  if (!has_own_limit(name)) {
    whole_.take();
  }
  return std::nullopt;
}

void RateLimiter::on_limited(const std::string& name, Limited limited, Timestamp now) {
  if (limited == Limited::endpoint || (limited == Limited::whole && has_own_limit(name))) {
    endpoint(name).slow_down(now);
  } else if (limited == Limited::whole) {
    whole_.slow_down(now);
  }
}

}  // namespace flexsync::stripe
