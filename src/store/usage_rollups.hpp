// Adding to rollups: the one statement that intake, matching again and counting again share.
#pragma once

#include <map>
#include <span>
#include <string>
#include <tuple>

#include "domain/metering.hpp"
#include "store/pqxx_fwd.hpp"

namespace flexsync::store {

// Increments of many tenants, added up, in the order in which every writer takes the rows.
class RollupIncrements {
 public:
  void add(const Scope& scope, std::vector<RollupIncrement> increments);
  bool empty() const { return increments_.empty(); }

  // Inside the caller's transaction, under the shared lock of each scope's meter set, or the exclusive one.
  void write(pqxx::transaction_base& tx) const;

 private:
  struct Sum {
    Decimal quantity;
    std::int64_t event_count = 0;
  };

  std::map<std::tuple<Scope, CustomerId, MeterId, Segment>, Sum> increments_;
};

}  // namespace flexsync::store
