// Closing windows: what is due of the rollups becomes batches, inside the caller's transaction.
#pragma once

#include "store/pqxx_fwd.hpp"
#include "store/usage_ledger.hpp"

namespace flexsync::store {

// Under the ledger's lock.
Closed close_due_windows(pqxx::transaction_base& tx, const Scope& scope, const CloseRequest& request);

}  // namespace flexsync::store
