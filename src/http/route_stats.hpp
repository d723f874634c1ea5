// The metrics of one route, looked up once per status: a look-up by label takes a lock and hashes strings, which a
// webhook cannot afford.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string>

#include "telemetry/metrics.hpp"

namespace flexsync::http {

class RouteStats {
 public:
  RouteStats(Metrics& metrics, std::string route, std::string method);

  // Any thread.
  void record(int status, double seconds);

 private:
  // The statuses we answer; another counts under the last.
  static constexpr std::array kStatuses = {200, 201, 204, 400, 401, 403, 404, 405, 408, 409, 413, 429, 431, 503, 500};

  Metrics& metrics_;
  const std::string route_;
  const std::string method_;
  prometheus::Histogram& seconds_;
  // Filled at first use, so that /metrics shows only what happened.
  std::array<std::atomic<prometheus::Counter*>, kStatuses.size()> requests_{};
};

}  // namespace flexsync::http
