// An environment's connection, with its secrets open, for commands that ask Stripe themselves.
#pragma once

#include "app/store_session.hpp"

namespace flexsync::app {

// Blocks. The session must have been opened with its secrets.
Result<store::ConnectionCache::Endpoint> read_endpoint(StoreSession& session, const Scope& scope);

}  // namespace flexsync::app
