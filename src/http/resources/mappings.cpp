// /v1/entity-integration-mappings: which object of ours is which object of Stripe's, from either side.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/error_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"
#include "http/resources/shapes.hpp"

namespace flexsync::http {

namespace {

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto& query = context.query;
  MappingFilter filter;
  filter.list = query.list_options(details);
  filter.entity_type = query.text("entity_type");
  filter.entity_id = query.text("entity_id");
  filter.provider_type = query.text("provider_type");
  filter.provider_entity_id = query.text("provider_entity_id");
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto& scope = context.principal.scope;
  const auto page = ports.queries.mappings(scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& mapping : page->items) {
    items.push_back(mapping_json(scope, mapping));
  }
  return list_response(std::move(items), page->total, filter.list);
}

// The one mapping that a look-up means: at most one lives per entity and provider, and per provider's object and
// entity type.
Response look_up(Ports ports, const RequestContext& context, MappingFilter filter, const Details& details) {
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  filter.list.limit = 1;
  const auto& scope = context.principal.scope;
  const auto page = ports.queries.mappings(scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  if (page->items.empty()) {
    return error_response(Error{ErrorCode::not_found, "There is no mapping for what the query names", {}});
  }
  return json_response(200, mapping_json(scope, page->items.front()));
}

Response by_entity_and_provider(Ports ports, const RequestContext& context) {
  Details details;
  MappingFilter filter;
  filter.entity_type = context.query.required_text("entity_type", details);
  filter.entity_id = context.query.required_text("entity_id", details);
  filter.provider_type = context.query.required_text("provider_type", details);
  return look_up(ports, context, std::move(filter), details);
}

Response by_provider_entity(Ports ports, const RequestContext& context) {
  Details details;
  MappingFilter filter;
  filter.provider_type = context.query.required_text("provider_type", details);
  filter.provider_entity_id = context.query.required_text("provider_entity_id", details);
  filter.entity_type = context.query.text("entity_type");  // a product has a plan and an addon
  return look_up(ports, context, std::move(filter), details);
}

}  // namespace

void add_mappings(Router& router, Ports ports) {
  const std::string base = "/v1/entity-integration-mappings";
  router.get(base, Access::environment, [ports](const RequestContext& context) { return list(ports, context); });
  router.get(base + "/by-entity-and-provider", Access::environment,
             [ports](const RequestContext& context) { return by_entity_and_provider(ports, context); });
  router.get(base + "/by-provider-entity", Access::environment,
             [ports](const RequestContext& context) { return by_provider_entity(ports, context); });
  router.get(base + "/{id}", Access::environment, [ports](const RequestContext& context) {
    const auto& scope = context.principal.scope;
    const auto mapping = ports.queries.mapping(scope, MappingId(context.path.at("id")));
    return mapping ? json_response(200, mapping_json(scope, *mapping)) : error_response(mapping.error());
  });
}

}  // namespace flexsync::http
