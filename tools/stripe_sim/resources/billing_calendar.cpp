#include "stripe_sim/resources/billing_calendar.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace stripe_sim {

namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kMonthDaysMax = 31;

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

std::int64_t add_months(std::int64_t moment, std::int64_t months) {
  using namespace std::chrono;
  const std::int64_t day = floor_divide(moment, kDaySeconds);
  const year_month_day date{sys_days{days{day}}};
  const year_month month = year_month(date.year(), date.month()) + std::chrono::months(months);
  const year_month_day_last last(month.year(), month_day_last(month.month()));
  const year_month_day moved(month.year(), month.month(), std::min(date.day(), last.day()));
  return sys_days(moved).time_since_epoch().count() * kDaySeconds + (moment - day * kDaySeconds);
}

}  // namespace

std::int64_t period_end_after(std::int64_t moment, std::int64_t anchor, const Json& recurring) {
  const std::string interval = recurring.at("interval").get<std::string>();
  const std::int64_t count = recurring.at("interval_count").get<std::int64_t>();
  if (interval == "day" || interval == "week") {
    const std::int64_t length = count * kDaySeconds * (interval == "week" ? 7 : 1);
    return anchor + (floor_divide(moment - anchor, length) + 1) * length;
  }
  const std::int64_t months = count * (interval == "year" ? 12 : 1);
  // Never too late a start, as no month is longer.
  std::int64_t periods = floor_divide(moment - anchor, months * kMonthDaysMax * kDaySeconds) - 1;
  while (add_months(anchor, periods * months) <= moment) {
    ++periods;
  }
  return add_months(anchor, periods * months);
}

}  // namespace stripe_sim
