// Reading addons: GET /v1/addons, /v1/addons/{id} and /v1/addons/lookup/{lookup_key}; `expand=prices` shows their
// prices, which are those of the plan that is the same product.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/error_body.hpp"
#include "http/resources/catalog_filter.hpp"
#include "http/resources/prices.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"
#include "http/resources/shapes.hpp"

namespace flexsync::http {

namespace {

Result<nlohmann::json> render(Ports ports, const RequestContext& context, const std::vector<Addon>& addons) {
  const auto& scope = context.principal.scope;
  auto records = nlohmann::json::array();
  std::vector<Priced> owners;
  for (const auto& addon : addons) {
    records.push_back(addon_json(scope, addon));
    owners.push_back({addon.plan_id, "ADDON", addon.id.str()});
  }
  return with_prices(ports, context, owners, std::move(records));
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto filter = read_plan_filter(context.query, "addon_ids", details);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto page = ports.catalog.addons(context.principal.scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto items = render(ports, context, page->items);
  return items ? list_response(std::move(*items), page->total, filter.list) : error_response(items.error());
}

Response answer(Ports ports, const RequestContext& context, const Result<Addon>& addon) {
  if (!addon) {
    return error_response(addon.error());
  }
  const auto records = render(ports, context, {*addon});
  return records ? json_response(200, records->at(0)) : error_response(records.error());
}

}  // namespace

void add_addons(Router& router, Ports ports) {
  router.get("/v1/addons", Access::environment,
             [ports](const RequestContext& context) { return list(ports, context); });
  router.get("/v1/addons/{id}", Access::environment, [ports](const RequestContext& context) {
    return answer(ports, context, ports.catalog.addon(context.principal.scope, AddonId(context.path.at("id"))));
  });
  router.get("/v1/addons/lookup/{lookup_key}", Access::environment, [ports](const RequestContext& context) {
    return answer(ports, context,
                  ports.catalog.addon_by_lookup_key(context.principal.scope, context.path.at("lookup_key")));
  });
}

}  // namespace flexsync::http
