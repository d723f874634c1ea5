// The applying writer: change sets of many entities and tenants merged into one set-based statement per table.
//
// A change set is committed whole or not at all. What it was decided on is checked in the same transaction: the
// owner's epoch, the row versions, that its inbox row is not settled yet and its intents are still to be sent. A loser
// never costs the others: the batch is rolled back, the loser answered, the rest written again.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "domain/change_set.hpp"
#include "store/precedence.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::store {

struct ChangeWriterConfig {
  std::string url;
  int writers = 2;
  std::size_t batch_max = 256;
  std::size_t queue_max = 65'536;  // change sets waiting; supervisors bound what is in flight far below it
  int statement_timeout_ms = 30'000;
};

// What actors see of the writer; a fake one serves the deterministic actor tests.
class ChangeSink {
 public:
  virtual ~ChangeSink() = default;
  // `reply` is called exactly once, on a writer's thread.
  virtual void submit(ChangeSet change, std::function<void(ChangeReply)> reply) = 0;
};

class ChangeWriter final : public ChangeSink {
 public:
  // `precedence`: shared with intake, which goes first; it outlives the writer.
  ChangeWriter(ChangeWriterConfig config, Metrics& metrics, const Precedence& precedence);
  ~ChangeWriter() override;  // writes what is queued, then stops

  void submit(ChangeSet change, std::function<void(ChangeReply)> reply) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flexsync::store
