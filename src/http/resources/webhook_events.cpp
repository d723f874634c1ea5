// GET /v1/webhook-events and /v1/webhook-events/{event_id}: every webhook answered 200, and what became of it.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/error_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kTypesMax = 20;

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

// Why it is not settled. Of a blocked one also what must appear first.
nlohmann::json render(const WaitingEvent& waiting) {
  nlohmann::json record = {{"error_code", waiting.error_code},
                           {"error_message", waiting.error_message},
                           {"attempts", waiting.attempts},
                           {"since", to_rfc3339(waiting.since)},
                           {"blocked_by", nullptr}};
  put_time(record, "next_attempt_at", waiting.next_attempt_at);
  if (!waiting.object_id.empty()) {
    record["blocked_by"] = {{"object_type", waiting.object_type}, {"object_id", waiting.object_id}};
  }
  return record;
}

nlohmann::json render(const EventChange& change, int depth_max) {
  const auto value = [&](const std::optional<std::string>& json) {
    return json ? embedded_json(*json, depth_max) : nlohmann::json();
  };
  auto fields = nlohmann::json::array();
  for (const auto& field : change.fields) {
    fields.push_back({{"field", field.field}, {"before", value(field.before)}, {"after", value(field.after)}});
  }
  return {{"entity_type", change.entity_type}, {"entity_id", change.entity_id},   {"action", change.action},
          {"fields", std::move(fields)},       {"request_id", change.request_id}, {"at", to_rfc3339(change.at)}};
}

nlohmann::json render(const EventDeed& deed) {
  return {{"action", deed.action}, {"actor", deed.actor}, {"at", to_rfc3339(deed.at)}};
}

template <class T, class... More>
nlohmann::json render_all(const std::vector<T>& values, More... more) {
  auto all = nlohmann::json::array();
  for (const auto& value : values) {
    all.push_back(render(value, more...));
  }
  return all;
}

void check_range(const std::optional<Timestamp>& from, const std::optional<Timestamp>& to, const std::string& name,
                 Details& details) {
  if (from && to && *to < *from) {
    details.emplace(name + "_to", "must not be before " + name + "_from");
  }
}

// The list's own times are those of receipt: received_from and received_to are their plainer names.
void read_received(const Query& query, WebhookEventFilter& filter, Details& details) {
  const auto from = query.time("received_from", details);
  const auto to = query.time("received_to", details);
  if (from && filter.list.start_time) {
    details.emplace("received_from", "is the same as start_time: give one of the two");
  }
  if (to && filter.list.end_time) {
    details.emplace("received_to", "is the same as end_time: give one of the two");
  }
  filter.list.start_time = from ? from : filter.list.start_time;
  filter.list.end_time = to ? to : filter.list.end_time;
  if (from || to) {
    check_range(filter.list.start_time, filter.list.end_time, "received", details);
  }
}

WebhookEventFilter read_filter(const Query& query, Details& details) {
  query.allow_only({"state", "type", "object_id", "received_from", "received_to", "created_from", "created_to"},
                   details);
  WebhookEventFilter filter;
  filter.list = query.list_options(details);
  filter.state = query.text("state");
  if (!filter.state.empty() && !is_event_state(filter.state)) {
    details.emplace("state", "must be one of " + event_states());
  }
  filter.types = query.list("type");
  if (filter.types.size() > kTypesMax) {
    details.emplace("type", "must name at most " + std::to_string(kTypesMax) + " types");
  }
  filter.object_id = query.text("object_id");
  read_received(query, filter, details);
  filter.created_from = query.time("created_from", details);
  filter.created_to = query.time("created_to", details);
  check_range(filter.created_from, filter.created_to, "created", details);
  return filter;
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto filter = read_filter(context.query, details);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
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
  return counted_list_response(std::move(items), page->total, page->more, filter.list);
}

Response show(Ports ports, int depth_max, const RequestContext& context) {
  const auto expand = context.query.text("expand");
  if (!expand.empty() && expand != "payload") {
    return error_response(validation_failed({{"expand", "must be payload"}}));
  }
  const auto& scope = context.principal.scope;
  const auto view = ports.queries.webhook_event(scope, StripeEventId(context.path.at("event_id")));
  if (!view) {
    return error_response(view.error());
  }
  auto record = render(scope, *view);
  record["waiting"] = view->waiting ? render(*view->waiting) : nlohmann::json();
  record["attempts"] = render_all(view->attempts);
  record["changes"] = render_all(view->changes, depth_max);
  record["actions"] = render_all(view->deeds);
  if (!expand.empty()) {
    record["payload"] = embedded_json(view->event.payload, depth_max);
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
