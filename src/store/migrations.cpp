#include "store/migrations.hpp"

#include <pqxx/pqxx>

#include "store/session.hpp"

namespace flexsync::store {

namespace {

constexpr long kMigrationLock = 0x666c6578;  // "flex": one migrating process at a time

// Readable by every login: a server that is neither owner nor superuser asks at its start which schema there is.
constexpr const char* kCreateLedger =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "  version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
    "GRANT SELECT ON schema_migrations TO PUBLIC";

int applied_version(pqxx::transaction_base& tx) {
  const auto row = tx.exec1("SELECT to_regclass('schema_migrations') IS NOT NULL");
  if (!row[0].as<bool>()) {
    return 0;
  }
  return tx.exec1("SELECT coalesce(max(version), 0) FROM schema_migrations")[0].as<int>();
}

void apply(pqxx::connection& connection, const Migration& migration) {
  pqxx::work tx(connection);
  tx.exec(migration.sql);
  tx.exec_params("INSERT INTO schema_migrations (version, name) VALUES ($1, $2)", migration.version, migration.name);
  tx.commit();
}

Result<MigrationReport> migrate_locked(pqxx::connection& connection) {
  const auto& all = embedded_migrations();
  MigrationReport report;
  {
    pqxx::work tx(connection);
    tx.exec(kCreateLedger);
    report.from = report.to = applied_version(tx);
    tx.commit();
  }
  if (!all.empty() && report.from > all.back().version) {
    return fail(ErrorCode::invalid_operation, "the database has schema version " + std::to_string(report.from) +
                                                  ", this program knows up to " + std::to_string(all.back().version) +
                                                  ": use the newer flexsync");
  }
  for (const auto& migration : all) {
    if (migration.version > report.from) {
      apply(connection, migration);
      report.to = migration.version;
    }
  }
  return report;
}

}  // namespace

Result<MigrationReport> migrate(const std::string& url) {
  try {
    pqxx::connection connection(url);
    {
      pqxx::nontransaction tx(connection);
      tx.exec("SET client_min_messages = warning");
      tx.exec_params("SELECT pg_advisory_lock($1)", kMigrationLock);
    }
    return migrate_locked(connection);  // the lock goes with the connection
  } catch (const std::exception& e) {
    return tl::unexpected(to_error(e, "the migration failed"));
  }
}

Result<void> ensure_server_login(const std::string& url, const std::string& login) {
  try {
    pqxx::connection connection(url);
    pqxx::work tx(connection);
    const auto name = tx.quote_name(login);
    if (tx.exec_params("SELECT 1 FROM pg_roles WHERE rolname = $1", login).empty()) {
      tx.exec("CREATE ROLE " + name + " LOGIN NOINHERIT");
    }
    tx.exec("GRANT flexsync_app, flexsync_intake, flexsync_apply TO " + name);
    tx.commit();
    return {};
  } catch (const std::exception& e) {
    return tl::unexpected(to_error(e, "the server's database role could not be made"));
  }
}

Result<int> schema_version(const std::string& url) {
  try {
    pqxx::connection connection(url);
    pqxx::nontransaction tx(connection);
    return applied_version(tx);
  } catch (const std::exception& e) {
    return tl::unexpected(to_error(e, "the schema version cannot be read"));
  }
}

}  // namespace flexsync::store
