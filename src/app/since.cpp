#include "app/since.hpp"

#include <charconv>
#include <chrono>
#include <optional>

#include "sync/catch_up.hpp"

namespace flexsync::app {

namespace {

using std::chrono::minutes;

constexpr int kAgoMax = 1'000'000;  // more is no time that anybody means

std::optional<minutes> unit_of(char letter) {
  switch (letter) {
    case 'd':
      return minutes(24 * 60);
    case 'h':
      return minutes(60);
    case 'm':
      return minutes(1);
    default:
      return std::nullopt;
  }
}

// "3d"
std::optional<minutes> parse_ago(const std::string& text) {
  const auto unit = text.empty() ? std::nullopt : unit_of(text.back());
  int count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, count);
  if (!unit || fault != std::errc{} || stop + 1 != end || count < 0 || count > kAgoMax) {
    return std::nullopt;
  }
  return count * *unit;
}

}  // namespace

Result<Timestamp> parse_since(const std::string& text, Timestamp now) {
  const auto ago = parse_ago(text);
  const auto since = ago ? std::optional(now - *ago) : parse_rfc3339(text);
  if (!since) {
    return fail(ErrorCode::validation_error,
                "--since \"" + text + "\" is no time: give one such as 2026-11-18T06:00:00Z, or how long ago: 3d, 36h");
  }
  if (*since > now) {
    return fail(ErrorCode::validation_error, "--since " + to_rfc3339(*since) + " is still to come");
  }
  if (*since < now - sync::kEventsListedFor) {
    return fail(ErrorCode::validation_error,
                "--since " + to_rfc3339(*since) + " is more than 30 days ago: Stripe lists no event that is older");
  }
  return *since;
}

}  // namespace flexsync::app
