#include "app/store_session.hpp"

#include <filesystem>
#include <future>
#include <iostream>

#include "app/local_keys.hpp"
#include "app/settings.hpp"
#include "store/child_process.hpp"

namespace flexsync::app {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kReadTimeout{30};

void announce(const std::string& sentence) {
  std::cerr << "flexsync: " << sentence << '\n';
}

// The lock file lies in data_dir since the first start, wherever the cluster itself had to go.
Result<void> require_database(const Config& config) {
  const auto data_dir = fs::absolute(config.data_dir).lexically_normal();
  std::error_code ignored;
  if (!config.database.embedded() || fs::exists(data_dir / "flexsync.lock", ignored)) {
    return {};
  }
  return fail(ErrorCode::not_found, "there is no database in " + data_dir.string() +
                                        ": run the command where the server runs, or name its directory with "
                                        "FLEXSYNC_DATA_DIR or --config");
}

}  // namespace

StoreSession::StoreSession(const Config& used, Database opened, store::KeyRing keys)
    : config(used),
      by{Principal::Kind::admin, {}, {}, "cli:" + store::current_user().name},
      database(std::move(opened)),
      box(std::move(keys)),
      pool(read_pool_config(used, database.server_url), metrics),
      provisioning(pool, box, clock),
      queries(pool),
      dead_letters(pool, clock, nullptr),
      connections(pool, box, clock) {}

Result<std::unique_ptr<StoreSession>> StoreSession::open(const Config& used, StoreNeeds needs) {
  if (needs != StoreNeeds::creating) {
    if (auto exists = require_database(used); !exists) {
      return tl::unexpected(exists.error());
    }
  }
  auto opened = open_database(used, /*share_running=*/true, announce);
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  store::KeyRing keys;
  if (needs == StoreNeeds::secrets) {
    auto found = local_keys(used, announce);
    if (!found) {
      return tl::unexpected(found.error());
    }
    keys = std::move(found->master_keys);
  }
  return std::unique_ptr<StoreSession>(new StoreSession(used, std::move(*opened), std::move(keys)));
}

Result<void> require_environment(StoreSession& session, const Scope& scope) {
  return session.pool.call(scope, "the environment cannot be read",
                           [&](pqxx::transaction_base& tx) { return store::require_environment(tx, scope); });
}

Result<store::ConnectionCache::Endpoint> read_endpoint(StoreSession& session, const Scope& scope) {
  const auto read = std::make_shared<std::promise<Result<store::ConnectionCache::Endpoint>>>();
  auto endpoint = read->get_future();
  session.connections.find(
      scope, [read](Result<store::ConnectionCache::Endpoint> found) { read->set_value(std::move(found)); });
  if (endpoint.wait_for(kReadTimeout) != std::future_status::ready) {
    return fail(ErrorCode::service_unavailable, "the connection could not be read in time");
  }
  return endpoint.get();
}

}  // namespace flexsync::app
