#include "actors/engine.hpp"

#include <caf/all.hpp>
#include <mutex>
#include <thread>

#include "actors/node_supervisor.hpp"

namespace flexsync::actors {

namespace {

caf::actor_system_config& configure(caf::actor_system_config& config, const SchedulerConfig& wanted) {
  const auto threads = wanted.threads > 0 ? static_cast<std::size_t>(wanted.threads)
                                          : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", threads);
  config.set("scheduler.max-throughput", static_cast<std::size_t>(wanted.max_throughput));
  return config;
}

}  // namespace

struct Engine::Impl {
  explicit Impl(const SchedulerConfig& wanted) : system(configure(config, wanted)) {}

  caf::actor_system_config config;
  caf::actor_system system;
  std::mutex mutex;
  node_supervisor_actor node;  // null before start() and after stop()

  node_supervisor_actor root() {
    const std::lock_guard lock(mutex);
    return node;
  }
};

Engine::Engine(SchedulerConfig config) : impl_(std::make_unique<Impl>(config)) {}

Engine::~Engine() {
  stop();
}

void Engine::start(ServicesPtr services) {
  const std::lock_guard lock(impl_->mutex);
  impl_->node = impl_->system.spawn(node_supervisor, std::move(services));
}

void Engine::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->node) {
      return;
    }
    caf::anon_send_exit(impl_->node, caf::exit_reason::user_shutdown);
    impl_->node = nullptr;
  }
  impl_->system.await_all_actors_done();
}

void Engine::wake(const Scope& scope) {
  if (const auto root = impl_->root()) {
    caf::anon_send(root, wake_atom::value, scope);
  }
}

void Engine::rekeyed(const Scope& scope) {
  if (const auto root = impl_->root()) {
    caf::anon_send(root, rekeyed_atom::value, scope);
  }
}

void Engine::execute(CustomerCommand command, std::function<void(Result<CustomerReply>)> reply) {
  auto pending = std::make_shared<PendingCommand>(
      std::move(command), std::move(reply),
      fail(ErrorCode::service_unavailable,
           "the change could not be completed, and whether it was stored is not known: read it, then try again"));
  if (const auto root = impl_->root()) {
    caf::anon_send(root, execute_atom::value, std::move(pending));
  }
}

void Engine::call(const Scope& scope, stripe::Call call, std::function<void(stripe::CallOutcome)> reply) {
  auto pending = std::make_shared<PendingCall>(std::move(call), std::move(reply),
                                               stripe::Unknown{"the call to Stripe was given up", false});
  if (const auto root = impl_->root()) {
    caf::anon_send(root, ask_atom::value, scope, std::move(pending));
  }
}

void Engine::due(const Scope& scope) {
  if (const auto root = impl_->root()) {
    caf::anon_send(root, due_atom::value, scope);
  }
}

}  // namespace flexsync::actors
