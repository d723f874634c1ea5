// Counting again: a meter's rollups from the events themselves, after the meter or its cut has changed.
//
// What was billed stays billed. So an hour of a customer in which any segment has a batch is left as it is; the other
// hours are taken away and added up anew. An hour is the unit because segments are windows, cut or not, and no window
// spans a full hour: whatever the cuts were, an hour's events are counted within the hour.
#pragma once

#include <chrono>
#include <optional>

#include "domain/metering.hpp"
#include "store/pqxx_fwd.hpp"

namespace flexsync::store {

struct Recount {
  std::optional<Segment> only;      // these full hours; nothing: all there is
  bool definition_changed = false;  // what stays was counted by other rules: marked, so that no audit adds it up again
};

// Under the exclusive lock of the meter set, and the ledger's.
void count_again(pqxx::transaction_base& tx, const Scope& scope, const ActiveMeter& meter, const Recount& recount,
                 std::chrono::minutes window);

// A meter that counts no more: what was never billed goes, what was stays and never gets a follow-up.
void stop_counting(pqxx::transaction_base& tx, const Scope& scope, const MeterId& meter);

// Walks events in the order of their time, in one transaction, so many at once.
class EventWalk {
 public:
  // Of one event_name, or of all where it is empty.
  EventWalk(pqxx::transaction_base& tx, const Scope& scope, const std::string& event_name,
            const std::optional<Segment>& only);
  ~EventWalk();

  std::vector<UsageEvent> next();  // empty at the end

 private:
  pqxx::transaction_base& tx_;
};

}  // namespace flexsync::store
