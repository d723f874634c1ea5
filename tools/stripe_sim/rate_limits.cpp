#include "stripe_sim/rate_limits.hpp"

#include <algorithm>

#include "stripe_sim/json_fields.hpp"

namespace stripe_sim {

namespace {

constexpr int kLimitMax = 1'000'000;
constexpr int kWindowMsMax = 3'600'000;
constexpr const char* kMeterEvents = "POST /v1/billing/meter_events";

}  // namespace

void RateLimits::set(const Json& body) {
  JsonFields fields(body, "body");
  const std::lock_guard lock(mutex_);
  LimitSettings settings = settings_;
  const auto read = [&fields](const char* name, int& value, int min, int max) {
    value = static_cast<int>(fields.integer(name, value, min, max));
  };
  settings.on = fields.boolean("on", settings.on);
  read("global_live", settings.global_live, 1, kLimitMax);
  read("global_test", settings.global_test, 1, kLimitMax);
  read("endpoint", settings.endpoint, 1, kLimitMax);
  read("meter_events_live", settings.meter_events_live, 1, kLimitMax);
  read("global_concurrent", settings.global_concurrent, 0, kLimitMax);
  read("endpoint_concurrent", settings.endpoint_concurrent, 0, kLimitMax);
  read("window_ms", settings.window_ms, 1, kWindowMsMax);
  fields.finish();
  settings_ = settings;
  for (auto& [name, meter] : meters_) {
    meter.recent.clear();
  }
}

Json RateLimits::state() const {
  const std::lock_guard lock(mutex_);
  return {{"on", settings_.on},
          {"global_live", settings_.global_live},
          {"global_test", settings_.global_test},
          {"endpoint", settings_.endpoint},
          {"meter_events_live", settings_.meter_events_live},
          {"global_concurrent", settings_.global_concurrent},
          {"endpoint_concurrent", settings_.endpoint_concurrent},
          {"window_ms", settings_.window_ms}};
}

bool RateLimits::is_full(Meter& meter, int limit, Time now) const {
  const Time oldest = now - std::chrono::milliseconds(settings_.window_ms);
  while (!meter.recent.empty() && meter.recent.front() <= oldest) {
    meter.recent.pop_front();
  }
  return meter.recent.size() >= static_cast<std::size_t>(limit);
}

std::optional<std::string> RateLimits::enter(const std::string& account_key, bool livemode,
                                             const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  Meter& global = meters_[account_key];
  Meter& own = meters_[account_key + " " + endpoint];
  const bool is_usage = endpoint == kMeterEvents;
  const bool counts_globally = !is_usage || !livemode;
  if (settings_.on) {
    const Time now = std::chrono::steady_clock::now();
    const auto crowded = [](const Meter& meter, int limit) { return limit > 0 && meter.under_way >= limit; };
    if (counts_globally && is_full(global, livemode ? settings_.global_live : settings_.global_test, now)) {
      return "global-rate";
    }
    if ((!is_usage || livemode) && is_full(own, is_usage ? settings_.meter_events_live : settings_.endpoint, now)) {
      return "endpoint-rate";
    }
    if (crowded(global, settings_.global_concurrent)) {
      return "global-concurrency";
    }
    if (crowded(own, settings_.endpoint_concurrent)) {
      return "endpoint-concurrency";
    }
    own.recent.push_back(now);
    if (counts_globally) {
      global.recent.push_back(now);
    }
  }
  ++global.under_way;
  ++own.under_way;
  return std::nullopt;
}

void RateLimits::leave(const std::string& account_key, const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  --meters_[account_key].under_way;
  --meters_[account_key + " " + endpoint].under_way;
}

}  // namespace stripe_sim
