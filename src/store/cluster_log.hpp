// What PostgreSQL's own log says about a start that failed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace flexsync::store {

std::uintmax_t log_size(const std::filesystem::path& log);
std::string log_since(const std::filesystem::path& log, std::uintmax_t from);

// The lines that say why it did not start: the first is often the cause, the last FATAL the consequence.
std::string reason_in(const std::string& log);

// A killed postmaster's backends take a moment to notice; until then the new one refuses.
bool is_passing(const std::string& log);

// Puts a log that has grown large aside, as <log>.1.
void rotate_log(const std::filesystem::path& log);

}  // namespace flexsync::store
