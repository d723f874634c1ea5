// What a command works with: the database and the services over it, without the server. A running server's embedded
// cluster is shared; without one it is started for the command and stopped after it.
#pragma once

#include <cstdint>
#include <memory>

#include "app/config.hpp"
#include "app/database.hpp"
#include "domain/clock.hpp"
#include "store/connection_cache.hpp"
#include "store/dead_letter_commands.hpp"
#include "store/provisioning.hpp"
#include "store/queries.hpp"
#include "store/read_pool.hpp"
#include "store/secret_box.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::app {

enum class StoreNeeds : std::uint8_t {
  reading,   // the database must exist: a command in the wrong directory must not make an empty one and say "none"
  creating,  // it may be made
  secrets,   // as reading, and the master key
};

class StoreSession {
 public:
  static Result<std::unique_ptr<StoreSession>> open(const Config& used, StoreNeeds needs);

  const Config& config;
  Principal by;  // who acts, for the audit rows: "cli:<user>"
  Metrics metrics;
  SystemClock clock;
  Database database;
  store::SecretBox box;
  store::ReadPool pool;
  store::StoreProvisioning provisioning;
  store::StoreQueries queries;
  store::StoreDeadLetterCommands dead_letters;
  store::ConnectionCache connections;

 private:
  StoreSession(const Config& used, Database opened, store::KeyRing keys);
};

// not_found: a mistyped id must not read as an environment in which all is well.
Result<void> require_environment(StoreSession& session, const Scope& scope);

// An environment's way to Stripe with its secrets, for a session that has the master key. not_found: it has none.
Result<store::ConnectionCache::Endpoint> read_endpoint(StoreSession& session, const Scope& scope);

}  // namespace flexsync::app
