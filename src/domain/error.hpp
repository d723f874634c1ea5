// One error type for everything a caller handles. The codes are FlexPrice's; http/error_body renders them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace flexsync {

enum class ErrorCode : std::uint8_t {
  validation_error,     // the request is wrong: 400
  invalid_operation,    // the request is right, but not in this state: 400
  unauthenticated,      // no valid key: 401
  permission_denied,    // a valid key without the right: 403
  not_found,            // 404
  already_exists,       // a uniqueness rule: 409
  version_conflict,     // somebody else changed it: 409
  payload_too_large,    // over a size limit: 413
  too_many_requests,    // over an admission limit: 429
  internal_error,       // a fault of ours: 500
  database_error,       // PostgreSQL refused: 500
  service_unavailable,  // the store cannot be reached, or we are stopping: 503, come again
};

// The code's name as the API shows it.
std::string_view to_string(ErrorCode code);
int http_status(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal_error;
  std::string message;                         // a sentence: what is wrong, where, what to do
  std::map<std::string, std::string> details;  // field -> what is wrong with it

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message,
                                  std::map<std::string, std::string> details = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(details)});
}

}  // namespace flexsync
