// Usage intake: events of many tenants and callers by group commit, keys, events and rollups in one transaction; the
// reply comes after the commit.
//
// A tenant whose meters are being changed, which may count millions of events again, holds up nobody: its events are
// set aside until the change has committed, and refused if that takes too long.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "domain/usage_ports.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::store {

struct UsageWriterConfig {
  std::string url;
  int writers = 2;  // the next commit is prepared and written while the last one waits for the disk
  std::size_t batch_submissions_max = 256;
  std::size_t batch_rows_max = 16'000;
  std::size_t queue_submissions_max = 16'384;
  std::size_t queue_rows_max = 200'000;  // events waiting, of all callers; over it 503, and the caller comes again
  std::chrono::milliseconds set_aside_max{10'000};
  std::chrono::minutes window{60};
  int statement_timeout_ms = 30'000;
};

class UsageWriter final : public UsageIntake {
 public:
  UsageWriter(UsageWriterConfig config, Metrics& metrics);
  ~UsageWriter() override;  // stores what is queued, then stops

  // validation_error for text that no column takes, and ids beyond kUsageTextBytesMax.
  void store(UsageSubmission submission, std::function<void(Result<UsageReceipt>)> reply) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::size_t kUsageTextBytesMax = 255;  // of ids and event names, which an index holds

}  // namespace flexsync::store
