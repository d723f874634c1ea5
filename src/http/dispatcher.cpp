#include "http/dispatcher.hpp"

#include <exception>
#include <memory>
#include <utility>

#include "http/deferred.hpp"
#include "http/error_body.hpp"
#include "telemetry/log.hpp"

namespace flexsync::http {

Dispatcher::Dispatcher(Router router, WorkerPool& workers, Authenticator& authenticator, NetworkList trusted_proxies,
                       NetworkList webhook_allow_list)
    : router_(std::move(router)),
      workers_(workers),
      authenticator_(authenticator),
      trusted_proxies_(std::move(trusted_proxies)),
      webhook_allow_list_(std::move(webhook_allow_list)) {}

Admission Dispatcher::admit(Request& request) const {
  if (!request.forwarded_for.empty()) {
    request.client = client_address(request.client, request.forwarded_for, trusted_proxies_);
  }
  auto match = router_.match(request);
  Admission admission;
  admission.route = match.route;
  admission.path = std::move(match.path);
  admission.refusal = std::move(match.refusal);
  admission.stats = match.route != nullptr ? match.route->stats.get() : &router_.unmatched();
  if (match.route == nullptr) {
    return admission;
  }
  admission.body_size_max = match.route->body_size_max;
  if (match.route->allow_listed && !webhook_allow_list_.empty() && !webhook_allow_list_.contains(request.client)) {
    log::warn("a webhook from an address that is not allowed", {{"client", request.client}});
    admission.refusal = error_response(Error{
        ErrorCode::permission_denied, "Webhooks from " + request.client + " are not allowed by the IP allow list", {}});
  }
  return admission;
}

void Dispatcher::run(Request request, Admission admission, ExchangePtr exchange) const {
  const Route& route = *admission.route;
  if (route.async) {
    const log::RequestScope scope(request.request_id);
    try {
      route.async(std::move(request), admission.path, exchange);
    } catch (const std::exception& error) {
      exchange->reply(internal_error(route.pattern, error));
    }
    return;
  }
  // A job is copyable by type (std::function), a request need not be copied: it travels by pointer.
  struct Job {
    Request request;
    PathValues path;
  };
  auto job = std::make_shared<Job>(Job{std::move(request), std::move(admission.path)});
  if (!workers_.submit([this, &route, job, exchange] { run_on_worker(route, job->request, job->path, exchange); })) {
    exchange->reply(Error{ErrorCode::service_unavailable, "Too many requests are waiting already; try again", {}});
  }
}

void Dispatcher::run_on_worker(const Route& route, const Request& request, const PathValues& path,
                               const ExchangePtr& exchange) const {
  const log::RequestScope scope(request.request_id);
  std::optional<Response> response;
  try {
    auto query = Query::parse(request.query);
    Result<Principal> principal = Principal{};
    if (route.access != Access::open) {
      principal = authorize(authenticator_, request, route.access);
    }
    if (!principal) {
      response = error_response(principal.error());
    } else if (!query) {
      response = error_response(query.error());
    } else {
      const RequestContext context{request, path, std::move(*query), std::move(*principal)};
      if (route.deferred) {
        route.deferred(context, exchange);
      } else {
        response = route.blocking(context);
      }
    }
  } catch (const std::exception& error) {
    response = internal_error(route.pattern, error);
  }
  log::debug("request", {{"method", request.method_name},
                         {"route", route.pattern},
                         {"status", response ? std::to_string(response->status) : "deferred"},
                         {"client", request.client},
                         {"traceparent", request.traceparent}});
  if (response) {
    exchange->reply(std::move(*response));
  }
}

}  // namespace flexsync::http
