#include "store/postgres_programs.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>

namespace flexsync::store {

namespace fs = std::filesystem;

namespace {

constexpr int kMajorVersionMin = 15;

tl::unexpected<Error> fault(const std::string& what) {
  return fail(ErrorCode::internal_error, "embedded PostgreSQL: " + what);
}

// The output of a command without arguments from outside.
std::string output_of(const std::string& command) {
  std::string output;
  if (FILE* pipe = popen((command + " 2>/dev/null").c_str(), "re"); pipe != nullptr) {
    std::array<char, 256> part{};
    while (std::fgets(part.data(), static_cast<int>(part.size()), pipe) != nullptr) {
      output += part.data();
    }
    pclose(pipe);
  }
  while (!output.empty() && output.back() == '\n') {
    output.pop_back();
  }
  return output;
}

// "postgres (PostgreSQL) 15.18 (Debian …)" -> 15
int major_version(const fs::path& programs) {
  const std::string text = output_of("'" + (programs / "postgres").string() + "' --version");
  const auto digit = text.find_first_of("0123456789");
  int major = 0;
  if (digit != std::string::npos) {
    std::from_chars(text.data() + digit, text.data() + text.size(), major);
  }
  return major;
}

std::set<fs::path> program_candidates() {
  std::set<fs::path> found;
  if (const auto from_config = output_of("pg_config --bindir"); !from_config.empty()) {
    found.insert(from_config);
  }
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    found.insert(version.path() / "bin");
  }
  return found;
}

}  // namespace

Result<fs::path> find_programs(const fs::path& pgdata) {
  int wanted = 0;
  std::string made_by;
  std::ifstream version_file(pgdata / "PG_VERSION");
  std::getline(version_file, made_by);
  std::from_chars(made_by.data(), made_by.data() + made_by.size(), wanted);
  fs::path best;
  int best_version = 0;
  for (const auto& candidate : program_candidates()) {
    std::error_code ignored;
    if (!fs::exists(candidate / "postgres", ignored) || !fs::exists(candidate / "initdb", ignored)) {
      continue;
    }
    const int version = major_version(candidate);
    if (version > best_version && (wanted == 0 || version == wanted)) {
      best = candidate;
      best_version = version;
    }
  }
  if (wanted != 0 && best_version != wanted) {
    return fault(pgdata.string() + " was made by PostgreSQL " + made_by + ", which is not installed: apt-get install " +
                 "postgresql-" + made_by);
  }
  if (best_version < kMajorVersionMin) {
    return fault("no PostgreSQL " + std::to_string(kMajorVersionMin) +
                 " or newer found: apt-get install postgresql, or set database.url to a server that runs already");
  }
  return best;
}

}  // namespace flexsync::store
