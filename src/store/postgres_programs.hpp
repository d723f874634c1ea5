// Where this machine's PostgreSQL programs are.
#pragma once

#include <filesystem>

#include "domain/error.hpp"

namespace flexsync::store {

// The directory of initdb and postgres: of the newest PostgreSQL there is, or of the version that made the cluster in
// `pgdata`. From 15 on.
Result<std::filesystem::path> find_programs(const std::filesystem::path& pgdata);

}  // namespace flexsync::store
