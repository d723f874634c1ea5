#include "domain/plan.hpp"

#include <array>
#include <stdexcept>

namespace flexsync {

namespace {

constexpr std::array kPeriods = {"DAILY", "WEEKLY", "MONTHLY", "ANNUAL", "ONETIME"};
static_assert(kPeriods.size() == static_cast<std::size_t>(BillingPeriod::onetime) + 1);

}  // namespace

std::string to_string(BillingPeriod period) {
  return kPeriods.at(static_cast<std::size_t>(period));
}

BillingPeriod parse_billing_period(const std::string& text) {
  for (std::size_t i = 0; i < kPeriods.size(); ++i) {
    if (text == kPeriods[i]) {
      return static_cast<BillingPeriod>(i);
    }
  }
  throw std::invalid_argument("no billing period: " + text);
}

}  // namespace flexsync
