// POST /v1/environments with the admin key; GET /v1/environments with it or with an API key of the tenant.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kNameSizeMax = 255;
constexpr std::size_t kIdSizeMax = 255;

nlohmann::json render(const Environment& environment) {
  return {{"id", environment.id.str()},
          {"tenant_id", environment.tenant.str()},
          {"name", environment.name},
          {"type", environment.type},
          {"status", "published"},
          {"created_at", to_rfc3339(environment.created_at)},
          {"updated_at", to_rfc3339(environment.updated_at)}};
}

Response create(Ports ports, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const FieldReader fields(*body, details);
  const auto tenant_id = fields.required_text("tenant_id", kIdSizeMax);
  const auto name = fields.required_text("name", kNameSizeMax);
  const auto type = fields.required_text("type", kNameSizeMax);
  if (!type.empty() && type != "development" && type != "production") {
    fields.wrong("type", "must be development or production");
  }
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto made = ports.provisioning.create_environment(TenantId(tenant_id), name, type, context.principal);
  return made ? json_response(201, render(*made)) : error_response(made.error());
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto options = context.query.list_options(details);
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto tenant = tenant_for(context.principal, context.query.text("tenant_id"));
  if (!tenant) {
    return error_response(tenant.error());
  }
  const auto page = ports.provisioning.environments(*tenant, options);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& environment : page->items) {
    items.push_back(render(environment));
  }
  return json_response(200, {{"environments", std::move(items)},
                             {"total", page->total},
                             {"offset", options.offset},
                             {"limit", options.limit}});
}

}  // namespace

void add_environments(Router& router, const ServerConfig& config, Ports ports) {
  router.post(
      "/v1/environments", Access::admin, config.body_size_max,
      [ports, depth = config.json_depth_max](const RequestContext& context) { return create(ports, depth, context); });
  router.get("/v1/environments", Access::any, [ports](const RequestContext& context) { return list(ports, context); });
}

}  // namespace flexsync::http
