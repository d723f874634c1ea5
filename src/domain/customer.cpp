#include "domain/customer.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace flexsync {

bool is_reserved_metadata(std::string_view key) {
  constexpr std::array<std::string_view, 8> kReserved = {
      "flexprice_customer_id", "flexprice_plan_id",  "flexprice_addon_id", "flexprice_subscription_id",
      "flexprice_environment", "stripe_customer_id", "stripe_product_id",  "stripe_subscription_id"};
  return std::find(kReserved.begin(), kReserved.end(), key) != kReserved.end();
}

std::string to_string(Status status) {
  switch (status) {
    case Status::published:
      return "published";
    case Status::archived:
      return "archived";
    case Status::deleted:
      return "deleted";
  }
  throw std::invalid_argument("no such status");
}

Status parse_status(const std::string& text) {
  for (const auto status : {Status::published, Status::archived, Status::deleted}) {
    if (text == to_string(status)) {
      return status;
    }
  }
  throw std::invalid_argument("no such status: " + text);
}

}  // namespace flexsync
