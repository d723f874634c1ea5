#include "http/exchange.hpp"

#include <exception>
#include <utility>

#include "http/error_body.hpp"
#include "telemetry/log.hpp"

namespace flexsync::http {

Exchange::Exchange(Deliver deliver) : deliver_(std::move(deliver)) {}

Exchange::~Exchange() {
  try {
    if (reply(Error{ErrorCode::service_unavailable, "The request was not finished; try again", {}})) {
      log::warn("a request was dropped without an answer");
    }
  } catch (const std::exception&) {  // out of memory: the answer timeout closes the connection
  }
}

bool Exchange::reply(Response response) {
  if (answered_.exchange(true)) {
    return false;
  }
  deliver_(std::move(response));
  return true;
}

bool Exchange::reply(const Error& error) {
  return reply(error_response(error));
}

}  // namespace flexsync::http
