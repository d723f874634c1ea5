// /v1/stripe/meters/mapping: which Stripe meter bills a meter of ours.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kTextSizeMax = 255;
constexpr int kScaleMax = 15;  // either way

nlohmann::json render(const Scope& scope, const MeterMapping& mapping) {
  nlohmann::json record = {{"id", mapping.id.str()},
                           {"meter_id", mapping.meter_id.str()},
                           {"provider_type", "stripe"},
                           {"provider_meter_id", mapping.stripe_meter_id.str()},
                           {"sync_enabled", mapping.sync_enabled},
                           {"configuration",
                            {{"event_name", mapping.event_name},
                             {"customer_key", mapping.customer_key},
                             {"value_key", mapping.value_key},
                             {"scale", mapping.scale},
                             {"start_at", to_rfc3339(mapping.start_at)}}},
                           {"status", to_string(mapping.status)},
                           {"created_at", to_rfc3339(mapping.created_at)},
                           {"updated_at", to_rfc3339(mapping.updated_at)}};
  put_scope(record, scope);
  return record;
}

void read_configuration(const FieldReader& body, Details& details, MeterMapping& mapping) {
  const auto* configuration = body.object("configuration");
  if (configuration == nullptr) {
    return;
  }
  const FieldReader fields(*configuration, details, "configuration.");
  mapping.scale = fields.number("scale", -kScaleMax, kScaleMax).value_or(0);
  mapping.start_at = fields.time("start_at").value_or(mapping.start_at);
  // These are the Stripe meter's own; who names them wants to be told when they differ.
  mapping.event_name = fields.text("event_name", kTextSizeMax);
  mapping.customer_key = fields.text("customer_key", kTextSizeMax);
  mapping.value_key = fields.text("value_key", kTextSizeMax);
}

Response answer(int status, const Scope& scope, const Result<MeterMapping>& mapping) {
  return mapping ? json_response(status, render(scope, *mapping)) : error_response(mapping.error());
}

Response create(Ports ports, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const FieldReader fields(*body, details);
  MeterMapping mapping;
  mapping.meter_id = MeterId(fields.required_text("meter_id", kTextSizeMax));
  const auto provider = fields.required_text("provider_type", kTextSizeMax);
  if (provider != "stripe") {
    fields.wrong("provider_type", "must be stripe");
  }
  const auto stripe_meter = fields.required_text("provider_meter_id", kTextSizeMax);
  if (!stripe_meter.starts_with("mtr_")) {
    fields.wrong("provider_meter_id", "must be the id of a Stripe meter: mtr_…");
  }
  mapping.stripe_meter_id = StripeId(stripe_meter);
  mapping.sync_enabled = fields.boolean("sync_enabled", true);
  mapping.start_at = ports.clock.now();  // so that mapping a meter does not bill the past by surprise
  read_configuration(fields, details, mapping);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& scope = context.principal.scope;
  return answer(201, scope, ports.meter_commands.create_meter_mapping(scope, std::move(mapping), context.principal));
}

Response update(Ports ports, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const FieldReader fields(*body, details);
  for (const auto* name : {"meter_id", "provider_type", "provider_meter_id", "configuration"}) {
    if (fields.has(name)) {
      fields.wrong(name, "cannot be changed: delete the mapping and make another");
    }
  }
  const auto sync_enabled = fields.optional_boolean("sync_enabled");
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& scope = context.principal.scope;
  const MeterMappingId id(context.path.at("id"));
  return answer(200, scope, ports.meter_commands.update_meter_mapping(scope, id, sync_enabled, context.principal));
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto options = context.query.list_options(details);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& scope = context.principal.scope;
  const auto page = ports.usage_queries.meter_mappings(scope, options, context.query.text("meter_id"));
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& mapping : page->items) {
    items.push_back(render(scope, mapping));
  }
  return list_response(std::move(items), page->total, options);
}

}  // namespace

void add_meter_mappings(Router& router, const ServerConfig& config, Ports ports) {
  const std::string base = "/v1/stripe/meters/mapping";
  const int depth = config.json_depth_max;
  router.post(base, Access::environment, config.body_size_max,
              [ports, depth](const RequestContext& context) { return create(ports, depth, context); });
  router.get(base, Access::environment, [ports](const RequestContext& context) { return list(ports, context); });
  router.get(base + "/{id}", Access::environment, [ports](const RequestContext& context) {
    const auto& scope = context.principal.scope;
    return answer(200, scope, ports.usage_queries.meter_mapping(scope, MeterMappingId(context.path.at("id"))));
  });
  router.put(base + "/{id}", Access::environment, config.body_size_max,
             [ports, depth](const RequestContext& context) { return update(ports, depth, context); });
  router.del(base + "/{id}", Access::environment, [ports](const RequestContext& context) {
    const MeterMappingId id(context.path.at("id"));
    const auto done = ports.meter_commands.delete_meter_mapping(context.principal.scope, id, context.principal);
    return done ? no_content() : error_response(done.error());
  });
}

}  // namespace flexsync::http
