// The embedded cluster's configuration files.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "store/cluster_files.hpp"

namespace flexsync::store {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kHead =
    "# Written by flexsync at every start. Settings of your own: ALTER SYSTEM SET, which outlives this file.\n";

// Durability stays at PostgreSQL's own defaults, named here so that nobody wonders.
const std::map<std::string, std::string>& base_settings() {
  static const std::map<std::string, std::string> settings = {
      {"fsync", "on"},
      {"synchronous_commit", "on"},
      {"full_page_writes", "on"},
      {"shared_buffers", "256MB"},
      {"max_wal_size", "4GB"},
      {"checkpoint_timeout", "15min"},
      {"wal_compression", "lz4"},
      // Filling a new 16 MB segment with zeros holds up whoever commits: 50 ms, at 1,000 webhooks/s once a second or
      // two.
      {"wal_init_zero", "off"},
      {"max_connections", "100"},
      {"jit", "off"},
      {"listen_addresses", ""},
      {"port", "5432"},
      {"dynamic_shared_memory_type", "posix"},
      {"logging_collector", "off"},
      {"log_destination", "stderr"},
      {"log_line_prefix", "%m [%p] %q%u@%d "},
      {"log_checkpoints", "off"},
      {"timezone", "UTC"},
      {"log_timezone", "UTC"},
      {"datestyle", "iso, mdy"},
      {"lc_messages", "C.UTF-8"},
      {"default_text_search_config", "pg_catalog.english"},
  };
  return settings;
}

std::string in_quotes(const std::string& value, char quote) {
  std::string out(1, quote);
  for (const char c : value) {
    out.append(c == quote ? 2 : 1, c);
  }
  return out + quote;
}

// Replaces the file as a whole, as the cluster's user's. Never follows a link that user may have put there.
Result<void> replace_file(const fs::path& path, const std::string& text, const OsUser& user) {
  const std::string fresh = path.string() + ".new";
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fchown(fd, user.uid, user.gid) == 0 && fsync(fd) == 0;
  const int write_fault = errno;
  if (fd >= 0) {
    close(fd);
  }
  if (!written || rename(fresh.c_str(), path.c_str()) != 0) {
    return fail(ErrorCode::internal_error, "embedded PostgreSQL: cannot write " + path.string() + ": " +
                                               std::strerror(written ? errno : write_fault));
  }
  return {};
}

}  // namespace

Result<void> write_cluster_config(const ClusterPlace& place, const std::vector<std::string>& roles,
                                  const std::map<std::string, std::string>& overrides) {
  auto settings = overrides;
  settings.insert(base_settings().begin(), base_settings().end());
  settings["unix_socket_directories"] = place.socket_dir.string();
  std::string config(kHead);
  for (const auto& [name, value] : settings) {
    config += name + " = " + in_quotes(value, '\'') + "\n";
  }

  std::string identities(kHead);
  auto allowed = roles;
  allowed.emplace_back("postgres");
  for (const auto& system_user : {current_user().name, place.user.name}) {
    for (const auto& role : allowed) {
      identities += "flexsync " + in_quotes(system_user, '"') + " " + in_quotes(role, '"') + "\n";
    }
  }

  const std::string access = std::string(kHead) + "local all all peer map=flexsync\n";
  return replace_file(place.pgdata / "postgresql.conf", config, place.user)
      .and_then([&] { return replace_file(place.pgdata / "pg_ident.conf", identities, place.user); })
      .and_then([&] { return replace_file(place.pgdata / "pg_hba.conf", access, place.user); });
}

}  // namespace flexsync::store
