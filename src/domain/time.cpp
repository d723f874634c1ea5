#include "domain/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace flexsync {

namespace {

constexpr std::size_t kFractionDigits = 6;

// Takes fixed pieces off the front of a text; once one does not fit, nothing fits any more.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count || rest_.substr(0, count).find_first_not_of("0123456789") != std::string_view::npos) {
      ok_ = false;
      return 0;
    }
    std::from_chars(rest_.data(), rest_.data() + count, value);
    rest_.remove_prefix(count);
    return value;
  }

  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      ok_ = false;
      return '\0';
    }
    const char taken = rest_.front();
    rest_.remove_prefix(1);
    return taken;
  }

  // ".1234567" as microseconds; what is finer is cut off.
  int fraction() {
    if (rest_.empty() || rest_.front() != '.') {
      return 0;
    }
    rest_.remove_prefix(1);
    const auto length = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    ok_ = ok_ && length > 0;
    std::string text(rest_.substr(0, std::min(length, kFractionDigits)));
    text.resize(kFractionDigits, '0');
    rest_.remove_prefix(length);
    int micros = 0;
    std::from_chars(text.data(), text.data() + text.size(), micros);
    return micros;
  }

  bool at_end() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string to_rfc3339(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  std::string result(text.data());
  if (clock.subseconds().count() != 0) {
    std::snprintf(text.data(), text.size(), ".%06d", static_cast<int>(clock.subseconds().count()));
    result += text.data();
  }
  return result + "Z";
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using std::chrono::hours, std::chrono::minutes, std::chrono::seconds, std::chrono::microseconds;
  Scanner scan(text);
  const int year = scan.digits(4);
  scan.one_of("-");
  const int month = scan.digits(2);
  scan.one_of("-");
  const int day = scan.digits(2);
  scan.one_of("Tt ");
  const int hour = scan.digits(2);
  scan.one_of(":");
  const int minute = scan.digits(2);
  scan.one_of(":");
  const int second = scan.digits(2);
  const int micros = scan.fraction();
  const char zone = scan.one_of("Zz+-");
  int zone_hours = 0;
  int zone_minutes = 0;
  if (zone == '+' || zone == '-') {
    zone_hours = scan.digits(2);
    scan.one_of(":");
    zone_minutes = scan.digits(2);
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  // A second 60 is a leap second: it reads as the next minute's first.
  if (!scan.at_end() || !date.ok() || hour > 23 || minute > 59 || second > 60 || zone_hours > 23 || zone_minutes > 59) {
    return std::nullopt;
  }
  const auto offset = (hours{zone_hours} + minutes{zone_minutes}) * (zone == '-' ? -1 : 1);
  return Timestamp{std::chrono::sys_days{date}} + hours{hour} + minutes{minute} + seconds{second} +
         microseconds{micros} - offset;
}

}  // namespace flexsync
