// GET /health/live, /health/ready and /metrics: the admin listener.
#include <nlohmann/json.hpp>

#include "http/error_body.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

void add_health(Router& router, Ports ports, const std::atomic<bool>& draining) {
  router.get("/health/live", Access::open, [](const RequestContext&) {
    return json_response(200, {{"status", "ok"}});
  });

  router.get("/health/ready", Access::open, [ports, &draining](const RequestContext&) {
    if (draining) {
      return error_response(Error{ErrorCode::service_unavailable, "The server is stopping", {}});
    }
    if (const auto reason = ports.readiness.why_not_ready()) {
      return error_response(Error{ErrorCode::service_unavailable, *reason, {}});
    }
    return json_response(200, {{"status", "ready"}});
  });

  router.get("/metrics", Access::open, [ports](const RequestContext&) {
    return Response{200, ports.metrics.render(), "text/plain; version=0.0.4; charset=utf-8", {}};
  });
}

}  // namespace flexsync::http
