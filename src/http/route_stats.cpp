#include "http/route_stats.hpp"

#include <algorithm>
#include <utility>

namespace flexsync::http {

RouteStats::RouteStats(Metrics& metrics, std::string route, std::string method)
    : metrics_(metrics), route_(std::move(route)), method_(std::move(method)), seconds_(metrics.http_seconds(route_)) {}

void RouteStats::record(int status, double seconds) {
  const auto found = std::find(kStatuses.begin(), kStatuses.end() - 1, status);
  auto& cached = requests_[static_cast<std::size_t>(found - kStatuses.begin())];
  auto* counter = cached.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &metrics_.http_requests(route_, method_, *found);  // the same one for every thread that races here
    cached.store(counter, std::memory_order_release);
  }
  counter->Increment();
  seconds_.Observe(seconds);
}

}  // namespace flexsync::http
