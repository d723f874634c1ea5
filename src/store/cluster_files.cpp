#include "store/cluster_files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "store/key_hash.hpp"
#include "store/postgres_programs.hpp"

namespace flexsync::store {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSocketPathMax = 107;  // sockaddr_un has 108 bytes with the closing zero
constexpr std::string_view kSocketName = "/.s.PGSQL.5432";
constexpr std::string_view kUnfinished = ".new";  // behind the name of a cluster that initdb is still making
constexpr std::size_t kHashLength = 16;
constexpr auto kEnterable = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
                            fs::perms::others_read | fs::perms::others_exec;

tl::unexpected<Error> fault(const std::string& what) {
  return fail(ErrorCode::internal_error, "embedded PostgreSQL: " + what);
}

std::string short_hash(const fs::path& path) {
  return sha256_hex(path.string()).substr(0, kHashLength);
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

Result<void> make_directory(const fs::path& path, fs::perms perms) {
  std::error_code failed;
  const bool existed = fs::exists(path, failed);
  fs::create_directories(path, failed);
  if (!failed && !existed) {
    fs::permissions(path, perms, failed);
  }
  if (failed) {
    return fault("cannot make the directory " + path.string() + ": " + failed.message());
  }
  return {};
}

// A directory that belongs to `user` alone. One made by somebody else (in /tmp anybody may) is refused.
Result<void> make_private_directory(const fs::path& path, const OsUser& user) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fault("cannot make the directory " + path.string() + ": " + std::strerror(errno));
  }
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) ||
      (info.st_uid != user.uid && info.st_uid != geteuid())) {
    return fault(path.string() + " belongs to somebody else: remove it, or use another data_dir");
  }
  if ((info.st_uid != user.uid && lchown(path.c_str(), user.uid, user.gid) != 0) || chmod(path.c_str(), 0700) != 0) {
    return fault("cannot give " + path.string() + " to user " + user.name + ": " + std::strerror(errno));
  }
  return {};
}

// Root drops to the cluster's owner, else to `postgres`, else to `nobody`; anybody else stays who they are.
Result<OsUser> choose_user(const fs::path& pgdata) {
  struct stat info {};
  const bool exists = stat(pgdata.c_str(), &info) == 0;
  if (geteuid() != 0) {
    if (exists && info.st_uid != geteuid()) {
      return fault(pgdata.string() + " belongs to user number " + std::to_string(info.st_uid) +
                   ": start flexsync as that user or as root, or use another data_dir");
    }
    return current_user();
  }
  if (exists && info.st_uid != 0) {
    return find_user(info.st_uid).value_or(OsUser{info.st_uid, info.st_gid, std::to_string(info.st_uid)});
  }
  for (const auto* name : {"postgres", "nobody"}) {
    if (const auto user = find_user(std::string(name))) {
      return *user;
    }
  }
  return fault("PostgreSQL cannot run as root, and there is neither a user postgres nor nobody: start as another user");
}

// A home outside data_dir, remembered in data_dir so that it is found again. A directory left by an earlier data_dir of
// the same path is never taken over: who removed ./var wants to begin anew, and no data of theirs is deleted unasked.
Result<fs::path> relocate(const fs::path& data_dir, const fs::path& root, const OsUser& user,
                          const Announce& announce) {
  if (auto made = make_directory(root, kEnterable); !made) {
    return tl::unexpected(made.error());
  }
  fs::path home = root / short_hash(data_dir);
  std::error_code ignored;
  for (int n = 2; fs::exists(home, ignored); ++n) {
    announce("an earlier database of " + data_dir.string() + " is left in " + home.string() +
             "; remove that directory if it is not needed");
    home = root / (short_hash(data_dir) + "-" + std::to_string(n));
  }
  std::ofstream(data_dir / "postgres.location") << home.string() << "\n";
  if (auto made = make_directory(home, kEnterable); !made) {
    return tl::unexpected(made.error());
  }
  if (!can_enter(home, user)) {
    return fault("user " + user.name + " can enter neither " + data_dir.string() + " nor " + home.string() +
                 ": use a data_dir that they can reach");
  }
  return home;
}

Result<fs::path> choose_home(const fs::path& data_dir, const fs::path& fallback_root, const Announce& announce) {
  std::error_code ignored;
  const fs::path marker = data_dir / "postgres.location";
  if (fs::exists(marker, ignored)) {
    const fs::path home = first_line(marker);
    if (!home.is_absolute()) {
      return fault(marker.string() + " must hold the absolute path of the database's directory");
    }
    if (auto made = make_directory(home, kEnterable); !made) {
      return tl::unexpected(made.error());
    }
    announce("the database of " + data_dir.string() + " is in " + home.string());
    return home;
  }
  auto user = choose_user(data_dir / "postgres");
  if (!user) {
    return tl::unexpected(user.error());
  }
  if (can_enter(data_dir, *user)) {
    return data_dir;
  }
  if (fs::exists(data_dir / "postgres" / "PG_VERSION", ignored)) {
    return fault("user " + user->name + ", whom the database in " + data_dir.string() +
                 " belongs to, cannot enter that directory any more: allow it (chmod o+x on each directory above)");
  }
  auto home = relocate(data_dir, fallback_root, *user, announce);
  if (home) {
    announce("user " + user->name + " cannot enter " + data_dir.string() + ", so the database is in " + home->string());
  }
  return home;
}

