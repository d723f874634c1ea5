// The statements of the snapshot loader: one batch of requests, a statement a table, inside the caller's transaction.
#pragma once

#include <vector>

#include "store/pqxx_fwd.hpp"
#include "store/snapshot_loader.hpp"

namespace flexsync::store {

void prepare_snapshot_statements(pqxx::connection& connection);

// One snapshot a request, in their order. Of what no request asks for no statement is executed.
std::vector<EntitySnapshot> read_snapshots(pqxx::transaction_base& tx,
                                           const std::vector<const SnapshotRequest*>& requests);

}  // namespace flexsync::store
