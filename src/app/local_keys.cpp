#include "app/local_keys.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "app/config_value.hpp"
#include "store/key_hash.hpp"

namespace flexsync::app {

namespace fs = std::filesystem;

namespace {

tl::unexpected<Error> bad(std::string message) {
  return fail(ErrorCode::validation_error, std::move(message));
}

Result<Secret> read_key(const fs::path& file) {
  struct stat info {};
  if (stat(file.c_str(), &info) == 0 && (info.st_mode & 077U) != 0) {
    return bad(file.string() + " may be read by others than its owner: chmod 600 " + file.string());
  }
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  Secret key(trimmed(line));
  if (key.empty()) {
    return bad(file.string() + " cannot be read or is empty: restore it, since what it encrypted cannot be read " +
               "without it");
  }
  return key;
}

// Written aside, synced, then linked into place: a key file is whole or absent, and of two processes that generate at
// once one wins and both use its key.
Result<Secret> generate_key(const fs::path& file, const Secret& key,
                            const std::function<void(const std::string&)>& announce) {
  const std::string fresh = file.string() + "." + std::to_string(getpid()) + ".new";
  const std::string text = std::string(key.reveal()) + "\n";
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool done = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  done = done && (link(fresh.c_str(), file.c_str()) == 0 || errno == EEXIST);
  const int fault = errno;
  if (fd >= 0) {
    close(fd);
    unlink(fresh.c_str());
  }
  if (!done) {
    return bad("cannot write " + file.string() + ": " + std::strerror(fault) +
               "; set data_dir (FLEXSYNC_DATA_DIR) to a directory of your own");
  }
  if (const int directory = open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); directory >= 0) {
    fsync(directory);
    close(directory);
  }
  auto kept = read_key(file);
  if (kept && kept->reveal() == key.reveal()) {
    announce("no key was configured, so one was generated into " + file.string());
  }
  return kept;
}

Result<Secret> key_in(const fs::path& file, Secret (*make)(), const std::function<void(const std::string&)>& announce) {
  std::error_code ignored;
  return fs::exists(file, ignored) ? read_key(file) : generate_key(file, make(), announce);
}

Secret make_admin_key() {
  return store::new_random_key("admin_fs_");
}

Secret make_master_key() {
  return store::new_master_key("k1");
}

}  // namespace

Result<LocalKeys> local_keys(const Config& config, const std::function<void(const std::string&)>& announce) {
  const fs::path data_dir = fs::absolute(config.data_dir).lexically_normal();
  LocalKeys keys;
  Secret master_key = config.master_key;
  keys.admin_key = config.admin_key;
  if (master_key.empty() || keys.admin_key.empty()) {
    std::error_code failed;
    fs::create_directories(data_dir, failed);
    if (failed) {
      return bad("data_dir: cannot make " + data_dir.string() + ": " + failed.message());
    }
  }
  if (master_key.empty()) {
    auto stored = key_in(data_dir / "master.key", make_master_key, announce);
    if (!stored) {
      return tl::unexpected(stored.error());
    }
    master_key = *stored;
  }
  if (keys.admin_key.empty()) {
    auto stored = key_in(data_dir / "admin.key", make_admin_key, announce);
    if (!stored) {
      return tl::unexpected(stored.error());
    }
    keys.admin_key = *stored;
  }
  auto ring = store::KeyRing::parse(master_key);
  if (!ring) {
    return tl::unexpected(ring.error());
  }
  keys.master_keys = std::move(*ring);
  return keys;
}

}  // namespace flexsync::app
