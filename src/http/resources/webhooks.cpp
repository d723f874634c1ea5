// POST /v1/webhooks/stripe/{tenant_id}/{environment_id} and POST /v1/webhooks/stripe: Stripe's way in.
//
// The hot path: nothing blocks, the body is moved and never copied, nothing is logged when all goes well. The 200
// leaves after the commit; a second delivery gets the same one.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/error_body.hpp"
#include "http/resources/resources.hpp"
#include "telemetry/log.hpp"

namespace flexsync::http {

namespace {

void refuse(Exchange& exchange, const Error& error) {
  // A stranger can cause the first kind as often as he likes; the second kind is our trouble.
  const auto log = http_status(error.code) < 500 ? log::info : log::warn;
  log("a webhook was refused", {{"code", to_string(error.code)}, {"reason", error.message}});
  exchange.reply(error);
}

void deliver(const Ports& ports, Request request, std::optional<Scope> scope, ExchangePtr exchange) {
  if (request.stripe_signature.empty()) {
    refuse(*exchange, Error{ErrorCode::validation_error, "The header Stripe-Signature is missing", {}});
    return;
  }
  // The reply may come on any thread, where the request's id is not set.
  const auto request_id = request.request_id;
  ports.verifier.verify(
      WebhookDelivery{std::move(scope), std::move(request.stripe_signature), std::move(request.request_id),
                      std::move(request.body)},
      [&intake = ports.intake, exchange = std::move(exchange), request_id](Result<IncomingEvent> event) {
        if (!event) {
          const log::RequestScope log_scope(request_id);
          refuse(*exchange, event.error());
          return;
        }
        intake.store(std::move(*event), [exchange, request_id](Result<IntakeResult> stored) {
          if (!stored) {
            const log::RequestScope log_scope(request_id);
            refuse(*exchange, stored.error());
            return;
          }
          exchange->reply(Response{200, R"({"message":"Webhook received"})", kJsonType, {}});
        });
      });
}

}  // namespace

void add_webhooks(Router& router, const ServerConfig& config, Ports ports) {
  Route route;
  route.method = Method::post;
  route.pattern = "/v1/webhooks/stripe/{tenant_id}/{environment_id}";
  route.body_size_max = config.webhook_body_size_max;
  route.allow_listed = true;
  route.async = [ports](Request request, const PathValues& path, ExchangePtr exchange) {
    Scope scope{TenantId(path.at("tenant_id")), EnvironmentId(path.at("environment_id"))};
    deliver(ports, std::move(request), std::move(scope), std::move(exchange));
  };
  router.add(std::move(route));

  Route global;
  global.method = Method::post;
  global.pattern = "/v1/webhooks/stripe";
  global.body_size_max = config.webhook_body_size_max;
  global.allow_listed = true;
  global.async = [ports](Request request, const PathValues&, ExchangePtr exchange) {
    deliver(ports, std::move(request), std::nullopt, std::move(exchange));
  };
  router.add(std::move(global));
}

}  // namespace flexsync::http