fs::path choose_socket_dir(const fs::path& home, const Announce& announce) {
  fs::path beside = home / "postgres-socket";
  if (beside.string().size() + kSocketName.size() <= kSocketPathMax) {
    return beside;
  }
  const fs::path root = access("/run", W_OK) == 0 ? "/run" : "/tmp";
  fs::path elsewhere = root / ("flexsync-" + short_hash(home));
  announce("the path " + beside.string() + " is too long for a socket, which is in " + elsewhere.string());
  return elsewhere;
}

// What servers that were killed meanwhile left. Their initdb may still be at work and keep its directory from going, so
// each attempt has a directory of its own.
void remove_unfinished(const ClusterPlace& place) {
  const std::string begin = place.pgdata.filename().string() + std::string(kUnfinished);
  std::error_code failed;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(place.pgdata.parent_path(), failed)) {
    if (entry.path().filename().string().starts_with(begin)) {
      left.push_back(entry.path());
    }
  }
  for (const auto& directory : left) {
    fs::remove_all(directory, failed);
  }
}

}  // namespace

bool ClusterPlace::initialized() const {
  std::error_code ignored;
  return fs::exists(pgdata / "PG_VERSION", ignored);
}

Result<ClusterPlace> find_cluster_place(const fs::path& data_dir, const fs::path& fallback_root,
                                        const Announce& announce) {
  ClusterPlace place;
  if (auto made = make_directory(data_dir, kEnterable); !made) {
    return tl::unexpected(made.error());
  }
  place.data_dir = fs::canonical(data_dir);
  place.log = place.data_dir / "postgres.log";
  auto home = choose_home(place.data_dir, fallback_root, announce);
  if (!home) {
    return tl::unexpected(home.error());
  }
  place.pgdata = fs::canonical(*home) / "postgres";
  auto user = choose_user(place.pgdata);
  auto programs = find_programs(place.pgdata);
  if (!user || !programs) {
    return tl::unexpected(user ? programs.error() : user.error());
  }
  place.user = *user;
  place.programs = *programs;
  place.socket_dir = choose_socket_dir(*home, announce);
  if (auto made = make_private_directory(place.socket_dir, place.user); !made) {
    return tl::unexpected(made.error());
  }
  return place;
}

Result<void> initialize_cluster(const ClusterPlace& place, bool sync) {
  remove_unfinished(place);
  if (place.initialized()) {
    return {};
  }
  std::error_code failed;
  const fs::path unfinished = place.pgdata.string() + std::string(kUnfinished) + "." + std::to_string(getpid());
  if (auto made = make_private_directory(unfinished, place.user); !made) {
    return made;
  }
  std::vector<std::string> command = {(place.programs / "initdb").string(),
                                      "--pgdata=" + unfinished.string(),
                                      "--username=postgres",
                                      "--encoding=UTF8",
                                      "--locale=C.UTF-8",
                                      "--auth=peer",
                                      "--no-instructions"};
  if (!sync) {
    command.emplace_back("--no-sync");
  }
  const auto status = run_child({.command = std::move(command), .run_as = place.user, .log = place.log});
  if (!status) {
    return tl::unexpected(status.error());
  }
  if (*status != 0) {
    return fault("initdb failed; its output is in " + place.log.string());
  }
  fs::rename(unfinished, place.pgdata, failed);
  if (failed) {
    return fault("cannot rename " + unfinished.string() + " to " + place.pgdata.string() + ": " + failed.message());
  }
  return {};
}

RunningPostmaster find_postmaster(const ClusterPlace& place) {
  std::ifstream in(place.pgdata / "postmaster.pid");
  std::array<std::string, 5> lines;  // pid, data directory, start time, port, socket directory
  for (auto& line : lines) {
    std::getline(in, line);
  }
  int pid = 0;
  std::from_chars(lines[0].data(), lines[0].data() + lines[0].size(), pid);
  // The pid may be somebody else's by now; a postmaster's working directory is its cluster.
  std::error_code failed;
  const fs::path working_dir = fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd", failed);
  if (pid <= 0 || failed || working_dir != place.pgdata || !is_alive(pid)) {
    return {};
  }
  return {pid, lines[4]};
}

}  // namespace flexsync::store
