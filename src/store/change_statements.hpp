// The set-based statements of the applying writer: one batch of change sets, inside the caller's transaction.
#pragma once

#include <vector>

#include "domain/change_set.hpp"
#include "store/pqxx_fwd.hpp"

namespace flexsync::store {

void prepare_change_statements(pqxx::connection& connection);

// Writes all of them and says for each what became of it. Unless all are `committed`, the transaction must be rolled
// back. Two change sets of one batch never touch the same row (one writer per entity, one change in flight each).
std::vector<ChangeReply> apply_changes(pqxx::transaction_base& tx, const std::vector<const ChangeSet*>& batch);

}  // namespace flexsync::store
