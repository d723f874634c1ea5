// The server's own PostgreSQL: made on first use, started and stopped with the server, never on a TCP port.
//
// The server may be killed at any instant, and so may PostgreSQL. So the two are only loosely tied: PostgreSQL is a
// session of its own that outlives a killed server and is adopted by the next one; a watcher restarts it when it dies
// while the server runs; a lock on data_dir keeps a second server out. Logging in needs no password: the socket lies
// in a directory that only its user and root can enter, and peer authentication asks the kernel who is there.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "domain/error.hpp"

namespace flexsync::store {

struct EmbeddedClusterOptions {
  std::filesystem::path data_dir;

  // Roles that connection_string() may name besides the superuser. They need not exist yet.
  std::vector<std::string> roles = {};

  // PostgreSQL settings that win over ours.
  std::map<std::string, std::string> settings = {};

  // When another flexsync runs on data_dir: use its cluster and leave it running, instead of an error. For commands.
  bool share_running = false;

  // Restart PostgreSQL when it dies. Off where a test kills it on purpose.
  bool watch = true;

  std::chrono::milliseconds start_timeout{60'000};
  std::chrono::milliseconds stop_timeout{8'000};  // then without a checkpoint: the next start recovers

  // The home of the cluster when the unprivileged user cannot enter data_dir: a directory below this.
  std::filesystem::path fallback_root = "/var/lib/flexsync";

  // What a person should know, in sentences. Logged when not given.
  std::function<void(const std::string&)> announce = {};
};

class EmbeddedCluster {
 public:
  static constexpr std::string_view kSuperuser = "postgres";
  static constexpr std::string_view kDatabase = "flexsync";

  // Returns once PostgreSQL answers and the database exists.
  static Result<std::unique_ptr<EmbeddedCluster>> start(EmbeddedClusterOptions options);

  ~EmbeddedCluster();
  EmbeddedCluster(const EmbeddedCluster&) = delete;
  EmbeddedCluster& operator=(const EmbeddedCluster&) = delete;

  // For libpq. Other roles than the superuser must be among the options' roles.
  std::string connection_string(std::string_view role = kSuperuser, std::string_view database = kDatabase) const;

  // Fast shutdown, then the lock on data_dir is free. Does nothing the second time, or when the cluster is shared.
  void stop();

  // Stop and start in between, with the lock and the watcher kept: for fault tests.
  Result<void> halt();
  Result<void> resume();

  pid_t pid() const;     // the postmaster's
  bool adopted() const;  // it was running when we came
  std::filesystem::path socket_dir() const;
  std::filesystem::path cluster_dir() const;  // PGDATA

 private:
  struct Impl;
  explicit EmbeddedCluster(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace flexsync::store
