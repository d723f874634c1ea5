#include "http/error_body.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace flexsync::http {

Response error_response(const Error& error) {
  return error_response(http_status(error.code), to_string(error.code), error.message, error.details);
}

Response error_response(int status, std::string_view code, std::string_view message, const Details& details) {
  auto fields = nlohmann::json::object();
  for (const auto& [field, text] : details) {
    fields[field] = text;
  }
  // internal_error is FlexPrice's older field for what only its developers understand; ours stays in the log. But its
  // official client, with zod 4.4 and later, refuses an error that lacks it.
  auto response = json_response(status, {{"success", false},
                                         {"error",
                                          {{"code", code},
                                           {"message", message},
                                           {"http_status_code", status},
                                           {"details", std::move(fields)},
                                           {"internal_error", nullptr}}}});
  if (status == 429 || status == 503) {
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  }
  if (status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  return response;
}

Error validation_failed(Details details) {
  return Error{ErrorCode::validation_error, "Request validation failed", std::move(details)};
}

}  // namespace flexsync::http
