// A tenant's meters as they are while its meter set is locked.
//
// Whoever adds events to rollups holds the lock shared, whoever changes meters or mappings holds it exclusively and
// counts again what the change touches: so an event is measured either by intake or by the change, never by both and
// never by none.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "domain/metering.hpp"
#include "store/pqxx_fwd.hpp"

namespace flexsync::store {

// The lock must be a statement of its own: what the next statement reads is then what the last holder committed.
void share_meter_set(pqxx::transaction_base& tx, const Scope& scope);
void seize_meter_set(pqxx::transaction_base& tx, const Scope& scope);

// Closing windows, returning batches and counting again follow one another: what one of them has read of rollups,
// batches and carries, none of the others changes. Taken after the meter set's lock, where both are.
void seize_ledger(pqxx::transaction_base& tx, const Scope& scope);

// Those of `scopes` whose lock was free to share; waits for none.
std::set<Scope> try_share_meter_sets(pqxx::transaction_base& tx, const std::set<Scope>& scopes);

// To be called by every change, under the exclusive lock.
void raise_meter_set(pqxx::transaction_base& tx, const Scope& scope);

std::vector<ActiveMeter> read_meters(pqxx::transaction_base& tx, const Scope& scope);

// Meters of many scopes, kept as long as their version stands.
class MeterCache {
 public:
  // To be called under the shared locks of `scopes`.
  void refresh(pqxx::transaction_base& tx, const std::set<Scope>& scopes);

  // Of a scope that was refreshed in this transaction.
  const std::vector<ActiveMeter>& meters(const Scope& scope) const;

 private:
  struct Entry {
    std::int64_t version = 0;
    std::vector<ActiveMeter> meters;
  };

  std::map<Scope, Entry> entries_;
};

}  // namespace flexsync::store
