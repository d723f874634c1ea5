#include "http/prefer.hpp"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace flexsync::http {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kSecondsMax = 86'400;  // more is as good as for ever, and fits into milliseconds

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_wait(std::string_view name) {
  return name.size() == 4 && strncasecmp(name.data(), "wait", 4) == 0;
}

// "wait" itself asks for the longest time; nothing for a value that is no number.
std::optional<milliseconds> time_of(std::string_view value, milliseconds max) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  if (value.empty()) {
    return max;
  }
  if (value.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::int64_t seconds = 0;
  const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc{} || seconds > kSecondsMax) {
    seconds = kSecondsMax;
  }
  return std::min(max, milliseconds(seconds * 1000));
}

// The first preference named `wait` counts (RFC 7240, 2); parameters behind a semicolon mean nothing here.
std::optional<milliseconds> preferred(std::string_view header, milliseconds max) {
  while (!header.empty()) {
    const auto end = std::min(header.find(','), header.size());
    auto preference = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    preference = preference.substr(0, preference.find(';'));
    const auto equals = std::min(preference.find('='), preference.size());
    if (is_wait(trimmed(preference.substr(0, equals)))) {
      return time_of(trimmed(preference.substr(std::min(equals + 1, preference.size()))), max);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> wanted_wait(const Request& request, const Query& query, milliseconds max,
                                        Details& details) {
  auto wait = preferred(request.prefer, max);
  const auto asked = query.text("wait");
  if (asked == "true" && !wait) {
    wait = max;
  } else if (!asked.empty() && asked != "true" && asked != "false") {
    details.emplace("wait", "must be true or false");
  }
  return wait && wait->count() > 0 ? wait : std::nullopt;
}

}  // namespace flexsync::http
