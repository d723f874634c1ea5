// /v1/events: usage on its way in, and as it was kept.
//
// The hot path: a body is read once, nothing waits on the worker for the commit, and nothing is logged when all goes
// well. The 202 leaves after the commit; what was sent before counts once and gets the same answer.
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/deferred.hpp"
#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"
#include "http/resources/usage_event_body.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kTextSizeMax = 255;
constexpr int kPageSizeMax = 1000;
constexpr int kOffsetMax = std::numeric_limits<int>::max() - kPageSizeMax;  // room for where the next page starts

// FlexPrice's filters that no column of ours answers: refused, so that nobody takes all events for the ones he meant.
constexpr const char* kNotTaken = "is not taken: filter by event_id, event_name, external_customer_id and time";
constexpr const char* kUseOffset = "is not taken: page with offset and page_size";

nlohmann::json render(const Scope& scope, const UsageEvent& event) {
  return {{"id", event.id.str()},
          {"event_name", event.event_name},
          {"external_customer_id", event.external_customer_id},
          {"customer_id", event.customer_id.str()},
          {"timestamp", to_rfc3339(event.timestamp)},
          {"properties", nlohmann::json(event.properties)},
          {"source", event.source},
          {"environment_id", scope.environment.str()}};
}

Response accepted(const std::string& message, const std::string& event_id) {
  nlohmann::json body = {{"message", message}};
  if (!event_id.empty()) {
    body["event_id"] = event_id;
  }
  return json_response(202, body);
}

void store(Ports ports, const RequestContext& context, ExchangePtr exchange, Result<std::vector<UsageEvent>> events,
           bool several) {
  if (!events) {
    exchange->reply(events.error());
    return;
  }
  auto event_id = several ? std::string() : events->front().id.str();
  auto reply = answering<UsageReceipt>(std::move(exchange), context.request.request_id,
                                       [event_id = std::move(event_id)](const UsageReceipt&) {
                                         return event_id.empty() ? accepted("Events accepted for processing", {})
                                                                 : accepted("Event accepted for processing", event_id);
                                       });
  ports.usage_intake.store({context.principal.scope, std::move(*events), context.request.request_id}, std::move(reply));
}

void check_order(const std::string& order, const std::string& sort, Details& details) {
  if (!order.empty() && order != "asc" && order != "desc") {
    details.emplace("order", "must be asc or desc");
  }
  if (!sort.empty() && sort != "timestamp") {
    details.emplace("sort", "must be timestamp");
  }
}

void check_times(const ListOptions& list, Details& details) {
  if (list.start_time && list.end_time && *list.end_time < *list.start_time) {
    details.emplace("end_time", "must not be before start_time");
  }
}

UsageEventFilter read_query(const Query& query, Details& details) {
  UsageEventFilter filter;
  auto& list = filter.list;
  list.limit = query.number("page_size", list.limit, 1, kPageSizeMax, details);
  list.offset = query.number("offset", 0, 0, kOffsetMax, details);
  const auto order = query.text("order");
  check_order(order, query.text("sort"), details);
  list.ascending = order == "asc";
  list.start_time = query.time("start_time", details);
  list.end_time = query.time("end_time", details);
  check_times(list, details);
  filter.event_id = query.text("event_id");
  filter.event_name = query.text("event_name");
  filter.external_customer_id = query.text("external_customer_id");
  for (const auto* name : {"source", "property_filters"}) {
    if (!query.text(name).empty()) {
      details.emplace(name, kNotTaken);
    }
  }
  for (const auto* name : {"iter_first_key", "iter_last_key"}) {
    if (!query.text(name).empty()) {
      details.emplace(name, kUseOffset);
    }
  }
  return filter;
}

UsageEventFilter read_body(const FieldReader& fields, Details& details) {
  UsageEventFilter filter;
  auto& list = filter.list;
  list.limit = fields.number("page_size", 1, kPageSizeMax).value_or(list.limit);
  list.offset = fields.number("offset", 0, kOffsetMax).value_or(0);
  const auto order = fields.text("order", kTextSizeMax);
  check_order(order, fields.text("sort", kTextSizeMax), details);
  list.ascending = order == "asc";
  list.start_time = fields.time("start_time");
  list.end_time = fields.time("end_time");
  check_times(list, details);
  filter.event_id = fields.text("event_id", kTextSizeMax);
  filter.event_name = fields.text("event_name", kTextSizeMax);
  filter.external_customer_id = fields.text("external_customer_id", kTextSizeMax);
  const auto* properties = fields.object("property_filters");
  if (properties != nullptr && !properties->empty()) {
    fields.wrong("property_filters", kNotTaken);
  }
  if (!fields.text("source", kTextSizeMax).empty()) {
    fields.wrong("source", kNotTaken);
  }
  for (const auto* name : {"iter_first_key", "iter_last_key"}) {
    if (!fields.text(name, kTextSizeMax).empty()) {
      fields.wrong(name, kUseOffset);
    }
  }
  return filter;
}

// FlexPrice's GetEventsResponse. `offset` is where the next page starts, as in every list.
Response list(Ports ports, const Scope& scope, const UsageEventFilter& filter, Details details) {
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto page = ports.usage_queries.usage_events(scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto events = nlohmann::json::array();
  for (const auto& event : page->items) {
    events.push_back(render(scope, event));
  }
  const auto end = filter.list.offset + static_cast<std::int64_t>(page->items.size());
  return json_response(200, {{"events", std::move(events)},
                             {"has_more", end < page->total},
                             {"iter_first_key", nullptr},
                             {"iter_last_key", nullptr},
                             {"offset", filter.list.offset + filter.list.limit},
                             {"total_count", page->total}});
}

Response query(Ports ports, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body.empty() ? "{}" : context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const auto filter = read_body(FieldReader(*body, details), details);
  return list(ports, context.principal.scope, filter, std::move(details));
}

}  // namespace

void add_usage_events(Router& router, const ServerConfig& config, Ports ports) {
  const int depth = config.json_depth_max;
  router.post("/v1/events", Access::environment, config.body_size_max,
              [ports, depth](const RequestContext& context, ExchangePtr exchange) {
                store(ports, context, std::move(exchange),
                      read_usage_event(context.request.body, depth, ports.clock.now()), false);
              });
  router.post("/v1/events/bulk", Access::environment, config.events_body_size_max,
              [ports, depth](const RequestContext& context, ExchangePtr exchange) {
                store(ports, context, std::move(exchange),
                      read_usage_events(context.request.body, depth, ports.clock.now()), true);
              });
  router.get("/v1/events", Access::environment, [ports](const RequestContext& context) {
    Details details;
    const auto filter = read_query(context.query, details);
    return list(ports, context.principal.scope, filter, std::move(details));
  });
  router.post("/v1/events/query", Access::environment, config.body_size_max,
              [ports, depth](const RequestContext& context) { return query(ports, depth, context); });
}

}  // namespace flexsync::http
