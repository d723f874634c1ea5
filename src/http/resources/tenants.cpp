// POST /v1/tenants and GET /v1/tenants/{id}, with the admin key.
#include <nlohmann/json.hpp>

#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kNameSizeMax = 255;

nlohmann::json render(const Tenant& tenant) {
  return {{"id", tenant.id.str()},
          {"name", tenant.name},
          {"status", "published"},
          {"created_at", to_rfc3339(tenant.created_at)},
          {"updated_at", to_rfc3339(tenant.updated_at)}};
}

Response create(Ports ports, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const auto name = FieldReader(*body, details).required_text("name", kNameSizeMax);
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto tenant = ports.provisioning.create_tenant(name, context.principal);
  return tenant ? json_response(201, render(*tenant)) : error_response(tenant.error());
}

}  // namespace

void add_tenants(Router& router, const ServerConfig& config, Ports ports) {
  router.post(
      "/v1/tenants", Access::admin, config.body_size_max,
      [ports, depth = config.json_depth_max](const RequestContext& context) { return create(ports, depth, context); });
  router.get("/v1/tenants/{id}", Access::admin, [ports](const RequestContext& context) {
    const auto tenant = ports.provisioning.tenant(TenantId(context.path.at("id")));
    return tenant ? json_response(200, render(*tenant)) : error_response(tenant.error());
  });
}

}  // namespace flexsync::http
