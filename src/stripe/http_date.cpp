#include "stripe/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace flexsync::stripe {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<unsigned> number_at(std::string_view text, std::size_t at, std::size_t length) {
  unsigned value = 0;
  const auto* first = text.data() + at;
  const auto [end, failure] = std::from_chars(first, first + length, value);
  return failure == std::errc{} && end == first + length ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<Timestamp> parse_http_date(std::string_view text) {
  if (text.size() != 29 || !text.ends_with(" GMT") || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  const auto day = number_at(text, 5, 2);
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto year = number_at(text, 12, 4);
  const auto hour = number_at(text, 17, 2);
  const auto minute = number_at(text, 20, 2);
  const auto second = number_at(text, 23, 2);
  if (!day || month == kMonths.end() || !year || !hour || !minute || !second) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{static_cast<unsigned>(month - kMonths.begin()) + 1},
                                         std::chrono::day{*day}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  return Timestamp{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

}  // namespace flexsync::stripe
