#include "store/snapshot_loader.hpp"

#include <pqxx/pqxx>
#include <thread>
#include <vector>

#include "store/group_queue.hpp"
#include "store/session.hpp"
#include "store/snapshot_statements.hpp"
#include "telemetry/log.hpp"

namespace flexsync::store {

namespace {

struct Waiting {
  SnapshotRequest request;
  std::function<void(Result<EntitySnapshot>)> reply;
};

std::vector<EntitySnapshot> read(pqxx::connection& connection, const std::vector<Waiting>& batch) {
  std::vector<const SnapshotRequest*> requests;
  requests.reserve(batch.size());
  for (const auto& waiting : batch) {
    requests.push_back(&waiting.request);
  }
  pqxx::transaction<pqxx::isolation_level::repeatable_read> tx(connection);  // one picture, not many
  return read_snapshots(tx, requests);
}

}  // namespace

class SnapshotLoader::Impl {
 public:
  Impl(SnapshotLoaderConfig config, Metrics& metrics)
      : config_(std::move(config)),
        queue_(config_.queue_max),
        depth_(metrics.writer_queue("snapshots")),
        reconnects_(metrics.pool_reconnects("snapshots")),
        thread_([this] { serve(); }) {}

  ~Impl() {
    queue_.close();
    thread_.join();
  }

  void load(Waiting waiting) {
    if (!queue_.push(waiting)) {
      waiting.reply(fail(ErrorCode::service_unavailable, "too many snapshots are waiting to be loaded"));
    }
  }

 private:
  void serve() {
    SessionConfig session_config;
    session_config.url = config_.url;
    session_config.role = Role::apply;
    session_config.statement_timeout_ms = config_.statement_timeout_ms;
    Session session(std::move(session_config), prepare_snapshot_statements);
    while (true) {
      const auto batch = queue_.pop(config_.batch_max);
      if (batch.empty()) {
        return;
      }
      depth_.Set(static_cast<double>(queue_.size()));
      answer(session, batch);
    }
  }

  void answer(Session& session, const std::vector<Waiting>& batch) {
    try {
      auto found = read(session.connection(), batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i].reply(std::move(found[i]));
      }
    } catch (const std::exception& e) {
      log::warn("snapshots could not be loaded", {{"count", batch.size()}, {"error", e.what()}});
      if (breaks_connection(e)) {
        session.drop();
        reconnects_.Increment();
      }
      for (const auto& waiting : batch) {
        waiting.reply(tl::unexpected(to_error(e, "what is stored could not be loaded")));
      }
    }
  }

  SnapshotLoaderConfig config_;
  GroupQueue<Waiting> queue_;
  prometheus::Gauge& depth_;
  prometheus::Counter& reconnects_;
  std::thread thread_;  // last: it uses all the others
};

SnapshotLoader::SnapshotLoader(SnapshotLoaderConfig config, Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(config), metrics)) {}

SnapshotLoader::~SnapshotLoader() = default;

void SnapshotLoader::load(SnapshotRequest request, std::function<void(Result<EntitySnapshot>)> reply) {
  impl_->load({std::move(request), std::move(reply)});
}

}  // namespace flexsync::store
