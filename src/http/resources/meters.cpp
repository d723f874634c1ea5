// /v1/meters: what usage is measured by. A new meter counts the events that are there already, too.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kNameSizeMax = 255;
constexpr std::size_t kFiltersMax = 20;
constexpr std::size_t kFilterValuesMax = 100;
constexpr std::size_t kFilterValueSizeMax = 255;
constexpr std::size_t kMultiplierSizeMax = 64;
constexpr const char* kAggregations = "COUNT, SUM or SUM_WITH_MULTIPLIER";

nlohmann::json render(const Scope& scope, const Meter& meter) {
  auto filters = nlohmann::json::array();
  for (const auto& [key, values] : meter.filters) {
    filters.push_back({{"key", key}, {"values", values}});
  }
  nlohmann::json aggregation = {{"type", to_string(meter.aggregation)},
                                {"field", meter.field},
                                {"multiplier", nullptr},
                                {"bucket_size", nullptr},
                                {"group_by", nullptr}};
  if (meter.aggregation == Aggregation::sum_with_multiplier) {
    aggregation["multiplier"] = meter.multiplier.str();
  }
  nlohmann::json record = {{"id", meter.id.str()},
                           {"name", meter.name},
                           {"event_name", meter.event_name},
                           {"aggregation", std::move(aggregation)},
                           {"filters", std::move(filters)},
                           {"reset_usage", meter.reset_usage},
                           {"status", to_string(meter.status)},
                           {"created_at", to_rfc3339(meter.created_at)},
                           {"updated_at", to_rfc3339(meter.updated_at)},
                           {"created_by", meter.created_by},
                           {"updated_by", meter.updated_by}};
  put_scope(record, scope);
  return record;
}

// A decimal as a string, FlexPrice's way, or as a JSON number.
std::optional<Decimal> read_multiplier(const FieldReader& fields, const nlohmann::json& aggregation) {
  if (!fields.has("multiplier")) {
    return std::nullopt;
  }
  const auto& value = aggregation["multiplier"];
  const auto text = value.is_number() ? value.dump() : fields.text("multiplier", kMultiplierSizeMax);
  auto multiplier = Decimal::parse(text);
  if (!multiplier || multiplier->is_zero() || multiplier->is_negative()) {
    fields.wrong("multiplier", "must be a decimal above zero, such as \"0.001\"");
  }
  return multiplier;
}

void read_aggregation(const FieldReader& body, Details& details, Meter& meter) {
  const auto* aggregation = body.object("aggregation");
  if (aggregation == nullptr) {
    body.wrong("aggregation", "is required");  // keeps an entry that says more
    return;
  }
  const FieldReader fields(*aggregation, details, "aggregation.");
  const auto type = parse_aggregation(fields.required_text("type", kNameSizeMax));
  if (!type) {
    fields.wrong("type", std::string("must be ") + kAggregations);
    return;
  }
  meter.aggregation = *type;
  for (const auto* name : {"expression", "bucket_size", "group_by"}) {
    if (!fields.text(name, kNameSizeMax).empty()) {
      fields.wrong(name, "is not taken: usage is added up as a whole, by one property");
    }
  }
  if (*type != Aggregation::count) {
    meter.field = fields.required_text("field", kNameSizeMax);
  }
  const auto multiplier = read_multiplier(fields, *aggregation);
  if (*type == Aggregation::sum_with_multiplier) {
    if (!multiplier) {
      fields.wrong("multiplier", "is required");
    }
    meter.multiplier = multiplier.value_or(1);
  } else if (multiplier && *multiplier != 1) {
    fields.wrong("multiplier", "is for SUM_WITH_MULTIPLIER only");
  }
}

std::vector<MeterFilter> read_filters(const FieldReader& body, Details& details) {
  std::vector<MeterFilter> filters;
  const auto* all = body.array("filters", kFiltersMax);
  for (std::size_t i = 0; all != nullptr && i < all->size(); ++i) {
    const auto place = "filters[" + std::to_string(i) + "]";
    if (!(*all)[i].is_object()) {
      details.emplace(place, "must be an object");
      continue;
    }
    const FieldReader fields((*all)[i], details, place + ".");
    MeterFilter filter;
    filter.key = fields.required_text("key", kNameSizeMax);
    filter.values = fields.texts("values", kFilterValuesMax, kFilterValueSizeMax);
    if (filter.values.empty()) {
      fields.wrong("values", "is required: at least one");
    }
    filters.push_back(std::move(filter));
  }
  return filters;
}

Response answer(int status, const Scope& scope, const Result<Meter>& meter) {
  return meter ? json_response(status, render(scope, *meter)) : error_response(meter.error());
}

Response create(Ports ports, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const FieldReader fields(*body, details);
  Meter meter;
  meter.name = fields.required_text("name", kNameSizeMax);
  meter.event_name = fields.required_text("event_name", kNameSizeMax);
  read_aggregation(fields, details, meter);
  meter.filters = read_filters(fields, details);
  meter.reset_usage = fields.required_text("reset_usage", kNameSizeMax);
  if (meter.reset_usage != "BILLING_PERIOD" && meter.reset_usage != "NEVER") {
    fields.wrong("reset_usage", "must be BILLING_PERIOD or NEVER");
  }
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& scope = context.principal.scope;
  return answer(201, scope, ports.meter_commands.create_meter(scope, std::move(meter), context.principal));
}

// As in FlexPrice only the filters of a meter change: what was added up under another rule could not be told apart.
Response update(Ports ports, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const FieldReader fields(*body, details);
  if (!fields.has("filters")) {
    fields.wrong("filters", "is required: they are what can be changed, [] takes all away");
  }
  auto filters = read_filters(fields, details);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& scope = context.principal.scope;
  const MeterId id(context.path.at("id"));
  return answer(200, scope,
                ports.meter_commands.update_meter_filters(scope, id, std::move(filters), context.principal));
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto options = context.query.list_options(details);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& scope = context.principal.scope;
  const auto page = ports.usage_queries.meters(scope, options);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& meter : page->items) {
    items.push_back(render(scope, meter));
  }
  return list_response(std::move(items), page->total, options);
}

}  // namespace

void add_meters(Router& router, const ServerConfig& config, Ports ports) {
  const int depth = config.json_depth_max;
  router.post("/v1/meters", Access::environment, config.body_size_max,
              [ports, depth](const RequestContext& context) { return create(ports, depth, context); });
  router.get("/v1/meters", Access::environment,
             [ports](const RequestContext& context) { return list(ports, context); });
  router.get("/v1/meters/{id}", Access::environment, [ports](const RequestContext& context) {
    const auto& scope = context.principal.scope;
    return answer(200, scope, ports.usage_queries.meter(scope, MeterId(context.path.at("id"))));
  });
  router.put("/v1/meters/{id}", Access::environment, config.body_size_max,
             [ports, depth](const RequestContext& context) { return update(ports, depth, context); });
  router.del("/v1/meters/{id}", Access::environment, [ports](const RequestContext& context) {
    const MeterId id(context.path.at("id"));
    const auto done = ports.meter_commands.delete_meter(context.principal.scope, id, context.principal);
    return done ? json_response(200, {{"message", "The meter is deleted"}}) : error_response(done.error());
  });
}

}  // namespace flexsync::http
