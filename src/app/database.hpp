// The database as configured: the server's own cluster, or an operator's by its URL.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "domain/error.hpp"
#include "store/embedded_cluster.hpp"

namespace flexsync::app {

struct Database {
  std::unique_ptr<store::EmbeddedCluster> cluster;  // null in URL mode
  std::string owner_url;                            // who migrates
  std::string server_url;                           // who serves: neither owner nor superuser in the embedded cluster
};

// Embedded: started, migrated, ready. URL mode: checked to have the schema this program needs.
// `share_running`: a command beside a running server uses its cluster.
Result<Database> open_database(const Config& config, bool share_running,
                               const std::function<void(const std::string&)>& announce);

// `db migrate`: brings the schema up to date, in either mode.
Result<std::string> migrate_database(const Config& config, const std::function<void(const std::string&)>& announce);

}  // namespace flexsync::app
