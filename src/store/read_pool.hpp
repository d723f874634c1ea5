// Reads and rare writes: a few threads on one shared queue, a connection each, in the role flexsync_app.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "store/pqxx_fwd.hpp"
#include "telemetry/metrics.hpp"

namespace flexsync::store {

struct ReadPoolConfig {
  std::string url;
  std::string name = "reads";  // in the metrics
  int threads = 2;
  std::size_t queue_max = 4096;
  int statement_timeout_ms = 30'000;
};

class ReadPool {
 public:
  using Work = std::function<void(pqxx::transaction_base&)>;

  ReadPool(ReadPoolConfig config, Metrics& metrics);
  ~ReadPool();  // serves what is queued, then stops

  // Runs `work` in a transaction that sees `scope` (nothing: no tenant at all) and commits. `done` gets nothing, or
  // the error: what the transaction threw, or service_unavailable. Both run on a pool thread. A connection that broke
  // is opened anew and the work tried once more, so `work` must be repeatable.
  void submit(std::optional<Scope> scope, std::string what, Work work, std::function<void(std::optional<Error>)> done);

  // The same, waiting for it: for HTTP workers, never for actors.
  std::optional<Error> run(std::optional<Scope> scope, std::string what, Work work);

  // For look-ups that give a value or an error of their own.
  template <class F>
  auto call(std::optional<Scope> scope, std::string what, F f) -> std::invoke_result_t<F, pqxx::transaction_base&> {
    std::optional<std::invoke_result_t<F, pqxx::transaction_base&>> result;
    if (auto error = run(std::move(scope), std::move(what), [&](pqxx::transaction_base& tx) { result = f(tx); })) {
      return tl::unexpected(std::move(*error));
    }
    return std::move(*result);
  }

 private:
  struct Job;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flexsync::store
