#include "domain/subscription.hpp"

#include <array>
#include <stdexcept>

namespace flexsync {

namespace {

constexpr std::array kStatuses = {"active", "trialing",   "past_due", "unpaid",
                                  "paused", "incomplete", "inactive", "cancelled"};
static_assert(kStatuses.size() == static_cast<std::size_t>(SubscriptionStatus::cancelled) + 1);

}  // namespace

std::string to_string(SubscriptionStatus status) {
  return kStatuses.at(static_cast<std::size_t>(status));
}

SubscriptionStatus parse_subscription_status(const std::string& text) {
  for (std::size_t i = 0; i < kStatuses.size(); ++i) {
    if (text == kStatuses[i]) {
      return static_cast<SubscriptionStatus>(i);
    }
  }
  throw std::invalid_argument("no subscription status: " + text);
}

}  // namespace flexsync
