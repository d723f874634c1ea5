#include "store/embedded_cluster.hpp"

#include <libpq-fe.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <pqxx/pqxx>
#include <thread>
#include <utility>

#include "store/child_process.hpp"
#include "store/cluster_files.hpp"
#include "store/cluster_log.hpp"
#include "store/directory_lock.hpp"
#include "telemetry/log.hpp"

namespace flexsync::store {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr auto kReadyPollInterval = 20ms;
constexpr auto kWatchInterval = 200ms;
constexpr auto kRelaunchPause = 200ms;
constexpr auto kRestartPauseMax = 10'000ms;
constexpr auto kImmediateStopTimeout = 10'000ms;

tl::unexpected<Error> fault(const std::string& what) {
  return fail(ErrorCode::service_unavailable, "embedded PostgreSQL: " + what);
}

// A value in libpq's "key='value'" form.
std::string libpq_value(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "'";
}

// CREATE DATABASE beside another one: refused while that copies the template (object_in_use), or too late
// (duplicate_database, or the catalog's own unique_violation). A server that was killed may have left one under way.
bool is_made_elsewhere(const pqxx::sql_error& error) {
  const auto& state = error.sqlstate();
  return state == "55006" || state == "42P04" || state == "23505";
}

}  // namespace

struct EmbeddedCluster::Impl {
  EmbeddedClusterOptions options;
  ClusterPlace place;
  DirectoryLock lock;
  bool shared = false;
  bool adopted = false;
  std::atomic<pid_t> pid{0};

  std::mutex mutex;  // held while PostgreSQL is started or stopped
  std::mutex watch_mutex;
  std::condition_variable watch_wakes;
  bool wanted = false;  // guarded by mutex: PostgreSQL should be running
  std::atomic<bool> stopping{false};
  std::thread watcher;

  std::string conninfo(std::string_view role, std::string_view database) const {
    return "host=" + libpq_value(place.socket_dir.string()) + " port='5432' user=" + libpq_value(role) +
           " dbname=" + libpq_value(database) + " sslmode='disable'";
  }

  bool answers() const { return PQping(conninfo(kSuperuser, "postgres").c_str()) == PQPING_OK; }

  Result<void> open();
  Result<void> take_lock();
  Result<void> launch();
  Result<bool> launch_once(SteadyClock::time_point deadline);
  void leave_foreign_socket(const RunningPostmaster& running);
  Result<void> create_database();
  void shut_down();
  void watch();
};

// --- start ----------------------------------------------------------------------------------------------------

Result<void> EmbeddedCluster::Impl::take_lock() {
  std::error_code failed;  // shows when the lock is taken
  fs::create_directories(options.data_dir, failed);
  const fs::path file = options.data_dir / "flexsync.lock";
  switch (lock.take(file)) {
    case DirectoryLock::Outcome::taken:
      return {};
    case DirectoryLock::Outcome::impossible:
      return fault("cannot write " + file.string() + ": " + std::strerror(errno) +
                   "; set data_dir (FLEXSYNC_DATA_DIR) to a directory of your own");
    case DirectoryLock::Outcome::held_by_other:
      break;
  }
  if (options.share_running) {
    shared = true;
    return {};
  }
  return fault("another flexsync (pid " + lock.holder() + ") uses " + fs::absolute(options.data_dir).string() +
               ": stop it, or set data_dir (FLEXSYNC_DATA_DIR) to a directory of its own");
}

Result<void> EmbeddedCluster::Impl::open() {
  auto step = take_lock();
  if (!step) {
    return step;
  }
  auto found = find_cluster_place(options.data_dir, options.fallback_root, options.announce);
  if (!found) {
    return tl::unexpected(found.error());
  }
  place = *found;
  if (shared) {
    const auto deadline = SteadyClock::now() + options.start_timeout;
    while (!answers()) {
      if (SteadyClock::now() > deadline) {
        return fault("the PostgreSQL of the flexsync with pid " + lock.holder() + " does not answer");
      }
      pause_for(kReadyPollInterval);
    }
    return {};
  }
  rotate_log(place.log);
  const std::lock_guard guard(mutex);
  const auto fsync = options.settings.find("fsync");
  return initialize_cluster(place, fsync == options.settings.end() || fsync->second != "off")
      .and_then([&] { return write_cluster_config(place, options.roles, options.settings); })
      .and_then([&] { return launch(); })
      .and_then([&] { return create_database(); });
}

// A postmaster that listens elsewhere (data_dir was moved) cannot be used: it makes way.
void EmbeddedCluster::Impl::leave_foreign_socket(const RunningPostmaster& running) {
  options.announce("a PostgreSQL of this database listens in " + running.socket_dir.string() + "; restarting it");
  kill(running.pid, SIGINT);
  wait_for_end(running.pid, options.stop_timeout);
}

// True: it answers. False: it ended for a reason that passes.
Result<bool> EmbeddedCluster::Impl::launch_once(SteadyClock::time_point deadline) {
  auto running = find_postmaster(place);
  if (running.pid != 0 && running.socket_dir != place.socket_dir && !running.socket_dir.empty()) {
    leave_foreign_socket(running);
    running = find_postmaster(place);
  }
  const auto log_start = log_size(place.log);
  adopted = running.pid != 0;
  if (adopted) {
    kill(running.pid, SIGHUP);  // the configuration may have changed
    pid = running.pid;
  } else {
    auto started = start_child({.command = {(place.programs / "postgres").string(), "-D", place.pgdata.string()},
                                .run_as = place.user,
                                .log = place.log,
                                .working_dir = place.pgdata});
    if (!started) {
      return tl::unexpected(started.error());
    }
    pid = *started;
  }
  while (!answers()) {
    if (!is_alive(pid)) {
      const auto log = log_since(place.log, log_start);
      if (adopted || is_passing(log)) {
        return false;
      }
      return fault("it did not start: " + reason_in(log) + "; its log is " + place.log.string());
    }
    if (stopping || SteadyClock::now() > deadline) {
      return fault("it is not ready after " + std::to_string(options.start_timeout.count()) + " ms; its log is " +
                   place.log.string());
    }
    pause_for(kReadyPollInterval);
  }
  return is_alive(pid);
}

