#include "domain/error.hpp"

#include <cstddef>

namespace flexsync {

namespace {

struct Entry {
  ErrorCode code;
  std::string_view name;
  int status;
};

constexpr std::array kTable = {
    Entry{ErrorCode::validation_error, "validation_error", 400},
    Entry{ErrorCode::invalid_operation, "invalid_operation", 400},
    Entry{ErrorCode::unauthenticated, "unauthenticated", 401},
    Entry{ErrorCode::permission_denied, "permission_denied", 403},
    Entry{ErrorCode::not_found, "not_found", 404},
    Entry{ErrorCode::already_exists, "already_exists", 409},
    Entry{ErrorCode::version_conflict, "version_conflict", 409},
    Entry{ErrorCode::payload_too_large, "payload_too_large", 413},
    Entry{ErrorCode::too_many_requests, "too_many_requests", 429},
    Entry{ErrorCode::internal_error, "internal_error", 500},
    Entry{ErrorCode::database_error, "database_error", 500},
    Entry{ErrorCode::service_unavailable, "service_unavailable", 503},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].code) != i) {
      return false;
    }
  }
  return true;
}
static_assert(in_order() && kTable.size() == static_cast<std::size_t>(ErrorCode::service_unavailable) + 1,
              "a new ErrorCode needs its row here");

}  // namespace

std::string_view to_string(ErrorCode code) {
  return kTable[static_cast<std::size_t>(code)].name;
}

int http_status(ErrorCode code) {
  return kTable[static_cast<std::size_t>(code)].status;
}

}  // namespace flexsync
