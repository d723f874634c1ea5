#include "support/fake_usage_ledger.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace flexsync::test {

namespace {

void apply(UsageBatch& batch, const BatchResult& result, Timestamp now) {
  batch.status = result.status;
  batch.attempts = result.attempts;
  batch.next_attempt_at = result.next_attempt_at;
  batch.error_code = result.error_code;
  batch.error_message = result.error_message;
  batch.first_sent_at = result.first_sent_at;
  batch.synced_at = result.synced_at;
  batch.updated_at = now;
}

}  // namespace

void FakeUsageLedger::close_windows(const Scope& /*scope*/, store::CloseRequest request,
                                    std::function<void(Result<store::Closed>)> reply) {
  held_.call("close", [this, request, reply = std::move(reply)] {
    close_requests.push_back(request);
    Result<store::Closed> result = store::Closed{};
    if (const auto fault = close_faults.take()) {
      result = fail(*fault, "the script says so");
    } else if (request.epoch != epoch) {
      result = fail(ErrorCode::version_conflict, "another owner");
    } else {
      while (!to_close.empty() && result->batches < request.batches_max) {
        add(std::move(to_close.front()));
        to_close.pop_front();
        ++result->batches;
      }
      result->more = !to_close.empty();
    }
    return [reply, result] { reply(result); };
  });
}

// Excludes what is in flight before it chooses: the one behind it may come.
void FakeUsageLedger::read_pending(const Scope& /*scope*/, Timestamp now, int rows_max, std::vector<BatchId> in_flight,
                                   std::function<void(Result<std::vector<UsageBatch>>)> reply) {
  held_.call("pending", [this, now, rows_max, in_flight = std::move(in_flight), reply = std::move(reply)] {
    ++pages;
    if (const auto fault = page_faults.take()) {
      return HeldCalls::Reply([reply, fault] { reply(fail(*fault, "the script says so")); });
    }
    std::vector<UsageBatch> waiting;
    for (const auto& [id, batch] : batches) {
      if (batch.status == BatchStatus::pending &&
          std::find(in_flight.begin(), in_flight.end(), id) == in_flight.end()) {
        waiting.push_back(batch);
      }
    }
    std::sort(waiting.begin(), waiting.end(), [](const UsageBatch& a, const UsageBatch& b) {
      return std::tie(a.window, a.sequence, a.id) < std::tie(b.window, b.sequence, b.id);
    });
    std::set<std::pair<CustomerId, MeterId>> seen;
    std::vector<UsageBatch> page;
    for (auto& batch : waiting) {
      const bool first = seen.emplace(batch.customer_id, batch.meter_id).second;
      if (first && batch.next_attempt_at <= now && static_cast<int>(page.size()) < rows_max) {
        page.push_back(std::move(batch));
      }
    }
    return HeldCalls::Reply([reply, page = std::move(page)] { reply(page); });
  });
}

void FakeUsageLedger::book(const Scope& /*scope*/, std::int64_t of_epoch, std::vector<BatchResult> results,
                           Timestamp now, std::function<void(Result<void>)> reply) {
  held_.call("book", [this, of_epoch, results = std::move(results), now, reply = std::move(reply)] {
    const auto fault = of_epoch == epoch ? book_faults.take() : ErrorCode::version_conflict;
    if (!fault || (book_fault_applies && of_epoch == epoch)) {
      booked.push_back(results);
      for (const auto& result : results) {
        apply(batches.at(result.id), result, now);
      }
    }
    return [reply, fault] { reply(fault ? Result<void>(fail(*fault, "the script says so")) : Result<void>()); };
  });
}

void FakeUsageLedger::match_again(const Scope& /*scope*/, std::int64_t of_epoch, int events_max, Timestamp /*now*/,
                                  std::function<void(Result<std::int64_t>)> reply) {
  held_.call("match", [this, of_epoch, events_max, reply = std::move(reply)] {
    ++matches;
    Result<std::int64_t> result = std::int64_t{0};
    if (of_epoch == epoch) {
      result = std::min<std::int64_t>(unattributed, events_max);
      unattributed -= *result;
    } else {
      result = fail(ErrorCode::version_conflict, "another owner");
    }
    return [reply, result] { reply(result); };
  });
}

void FakeUsageLedger::sweep_keys(const Scope& /*scope*/, Timestamp /*now*/, int /*rows_max*/,
                                 std::function<void(Result<std::int64_t>)> reply) {
  held_.call("sweep", [reply = std::move(reply)] { return [reply] { reply(std::int64_t{0}); }; });
}

}  // namespace flexsync::test
