#include "http/deferred.hpp"

#include "telemetry/log.hpp"

namespace flexsync::http {

Response internal_error(const std::string& where, const std::exception& error) {
  log::error("a handler failed", {{"route", where}, {"error", error.what()}});
  return error_response(
      Error{ErrorCode::internal_error, "An unexpected error occurred; the X-Request-ID names it", {}});
}

void answer(Exchange& exchange, const std::string& request_id, const std::function<Response()>& render) {
  const log::RequestScope scope(request_id);
  try {
    exchange.reply(render());
  } catch (const std::exception& error) {
    exchange.reply(internal_error("answering", error));
  }
}

}  // namespace flexsync::http
