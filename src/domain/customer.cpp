#include "domain/customer.hpp"

#include <stdexcept>

namespace flexsync {

bool is_reserved_metadata(std::string_view key) {
  return key == "flexprice_customer_id" || key == "flexprice_environment" || key == "stripe_customer_id";
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
