#include "app/database.hpp"

#include <chrono>

#include "store/migrations.hpp"

namespace flexsync::app {

namespace {

constexpr std::chrono::milliseconds kStopDeadline{3'500};  // a slower checkpoint is made up for at the next start

constexpr const char* kServerLogin = "flexsync_server";

Result<Database> open_cluster(const Config& config, bool share_running,
                              const std::function<void(const std::string&)>& announce) {
  store::EmbeddedClusterOptions options;
  options.data_dir = config.data_dir;
  options.roles = {kServerLogin};
  options.share_running = share_running;
  options.stop_timeout = kStopDeadline;
  options.announce = announce;
  auto cluster = store::EmbeddedCluster::start(std::move(options));
  if (!cluster) {
    return tl::unexpected(cluster.error());
  }
  Database database;
  database.owner_url = (*cluster)->connection_string();
  database.server_url = (*cluster)->connection_string(kServerLogin);
  database.cluster = std::move(*cluster);
  return database;
}

int newest_version() {
  return store::embedded_migrations().back().version;
}

}  // namespace

Result<Database> open_database(const Config& config, bool share_running,
                               const std::function<void(const std::string&)>& announce) {
  if (config.database.embedded()) {
    auto database = open_cluster(config, share_running, announce);
    if (!database) {
      return database;
    }
    if (const auto report = store::migrate(database->owner_url); !report) {
      return tl::unexpected(report.error());
    }
    if (const auto login = store::ensure_server_login(database->owner_url, kServerLogin); !login) {
      return tl::unexpected(login.error());
    }
    return database;
  }
  Database database;
  database.owner_url = database.server_url = config.database.url;
  const auto version = store::schema_version(config.database.url);
  if (!version) {
    return tl::unexpected(version.error());
  }
  if (*version != newest_version()) {
    return fail(ErrorCode::invalid_operation,
                "the database of database.url has schema version " + std::to_string(*version) +
                    ", this flexsync needs " + std::to_string(newest_version()) +
                    (*version < newest_version() ? ": run `flexsync db migrate`" : ": use the newer flexsync"));
  }
  return database;
}

Result<std::string> migrate_database(const Config& config, const std::function<void(const std::string&)>& announce) {
  Database database;
  std::string url = config.database.url;
  if (config.database.embedded()) {
    auto opened = open_cluster(config, true, announce);
    if (!opened) {
      return tl::unexpected(opened.error());
    }
    database = std::move(*opened);
    url = database.owner_url;
  }
  const auto report = store::migrate(url);
  if (!report) {
    return tl::unexpected(report.error());
  }
  if (report->from == report->to) {
    return "the schema is up to date at version " + std::to_string(report->to);
  }
  return "the schema went from version " + std::to_string(report->from) + " to " + std::to_string(report->to);
}

}  // namespace flexsync::app
