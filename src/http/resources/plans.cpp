// Reading plans: GET /v1/plans and /v1/plans/{id}; `expand=prices` shows their prices.
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

Result<nlohmann::json> render(Ports ports, const RequestContext& context, const std::vector<Plan>& plans) {
  const auto& scope = context.principal.scope;
  auto records = nlohmann::json::array();
  std::vector<Priced> owners;
  for (const auto& plan : plans) {
    records.push_back(plan_json(scope, plan));
    owners.push_back({plan.id, "PLAN", plan.id.str()});
  }
  return with_prices(ports, context, owners, std::move(records));
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto filter = read_plan_filter(context.query, "plan_ids", details);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto page = ports.catalog.plans(context.principal.scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto items = render(ports, context, page->items);
  return items ? list_response(std::move(*items), page->total, filter.list) : error_response(items.error());
}

Response show(Ports ports, const RequestContext& context) {
  const auto plan = ports.catalog.plan(context.principal.scope, PlanId(context.path.at("id")));
  if (!plan) {
    return error_response(plan.error());
  }
  const auto records = render(ports, context, {*plan});
  return records ? json_response(200, records->at(0)) : error_response(records.error());
}

}  // namespace

void add_plans(Router& router, Ports ports) {
  router.get("/v1/plans", Access::environment, [ports](const RequestContext& context) { return list(ports, context); });
  router.get("/v1/plans/{id}", Access::environment,
             [ports](const RequestContext& context) { return show(ports, context); });
}

}  // namespace flexsync::http
