// Points in time, always UTC, to the microsecond (PostgreSQL's own resolution).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flexsync {

using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// RFC 3339 with a "Z": 2026-11-21T02:38:00Z, with a fraction only when there is one.
std::string to_rfc3339(Timestamp time);

// Reads RFC 3339 with any offset; nothing when the text is not a valid time.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

constexpr Timestamp from_unix_seconds(std::int64_t seconds) {
  return Timestamp{std::chrono::seconds{seconds}};
}

constexpr std::int64_t to_unix_seconds(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

constexpr std::int64_t to_unix_micros(Timestamp time) {
  return time.time_since_epoch().count();
}

constexpr Timestamp from_unix_micros(std::int64_t micros) {
  return Timestamp{std::chrono::microseconds{micros}};
}

}  // namespace flexsync
