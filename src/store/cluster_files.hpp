// Where the embedded PostgreSQL lives on this machine, whose it is, and the files it is configured by.
//
// PostgreSQL refuses to run as root, and the user it runs as instead must be able to reach its files. So there are up
// to three places: the data directory people configured, the cluster's home (the same, unless that user cannot enter
// it), and the socket's directory (below the home, unless the path is too long for a socket).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "domain/error.hpp"
#include "store/child_process.hpp"

namespace flexsync::store {

using Announce = std::function<void(const std::string&)>;

struct ClusterPlace {
  std::filesystem::path data_dir;    // absolute
  std::filesystem::path pgdata;      // <home>/postgres
  std::filesystem::path socket_dir;  // entered by nobody but the user (and root)
  std::filesystem::path log;         // <data_dir>/postgres.log
  std::filesystem::path programs;    // where initdb and postgres are
  OsUser user;                       // whom PostgreSQL runs as

  bool initialized() const;
};

// Finds all of it, creating directories. `fallback_root` is where the home goes when the user cannot enter data_dir.
Result<ClusterPlace> find_cluster_place(const std::filesystem::path& data_dir,
                                        const std::filesystem::path& fallback_root, const Announce& announce);

// initdb, complete or not at all: made beside its place, synced and renamed. Nothing to do when it is there. Only a
// cluster that runs without fsync anyway is not synced.
Result<void> initialize_cluster(const ClusterPlace& place, bool sync);

// postgresql.conf, pg_hba.conf and pg_ident.conf, rewritten at every start. `roles` may be logged in as by the
// server's own system user; `overrides` win over our settings.
Result<void> write_cluster_config(const ClusterPlace& place, const std::vector<std::string>& roles,
                                  const std::map<std::string, std::string>& overrides);

// The postmaster that runs on this place, ours or one that an earlier server left; 0 when there is none.
struct RunningPostmaster {
  pid_t pid = 0;
  std::filesystem::path socket_dir;
};
RunningPostmaster find_postmaster(const ClusterPlace& place);

}  // namespace flexsync::store
