// The counts of usage that an audit proves: where each event stands, from ingested to sent.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "domain/time.hpp"
#include "store/pqxx_fwd.hpp"

namespace flexsync::store {

struct BatchTotals {
  std::int64_t batches = 0;
  std::int64_t events = 0;
};

// Counts of events. An event counts once for each meter that measures it.
struct UsageTotals {
  std::int64_t ingested = 0;      // events
  std::int64_t unattributed = 0;  // of them, of no known customer
  std::int64_t unmetered = 0;     // of them, of a known customer, but no meter has their event_name
  std::int64_t counted = 0;       // = batched + not_yet_due + due + unmapped + before_start
  std::int64_t batched = 0;
  std::int64_t not_yet_due = 0;
  std::int64_t due = 0;
  std::int64_t unmapped = 0;      // over, but the meter or the customer is not mapped to Stripe, or switched off
  std::int64_t before_start = 0;  // before the mapping's start_at: never billed
  std::int64_t frozen = 0;        // rollups counted before their meter changed: not added up again
  std::map<std::string, BatchTotals> batches;  // by status; without those returned, events as in `batched`
};

// Inside a transaction that has entered its scope. Segments that end by `closable` are over, their grace, too.
UsageTotals read_usage_totals(pqxx::transaction_base& tx, Timestamp closable);

}  // namespace flexsync::store
