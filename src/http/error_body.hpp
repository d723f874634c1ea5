// The one renderer of errors: {"success":false,"error":{"code","message","http_status_code","details",
// "internal_error":null}}.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "domain/error.hpp"
#include "http/message.hpp"

namespace flexsync::http {

using Details = std::map<std::string, std::string>;  // field -> what is wrong with it

// "Come again" is said with a time: Retry-After on every 429 and 503.
inline constexpr int kRetryAfterSeconds = 1;

Response error_response(const Error& error);

// For what is wrong with the HTTP itself (408, 431 …) and has no ErrorCode.
Response error_response(int status, std::string_view code, std::string_view message, const Details& details = {});

// "Request validation failed", with a text per field.
Error validation_failed(Details details);

}  // namespace flexsync::http
