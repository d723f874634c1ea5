// Holds a directory for one process. The kernel frees it when the process ends, however that happens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace flexsync::store {

class DirectoryLock {
 public:
  enum class Outcome : std::uint8_t { taken, held_by_other, impossible };

  DirectoryLock() = default;
  ~DirectoryLock() { release(); }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  // Locks the file, which is made when missing. `impossible` leaves errno.
  Outcome take(const std::filesystem::path& file);
  void release();

  // The pid of who holds it, when that is somebody else.
  const std::string& holder() const { return holder_; }

 private:
  int fd_ = -1;
  std::string holder_;
};

}  // namespace flexsync::store
