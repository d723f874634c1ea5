// The ledger of usage in memory: batches are given by the test, either to be closed or as pending.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "store/usage_ledger.hpp"
#include "support/actor_fakes.hpp"

namespace flexsync::test {

class FakeUsageLedger final : public store::UsageLedger {
 public:
  explicit FakeUsageLedger(HeldCalls& held) : held_(held) {}

  // Held as "close", "pending", "book", "match", "sweep".
  void close_windows(const Scope& scope, store::CloseRequest request,
                     std::function<void(Result<store::Closed>)> reply) override;
  void read_pending(const Scope& scope, Timestamp now, int rows_max, std::vector<BatchId> in_flight,
                    std::function<void(Result<std::vector<UsageBatch>>)> reply) override;
  void book(const Scope& scope, std::int64_t of_epoch, std::vector<BatchResult> results, Timestamp now,
            std::function<void(Result<void>)> reply) override;
  void match_again(const Scope& scope, std::int64_t of_epoch, int events_max, Timestamp now,
                   std::function<void(Result<std::int64_t>)> reply) override;
  void sweep_keys(const Scope& scope, Timestamp now, int rows_max,
                  std::function<void(Result<std::int64_t>)> reply) override;

  void add(UsageBatch batch) { batches.insert_or_assign(batch.id, std::move(batch)); }

  std::int64_t epoch = 1;  // the owner's
  std::map<BatchId, UsageBatch> batches;
  std::deque<UsageBatch> to_close;  // what closing windows makes batches of
  std::int64_t unattributed = 0;    // events that can be attributed
  Script<ErrorCode> close_faults;
  Script<ErrorCode> page_faults;
  Script<ErrorCode> book_faults;
  bool book_fault_applies = false;  // the commit happened, only the answer says otherwise
  std::vector<store::CloseRequest> close_requests;
  std::vector<std::vector<BatchResult>> booked;  // every group that was taken
  int pages = 0;
  int matches = 0;

 private:
  HeldCalls& held_;
};

}  // namespace flexsync::test
