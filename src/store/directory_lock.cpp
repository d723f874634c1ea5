#include "store/directory_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

namespace flexsync::store {

DirectoryLock::Outcome DirectoryLock::take(const std::filesystem::path& file) {
  // Close-on-exec: a child that inherited the lock would hold it after our death.
  fd_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) {
    return Outcome::impossible;
  }
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const bool held = errno == EWOULDBLOCK;
    std::ifstream in(file);
    std::getline(in, holder_);
    release();
    return held ? Outcome::held_by_other : Outcome::impossible;
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  const bool noted = ftruncate(fd_, 0) == 0 && pwrite(fd_, pid.data(), pid.size(), 0) > 0;
  return noted ? Outcome::taken : Outcome::impossible;
}

void DirectoryLock::release() {
  if (fd_ >= 0) {
    close(std::exchange(fd_, -1));
  }
}

}  // namespace flexsync::store
