#include "store/read_pool.hpp"

#include <future>
#include <pqxx/pqxx>
#include <thread>
#include <vector>

#include "store/group_queue.hpp"
#include "store/session.hpp"
#include "telemetry/log.hpp"

namespace flexsync::store {

struct ReadPool::Job {
  std::optional<Scope> scope;
  std::string what;
  Work work;
  std::function<void(std::optional<Error>)> done;
};

class ReadPool::Impl {
 public:
  Impl(ReadPoolConfig config, Metrics& metrics)
      : config_(std::move(config)),
        queue_(config_.queue_max),
        open_(metrics.pool_connections(config_.name)),
        busy_(metrics.pool_busy(config_.name)),
        reconnects_(metrics.pool_reconnects(config_.name)) {
    for (int i = 0; i < config_.threads; ++i) {
      threads_.emplace_back([this] { serve(); });
    }
  }

  ~Impl() {
    queue_.close();
    for (auto& thread : threads_) {
      thread.join();
    }
  }

  void submit(Job job) {
    if (!queue_.push(job)) {
      job.done(Error{ErrorCode::service_unavailable, job.what + ": too many requests are waiting; try again", {}});
    }
  }

 private:
  void serve() {
    SessionConfig session_config;
    session_config.url = config_.url;
    session_config.role = Role::app;
    session_config.statement_timeout_ms = config_.statement_timeout_ms;
    Session session(std::move(session_config), [](pqxx::connection&) {});
    while (true) {
      auto batch = queue_.pop(1);
      if (batch.empty()) {
        return;
      }
      busy_.Increment();
      auto error = attempt(session, batch.front());
      busy_.Decrement();
      batch.front().done(std::move(error));
    }
  }

  std::optional<Error> attempt(Session& session, Job& job) {
    for (int tries = 0;; ++tries) {
      const bool was_open = session.open();
      try {
        run_once(session, job);
        return std::nullopt;
      } catch (const std::exception& e) {
        if (breaks_connection(e)) {
          if (was_open) {
            open_.Decrement();
            reconnects_.Increment();
          }
          session.drop();
          if (was_open && tries == 0) {
            continue;
          }
        }
        if (classify(e) == Failure::transient && tries < kTransientRetriesMax) {
          continue;
        }
        log::warn("database work failed", {{"what", job.what}, {"error", e.what()}});
        return to_error(e, job.what);
      }
    }
  }

  void run_once(Session& session, Job& job) {
    const bool was_open = session.open();
    pqxx::work tx(session.connection());
    if (!was_open) {
      open_.Increment();
    }
    if (job.scope) {
      enter_scope(tx, *job.scope);
    }
    job.work(tx);
    tx.commit();
  }

  static constexpr int kTransientRetriesMax = 3;

  ReadPoolConfig config_;
  GroupQueue<Job> queue_;
  prometheus::Gauge& open_;
  prometheus::Gauge& busy_;
  prometheus::Counter& reconnects_;
  std::vector<std::thread> threads_;
};

ReadPool::ReadPool(ReadPoolConfig config, Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(config), metrics)) {}

ReadPool::~ReadPool() = default;

void ReadPool::submit(std::optional<Scope> scope, std::string what, Work work,
                      std::function<void(std::optional<Error>)> done) {
  impl_->submit({std::move(scope), std::move(what), std::move(work), std::move(done)});
}

std::optional<Error> ReadPool::run(std::optional<Scope> scope, std::string what, Work work) {
  std::promise<std::optional<Error>> promise;
  auto future = promise.get_future();
  submit(std::move(scope), std::move(what), std::move(work),
         [&promise](std::optional<Error> error) { promise.set_value(std::move(error)); });
  return future.get();
}

}  // namespace flexsync::store
