// Intake: webhooks into the inbox by group commit; the reply comes after the commit.
//
// A tenant's environment always goes through the same writer thread, so within one process its rows become visible
// in the order of their seq and a reader's cursor does not run past one that commits late. (What another process
// stores at the same time is found by the supervisor's sweep.)
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "domain/ports.hpp"
#include "store/precedence.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::store {

struct InboxWriterConfig {
  std::string url;
  int writers = 2;
  std::size_t batch_rows_max = 256;
  std::size_t batch_bytes_max = 8 * 1024 * 1024;
  std::size_t queue_max = 16'384;  // waiting webhooks per writer; over it 503, and Stripe comes again
  int statement_timeout_ms = 10'000;
};

class InboxWriter final : public WebhookIntake {
 public:
  // `committed` is called after a commit, once for each scope that got a row; on the writer's thread.
  InboxWriter(InboxWriterConfig config, Metrics& metrics, Precedence& precedence,
              std::function<void(const Scope&)> committed);
  ~InboxWriter() override;  // stores what is queued, then stops

  void store(IncomingEvent event, std::function<void(Result<IntakeResult>)> reply) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flexsync::store
