// The ledger of billed usage, as the usage timer sees it: closes windows into batches, pages what is to be sent, and
// books what became of it.
//
// Every change checks the owner's epoch in its transaction: a timer that was replaced writes nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "domain/error.hpp"
#include "domain/usage.hpp"

namespace flexsync::store {

class ReadPool;

struct CloseRequest {
  std::int64_t epoch = 0;
  Timestamp now;
  std::chrono::minutes grace{5};
  std::chrono::hours age_max{35 * 24};  // Stripe takes nothing older: such a batch is made `expired`
  int batches_max = 10'000;             // in one transaction; `more` says that there is more
};

struct Closed {
  std::int64_t batches = 0;  // made, of all kinds
  bool more = false;
};

// What became of an attempt to send one batch.
struct BatchResult {
  BatchId id;
  BatchStatus status = BatchStatus::pending;  // pending: again at next_attempt_at
  int attempts = 0;
  Timestamp next_attempt_at;
  std::string error_code;
  std::string error_message;
  std::optional<Timestamp> first_sent_at;
  std::optional<Timestamp> synced_at;
};

// Replies come exactly once, on a thread of the store's. version_conflict: the epoch is not the owner's any more.
class UsageLedger {
 public:
  virtual ~UsageLedger() = default;

  // Batches for segments that are over since `grace`, of mapped meters and mapped customers, and follow-ups for late
  // usage; rollup, carry and batch in one transaction.
  virtual void close_windows(const Scope& scope, CloseRequest request, std::function<void(Result<Closed>)> reply) = 0;

  // Pending batches that are due, oldest window first; at most one per customer and meter, in order of sequence
  // (Stripe takes one call at a time per customer and meter). Customers and meters of what is in flight are left out.
  virtual void read_pending(const Scope& scope, Timestamp now, int rows_max, std::vector<BatchId> in_flight,
                            std::function<void(Result<std::vector<UsageBatch>>)> reply) = 0;

  virtual void book(const Scope& scope, std::int64_t epoch, std::vector<BatchResult> results, Timestamp now,
                    std::function<void(Result<void>)> reply) = 0;

  // Events whose customer appeared since: attributed and counted, up to `events_max` in one transaction; how many.
  virtual void match_again(const Scope& scope, std::int64_t epoch, int events_max, Timestamp now,
                           std::function<void(Result<std::int64_t>)> reply) = 0;

  // Keys older than 36 days: forgotten, up to `rows_max`; how many.
  virtual void sweep_keys(const Scope& scope, Timestamp now, int rows_max,
                          std::function<void(Result<std::int64_t>)> reply) = 0;
};

// Over a pool of its own: closing a window of 10,000 groups takes a second or so, which no reader shall wait for.
class StoreUsageLedger final : public UsageLedger {
 public:
  StoreUsageLedger(ReadPool& pool, std::chrono::minutes window) : pool_(pool), window_(window) {}

  void close_windows(const Scope& scope, CloseRequest request, std::function<void(Result<Closed>)> reply) override;
  void read_pending(const Scope& scope, Timestamp now, int rows_max, std::vector<BatchId> in_flight,
                    std::function<void(Result<std::vector<UsageBatch>>)> reply) override;
  void book(const Scope& scope, std::int64_t epoch, std::vector<BatchResult> results, Timestamp now,
            std::function<void(Result<void>)> reply) override;
  void match_again(const Scope& scope, std::int64_t epoch, int events_max, Timestamp now,
                   std::function<void(Result<std::int64_t>)> reply) override;
  void sweep_keys(const Scope& scope, Timestamp now, int rows_max,
                  std::function<void(Result<std::int64_t>)> reply) override;

 private:
  ReadPool& pool_;
  std::chrono::minutes window_;
};

}  // namespace flexsync::store
