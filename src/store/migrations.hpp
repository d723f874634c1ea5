// Versioned SQL migrations, applied in order under an advisory lock; each is one transaction.
#pragma once

#include <string>
#include <vector>

#include "domain/error.hpp"

namespace flexsync::store {

struct Migration {
  int version = 0;
  std::string name;
  std::string sql;
};

// src/store/migrations/*.sql, compiled in, ordered by version.
const std::vector<Migration>& embedded_migrations();

struct MigrationReport {
  int from = 0;
  int to = 0;
};

// Brings the database of `url` to the newest version. A database newer than this program is refused.
Result<MigrationReport> migrate(const std::string& url);

// Makes `login` a role that may log in and become the server's roles, and nothing else; for the embedded cluster, so
// that the server is neither owner nor superuser.
Result<void> ensure_server_login(const std::string& url, const std::string& login);

// The version the database has; 0 = empty.
Result<int> schema_version(const std::string& url);

}  // namespace flexsync::store
