// GET /v1/webhook-events and /v1/webhook-events/{event_id}: every webhook answered 200, and what became of it.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "http/error_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::array<std::string_view, 12> kStates = {"pending",  "applied",  "unchanged", "superseded",
                                                      "ignored",  "deferred", "parked",    "discarded",
                                                      "retrying", "blocked",  "dead",      "redriven"};

nlohmann::json render(const Scope& scope, const WebhookEventView& view) {
  const auto& event = view.event;
  nlohmann::json record = {{"id", event.id.str()},
                           {"type", event.type},
                           {"object_type", event.object_type},
                           {"object_id", event.object_id},
                           {"api_version", event.api_version},
                           {"state", view.state},
                           {"reason", view.reason},
                           {"request_id", event.request_id},
                           {"created", to_rfc3339(event.created)},
                           {"received_at", to_rfc3339(event.received)}};
  put_scope(record, scope);
  put_time(record, "settled_at", view.settled_at);
  return record;
}

nlohmann::json render(const DeliveryAttempt& attempt) {
  return {{"attempt", attempt.attempt},
          {"error_code", attempt.error_code},
          {"error_message", attempt.error_message},
          {"at", to_rfc3339(attempt.at)}};
}

nlohmann::json render(const AuditEntry& change, int depth_max) {
  return {{"entity_type", change.entity_type},
          {"entity_id", change.entity_id},
          {"action", change.action},
          {"actor", change.actor},
          {"before", embedded_json(change.before, depth_max)},
          {"after", embedded_json(change.after, depth_max)},
          {"request_id", change.request_id},
          {"at", to_rfc3339(change.at)}};
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  WebhookEventFilter filter;
  filter.list = context.query.list_options(details);
  filter.state = context.query.text("state");
  filter.type = context.query.text("type");
  filter.object_id = context.query.text("object_id");
  if (!filter.state.empty() && std::find(kStates.begin(), kStates.end(), filter.state) == kStates.end()) {
    std::string all;
    for (const auto state : kStates) {
      all += (all.empty() ? "" : ", ") + std::string(state);
    }
    details.emplace("state", "must be one of " + all);
  }
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto& scope = context.principal.scope;
  const auto page = ports.queries.webhook_events(scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& view : page->items) {
    items.push_back(render(scope, view));
  }
  return list_response(std::move(items), page->total, filter.list);
}

Response show(Ports ports, int depth_max, const RequestContext& context) {
  const auto& scope = context.principal.scope;
  const auto view = ports.queries.webhook_event(scope, StripeEventId(context.path.at("event_id")));
  if (!view) {
    return error_response(view.error());
  }
  auto record = render(scope, *view);
  record["payload"] = embedded_json(view->event.payload, depth_max);
  record["attempts"] = nlohmann::json::array();
  for (const auto& attempt : view->attempts) {
    record["attempts"].push_back(render(attempt));
  }
  record["changes"] = nlohmann::json::array();
  for (const auto& change : view->changes) {
    record["changes"].push_back(render(change, depth_max));
  }
  return json_response(200, record);
}

}  // namespace

void add_webhook_events(Router& router, const ServerConfig& config, Ports ports) {
  router.get("/v1/webhook-events", Access::environment,
             [ports](const RequestContext& context) { return list(ports, context); });
  router.get(
      "/v1/webhook-events/{event_id}", Access::environment,
      [ports, depth = config.json_depth_max](const RequestContext& context) { return show(ports, depth, context); });
}

}  // namespace flexsync::http
