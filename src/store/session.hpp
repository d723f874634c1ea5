// One connection to PostgreSQL in one role: opened on demand, prepared once, thrown away when it breaks.
//
// A prepared statement keeps the plan that was made when it ran first, and PostgreSQL makes it anew only after the next
// ANALYZE. In an empty table every index costs the same; a plan made there, by the wrong one, goes through all rows
// that came since (measured: a second a statement in the first minute of a backlog). So plans are made anew every
// second.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "store/pqxx_fwd.hpp"

namespace flexsync::store {

// The roles of migration 0001; each sees no more than its work needs.
enum class Role : std::uint8_t { app, intake, apply };

struct SessionConfig {
  std::string url;
  Role role = Role::app;
  int connect_timeout_seconds = 5;
  int statement_timeout_ms = 30'000;
  std::chrono::milliseconds plan_age_max{1'000};
};

class Session {
 public:
  // `prepare` runs once on every new connection.
  Session(SessionConfig config, std::function<void(pqxx::connection&)> prepare);
  ~Session();

  // The live connection, opened if need be, outside of any transaction; throws what libpqxx throws when it cannot be.
  pqxx::connection& connection();
  bool open() const { return connection_ != nullptr; }
  void drop();

 private:
  SessionConfig config_;
  std::function<void(pqxx::connection&)> prepare_;
  std::unique_ptr<pqxx::connection> connection_;
  std::chrono::steady_clock::time_point planned_at_;
};

// For sessions that look up a handful of keys in tables of any size: by index, whatever the statistics say.
void look_up_by_index(pqxx::connection& connection);

// Names the tenant and environment that this transaction may see (row-level security).
void enter_scope(pqxx::transaction_base& tx, const Scope& scope);

// What a failure of PostgreSQL means to us: the one classifier of this outside system.
enum class Failure : std::uint8_t {
  unavailable,  // cannot be reached, shutting down, starting up, out of connections: try again
  transient,    // deadlock, serialization, lock timeout: try again
  conflict,     // a unique index refused a row
  rejected,     // another rule refused it; or a fault of ours
};
Failure classify(const std::exception& e);

// True when the connection behind the failure is gone and must be dropped.
bool breaks_connection(const std::exception& e);

// For callers that show it: service_unavailable, already_exists or database_error; `what` says what was tried.
Error to_error(const std::exception& e, const std::string& what);

}  // namespace flexsync::store
