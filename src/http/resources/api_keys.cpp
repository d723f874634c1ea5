// /v1/secrets/api/keys: with the admin key for the tenant and environment it names, with an API key for its own.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/json_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kNameSizeMax = 255;
constexpr std::size_t kIdSizeMax = 255;

nlohmann::json render(const ApiKey& key) {
  nlohmann::json record = {{"id", key.id.str()},
                           {"name", key.name},
                           {"type", key.type},
                           {"provider", "flexprice"},
                           {"display_id", key.display},
                           {"roles", nlohmann::json::array()},
                           {"user_type", nullptr},
                           {"status", to_string(key.status)},
                           {"created_at", to_rfc3339(key.created_at)},
                           {"updated_at", to_rfc3339(key.updated_at)}};
  put_scope(record, key.scope);
  put_time(record, "expires_at", key.expires_at);
  put_time(record, "last_used_at", key.last_used_at);
  return record;
}

Response create(Ports ports, int depth_max, const RequestContext& context) {
  const auto body = parse_json_object(context.request.body, depth_max);
  if (!body) {
    return error_response(body.error());
  }
  Details details;
  const FieldReader fields(*body, details);
  NewApiKey wanted;
  wanted.name = fields.required_text("name", kNameSizeMax);
  const auto type = fields.text("type", kNameSizeMax);
  if (!type.empty() && type != "private_key" && type != "publishable_key") {
    fields.wrong("type", "must be private_key or publishable_key");
  }
  wanted.type = type.empty() ? wanted.type : type;
  wanted.expires_at = fields.time("expires_at");
  if (wanted.expires_at && *wanted.expires_at <= ports.clock.now()) {
    fields.wrong("expires_at", "must be in the future");
  }
  const auto tenant_id = fields.text("tenant_id", kIdSizeMax);
  const auto environment_id = fields.text("environment_id", kIdSizeMax);
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto scope = scope_for(context.principal, tenant_id, environment_id);
  if (!scope) {
    return error_response(scope.error());
  }
  wanted.scope = *scope;
  const auto issued = ports.provisioning.create_api_key(wanted, context.principal);
  if (!issued) {
    return error_response(issued.error());
  }
  auto response = json_response(201, {{"secret", render(issued->record)}, {"api_key", issued->key.reveal()}});
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Result<Scope> queried_scope(const RequestContext& context) {
  return scope_for(context.principal, context.query.text("tenant_id"), context.query.text("environment_id"));
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto options = context.query.list_options(details);
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto scope = queried_scope(context);
  if (!scope) {
    return error_response(scope.error());
  }
  const auto page = ports.provisioning.api_keys(*scope, options);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& key : page->items) {
    items.push_back(render(key));
  }
  return list_response(std::move(items), page->total, options);
}

Response revoke(Ports ports, const RequestContext& context) {
  const auto scope = queried_scope(context);
  if (!scope) {
    return error_response(scope.error());
  }
  const auto done = ports.provisioning.revoke_api_key(*scope, ApiKeyId(context.path.at("id")), context.principal);
  return done ? no_content() : error_response(done.error());
}

}  // namespace

void add_api_keys(Router& router, const ServerConfig& config, Ports ports) {
  router.post(
      "/v1/secrets/api/keys", Access::any, config.body_size_max,
      [ports, depth = config.json_depth_max](const RequestContext& context) { return create(ports, depth, context); });
  router.get("/v1/secrets/api/keys", Access::any,
             [ports](const RequestContext& context) { return list(ports, context); });
  router.del("/v1/secrets/api/keys/{id}", Access::any,
             [ports](const RequestContext& context) { return revoke(ports, context); });
}

}  // namespace flexsync::http