Result<void> EmbeddedCluster::Impl::launch() {
  const auto deadline = SteadyClock::now() + options.start_timeout;
  while (true) {
    auto ready = launch_once(deadline);
    if (!ready) {
      return tl::unexpected(ready.error());
    }
    if (*ready) {
      wanted = true;
      return {};
    }
    if (stopping || SteadyClock::now() > deadline) {
      return fault("an earlier instance does not let go; its log is " + place.log.string());
    }
    pause_for(kRelaunchPause);
  }
}

Result<void> EmbeddedCluster::Impl::create_database() {
  try {
    pqxx::connection connection(conninfo(kSuperuser, "postgres"));
    pqxx::nontransaction work(connection);
    const std::string name(kDatabase);
    const auto exists = [&] {
      return !work.exec("SELECT 1 FROM pg_database WHERE datname = " + work.quote(name)).empty();
    };
    const auto deadline = SteadyClock::now() + options.start_timeout;
    while (!exists()) {
      try {
        work.exec("CREATE DATABASE " + work.quote_name(name));
      } catch (const pqxx::sql_error& error) {
        if (!is_made_elsewhere(error) || stopping || SteadyClock::now() > deadline) {
          throw;
        }
        pause_for(kRelaunchPause);
      }
    }
    return {};
  } catch (const std::exception& error) {
    return fault(std::string("cannot create the database: ") + error.what());
  }
}

// --- stop and watch -------------------------------------------------------------------------------------------

void EmbeddedCluster::Impl::shut_down() {
  wanted = false;
  if (!is_alive(pid)) {
    return;
  }
  kill(pid, SIGINT);
  if (wait_for_end(pid, options.stop_timeout)) {
    return;
  }
  log::warn("PostgreSQL takes long to stop; stopping it without a checkpoint", {{"pid", pid.load()}});
  kill(pid, SIGQUIT);
  if (!wait_for_end(pid, kImmediateStopTimeout)) {
    log::error("PostgreSQL does not stop", {{"pid", pid.load()}, {"log", place.log.string()}});
  }
}

void EmbeddedCluster::Impl::watch() {
  auto pause = std::chrono::milliseconds(kWatchInterval);
  while (true) {
    {
      std::unique_lock waiting(watch_mutex);
      if (watch_wakes.wait_for(waiting, pause, [this] { return stopping.load(); })) {
        return;
      }
    }
    const std::lock_guard guard(mutex);
    if (!wanted || stopping || is_alive(pid)) {
      pause = kWatchInterval;
      continue;
    }
    log::error("PostgreSQL died; starting it again", {{"pid", pid.load()}, {"log", place.log.string()}});
    if (auto restarted = launch(); restarted) {
      log::info("PostgreSQL is back", {{"pid", pid.load()}});
      pause = kWatchInterval;
    } else {
      log::error(restarted.error().message);
      pause = std::min<std::chrono::milliseconds>(pause * 2, kRestartPauseMax);
    }
  }
}

// --- the public face ------------------------------------------------------------------------------------------

EmbeddedCluster::EmbeddedCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

EmbeddedCluster::~EmbeddedCluster() {
  stop();
}

Result<std::unique_ptr<EmbeddedCluster>> EmbeddedCluster::start(EmbeddedClusterOptions options) {
  if (!options.announce) {
    options.announce = [](const std::string& text) { log::info(text); };
  }
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  std::unique_ptr<EmbeddedCluster> cluster(new EmbeddedCluster(std::move(impl)));
  if (auto opened = cluster->impl_->open(); !opened) {
    return tl::unexpected(opened.error());
  }
  if (cluster->impl_->options.watch && !cluster->impl_->shared) {
    cluster->impl_->watcher = std::thread([raw = cluster->impl_.get()] { raw->watch(); });
  }
  return cluster;
}

std::string EmbeddedCluster::connection_string(std::string_view role, std::string_view database) const {
  return impl_->conninfo(role, database);
}

void EmbeddedCluster::stop() {
  {
    const std::lock_guard waking(impl_->watch_mutex);
    impl_->stopping = true;
  }
  impl_->watch_wakes.notify_all();
  if (impl_->watcher.joinable()) {
    impl_->watcher.join();
  }
  if (!impl_->shared) {
    const std::lock_guard guard(impl_->mutex);
    impl_->shut_down();
    impl_->lock.release();
  }
}

Result<void> EmbeddedCluster::halt() {
  const std::lock_guard guard(impl_->mutex);
  impl_->shut_down();
  if (is_alive(impl_->pid)) {
    return fault("it does not stop; its log is " + impl_->place.log.string());
  }
  return {};
}

Result<void> EmbeddedCluster::resume() {
  const std::lock_guard guard(impl_->mutex);
  return impl_->launch();
}

pid_t EmbeddedCluster::pid() const {
  return impl_->pid;
}

bool EmbeddedCluster::adopted() const {
  return impl_->adopted;
}

fs::path EmbeddedCluster::socket_dir() const {
  return impl_->place.socket_dir;
}

fs::path EmbeddedCluster::cluster_dir() const {
  return impl_->place.pgdata;
}

}  // namespace flexsync::store
