// /v1/dead-letters: events that failed for good; listed, redriven or given up, one or all that match.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kTextSizeMax = 255;

using Command = Result<std::int64_t> (DeadLetterCommands::*)(const Scope&, const DeadLetterFilter&, bool,
                                                             const Principal&);

nlohmann::json render(const Scope& scope, const DeadLetter& letter) {
  nlohmann::json record = {{"event_id", letter.event_id.str()},     {"type", letter.type},
                           {"object_type", letter.object_type},     {"object_id", letter.object_id},
                           {"attempts", letter.attempts},           {"error_code", letter.error_code},
                           {"error_message", letter.error_message}, {"received_at", to_rfc3339(letter.received)},
                           {"died_at", to_rfc3339(letter.died_at)}};
  put_scope(record, scope);
  return record;
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  DeadLetterFilter filter;
  filter.list = context.query.list_options(details);
  filter.event_id = context.query.text("event_id");
  filter.type = context.query.text("type");
  filter.object_id = context.query.text("object_id");
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto& scope = context.principal.scope;
  const auto page = ports.queries.dead_letters(scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& letter : page->items) {
    items.push_back(render(scope, letter));
  }
  return list_response(std::move(items), page->total, filter.list);
}

Response one(Ports ports, Command command, const RequestContext& context) {
  DeadLetterFilter filter;
  filter.event_id = context.path.at("event_id");
  const auto count = (ports.dead_letters.*command)(context.principal.scope, filter, false, context.principal);
  if (!count) {
    return error_response(count.error());
  }
  if (*count == 0) {
    return error_response(Error{ErrorCode::not_found, "There is no dead letter " + filter.event_id, {}});
  }
  return json_response(200, {{"count", *count}});
}

// An empty filter means all, but an empty body is more likely a mistake: it must be {}.
Response matching(Ports ports, Command command, int depth_max, const RequestContext& context) {
  if (context.request.body.empty()) {
    return error_response(Error{ErrorCode::validation_error, "The body must be a filter; send {} for all", {}});
  }
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const FieldReader fields(*body, details);
  DeadLetterFilter filter;
  filter.event_id = fields.text("event_id", kTextSizeMax);
  filter.type = fields.text("type", kTextSizeMax);
  filter.object_id = fields.text("object_id", kTextSizeMax);
  const bool dry_run = fields.boolean("dry_run", false);
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto count = (ports.dead_letters.*command)(context.principal.scope, filter, dry_run, context.principal);
  return count ? json_response(200, {{"count", *count}}) : error_response(count.error());
}

}  // namespace

void add_dead_letters(Router& router, const ServerConfig& config, Ports ports) {
  router.get("/v1/dead-letters", Access::environment,
             [ports](const RequestContext& context) { return list(ports, context); });
  const std::pair<std::string, Command> commands[] = {{"redrive", &DeadLetterCommands::redrive},
                                                      {"discard", &DeadLetterCommands::discard}};
  for (const auto& [name, command] : commands) {
    router.post("/v1/dead-letters/{event_id}/" + name, Access::environment, config.body_size_max,
                [ports, command = command](const RequestContext& context) { return one(ports, command, context); });
    router.post("/v1/dead-letters/" + name, Access::environment, config.body_size_max,
                [ports, command = command, depth = config.json_depth_max](const RequestContext& context) {
                  return matching(ports, command, depth, context);
                });
  }
}

}  // namespace flexsync::http
