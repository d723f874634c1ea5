#include "domain/customer.hpp"

#include <stdexcept>

namespace flexsync {

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
