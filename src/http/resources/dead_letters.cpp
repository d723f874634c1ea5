// /v1/dead-letters: events that failed for good; listed, redriven or given up: one, several, or all that match.
//
// What acts on all that match says how many it means: between the list a person saw and the request more may have
// failed, and those were not looked at.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kTextSizeMax = 255;
constexpr std::size_t kIdsMax = 1000;   // of one request
constexpr std::size_t kValuesMax = 20;  // types and error codes of a filter, each

using Command = Result<BulkResult> (DeadLetterCommands::*)(const Scope&, const DeadLetterFilter&, const BulkConsent&,
                                                           const Principal&);

nlohmann::json render(const Scope& scope, const DeadLetter& letter) {
  nlohmann::json record = {{"event_id", letter.event_id.str()},
                           {"type", letter.type},
                           {"object_type", letter.object_type},
                           {"object_id", letter.object_id},
                           {"attempts", letter.attempts},
                           {"error_code", letter.error_code},
                           {"error_message", letter.error_message},
                           {"what_to_do", advice_for(letter.error_code)},
                           {"received_at", to_rfc3339(letter.received)},
                           {"failed_first_at", to_rfc3339(letter.failed_first)},
                           {"died_at", to_rfc3339(letter.died_at)}};
  put_scope(record, scope);
  return record;
}

void at_most(const std::vector<std::string>& values, const std::string& name, Details& details) {
  if (values.size() > kValuesMax) {
    details.emplace(name, "must name at most " + std::to_string(kValuesMax));
  }
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto& query = context.query;
  query.allow_only({"event_id", "type", "object_id", "error_code"}, details);
  DeadLetterFilter filter;
  filter.list = query.list_options(details);
  filter.event_ids = query.list("event_id");
  filter.types = query.list("type");
  filter.error_codes = query.list("error_code");
  filter.object_id = query.text("object_id");
  at_most(filter.event_ids, "event_id", details);
  at_most(filter.types, "type", details);
  at_most(filter.error_codes, "error_code", details);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
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
  const auto& id = context.path.at("event_id");
  DeadLetterFilter filter;
  filter.event_ids = {id};
  const auto done = (ports.dead_letters.*command)(context.principal.scope, filter, {}, context.principal);
  if (!done) {
    return error_response(done.error());
  }
  if (done->count == 0) {
    return error_response(Error{ErrorCode::not_found, "There is no dead letter " + id, {}});
  }
  return json_response(200, {{"count", done->count}});
}

// "a" or ["a", "b"].
std::vector<std::string> texts(const FieldReader& fields, const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found != object.end() && found->is_string()) {
    const auto text = fields.text(name, kTextSizeMax);
    return text.empty() ? std::vector<std::string>{} : std::vector<std::string>{text};
  }
  return fields.texts(name, kValuesMax, kTextSizeMax);
}

// A filter's name that is not understood would widen what is acted upon, so it is refused.
DeadLetterFilter read_filter(const nlohmann::json& object, Details& details) {
  const FieldReader fields(object, details, "filter.");
  for (const auto& [name, value] : object.items()) {
    if (name != "type" && name != "object_id" && name != "error_code" && name != "start_time" && name != "end_time") {
      fields.wrong(name, "is not taken here; these are: type, object_id, error_code, start_time, end_time");
    }
  }
  DeadLetterFilter filter;
  filter.types = texts(fields, object, "type");
  filter.error_codes = texts(fields, object, "error_code");
  filter.object_id = fields.text("object_id", kTextSizeMax);
  filter.list.start_time = fields.time("start_time");
  filter.list.end_time = fields.time("end_time");
  return filter;
}

struct Wanted {
  DeadLetterFilter filter;
  BulkConsent consent;
};

void read_matching(const FieldReader& fields, Wanted& wanted, Details& details) {
  const auto* filter = fields.object("filter");
  if (filter == nullptr) {
    if (details.empty()) {
      fields.wrong("filter", "is required, unless event_ids is there; {} means all");
    }
    return;
  }
  wanted.filter = read_filter(*filter, details);
  wanted.consent.expected_count = fields.number("expected_count", 0, std::numeric_limits<int>::max());
  if (!wanted.consent.expected_count && !wanted.consent.dry_run && !details.contains("expected_count")) {
    fields.wrong("expected_count", "is required with a filter: send \"dry_run\": true to learn how many match");
  }
}

Wanted read_wanted(const nlohmann::json& body, Details& details) {
  const FieldReader fields(body, details);
  Wanted wanted;
  wanted.consent.dry_run = fields.boolean("dry_run", false);
  if (!fields.has("event_ids")) {
    read_matching(fields, wanted, details);
    return wanted;
  }
  wanted.filter.event_ids = fields.texts("event_ids", kIdsMax, kTextSizeMax);
  if (wanted.filter.event_ids.empty() && details.empty()) {
    fields.wrong("event_ids", "must name at least one");
  }
  if (fields.has("filter")) {
    fields.wrong("filter", "must not be given together with event_ids");
  }
  return wanted;
}

Response several(Ports ports, Command command, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const auto wanted = read_wanted(*body, details);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& by = context.principal;
  const auto done = (ports.dead_letters.*command)(by.scope, wanted.filter, wanted.consent, by);
  if (!done) {
    return error_response(done.error());
  }
  nlohmann::json answer = {{"count", done->count}, {"dry_run", wanted.consent.dry_run}};
  if (!wanted.filter.event_ids.empty() && !wanted.consent.dry_run) {
    answer["skipped"] = nlohmann::json::array();  // named, but no dead letters
    for (const auto& id : wanted.filter.event_ids) {
      if (std::find(done->event_ids.begin(), done->event_ids.end(), id) == done->event_ids.end()) {
        answer["skipped"].push_back(id);
      }
    }
  }
  return json_response(200, answer);
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
                  return several(ports, command, depth, context);
                });
  }
}

}  // namespace flexsync::http
