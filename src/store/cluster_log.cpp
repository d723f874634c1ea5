#include "store/cluster_log.hpp"

#include <fstream>
#include <iterator>

namespace flexsync::store {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kLogSizeMax = 67'108'864;

}  // namespace

std::string log_since(const fs::path& log, std::uintmax_t from) {
  std::ifstream in(log);
  in.seekg(static_cast<std::streamoff>(from));
  return {std::istreambuf_iterator<char>(in), {}};
}

std::uintmax_t log_size(const fs::path& file) {
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  return failed ? 0 : size;
}

std::string reason_in(const std::string& log) {
  const std::string first = log.substr(0, log.find('\n'));
  const auto fatal = log.rfind("FATAL:");
  const std::string last = fatal == std::string::npos ? "" : log.substr(fatal, log.find('\n', fatal) - fatal);
  if (first.find(last) != std::string::npos) {
    return first.empty() ? "no output" : first;
  }
  return first + " … " + last;
}

bool is_passing(const std::string& log) {
  return log.find("shared memory block") != std::string::npos || log.find("lock file") != std::string::npos ||
         log.find("the database system is shutting down") != std::string::npos;
}

void rotate_log(const fs::path& log) {
  if (log_size(log) > kLogSizeMax) {
    std::error_code ignored;
    fs::rename(log, log.string() + ".1", ignored);
  }
}

}  // namespace flexsync::store
