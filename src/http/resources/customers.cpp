// Reading customers: GET /v1/customers, POST /v1/customers/search, GET /v1/customers/{id} and
// /v1/customers/external/{external_id}.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/error_body.hpp"
#include "http/resources/customer_search.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"
#include "http/resources/shapes.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kIdsMax = 1000;  // of customer_ids and external_ids, each

std::vector<std::string> read_ids(const Query& query, std::string_view name, Details& details) {
  auto ids = query.list(name);
  if (ids.size() > kIdsMax) {
    details.emplace(name, "must not name more than " + std::to_string(kIdsMax));
  }
  return ids;
}

CustomerFilter read_filter(const Query& query, Details& details) {
  CustomerFilter filter;
  filter.list = query.list_options(details);
  const auto status = query.text("status");
  for (const auto known : {Status::published, Status::archived, Status::deleted}) {
    if (status == to_string(known)) {
      filter.status = known;
    }
  }
  if (!status.empty() && !filter.status) {
    details.emplace("status", "must be published, archived or deleted");
  }
  filter.ids = read_ids(query, "customer_ids", details);
  filter.external_ids = read_ids(query, "external_ids", details);
  if (auto one = query.text("external_id"); !one.empty()) {
    filter.external_ids.push_back(std::move(one));
  }
  filter.email = query.text("email");
  return filter;
}

Response page_of(Ports ports, const Scope& scope, const CustomerFilter& filter) {
  const auto page = ports.queries.customers(scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& customer : page->items) {
    items.push_back(customer_json(scope, customer));
  }
  return list_response(std::move(items), page->total, filter.list);
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto filter = read_filter(context.query, details);
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  return page_of(ports, context.principal.scope, filter);
}

Response search(Ports ports, int depth_max, const RequestContext& context) {
  const auto filter = read_customer_search(context.request.body, depth_max);
  return filter ? page_of(ports, context.principal.scope, *filter) : error_response(filter.error());
}

Response answer(const Scope& scope, const Result<Customer>& customer) {
  return customer ? json_response(200, customer_json(scope, *customer)) : error_response(customer.error());
}

}  // namespace

void add_customers(Router& router, const ServerConfig& config, Ports ports) {
  router.get("/v1/customers", Access::environment,
             [ports](const RequestContext& context) { return list(ports, context); });
  router.post(
      "/v1/customers/search", Access::environment, config.body_size_max,
      [ports, depth = config.json_depth_max](const RequestContext& context) { return search(ports, depth, context); });
  router.get("/v1/customers/{id}", Access::environment, [ports](const RequestContext& context) {
    const auto& scope = context.principal.scope;
    return answer(scope, ports.queries.customer(scope, CustomerId(context.path.at("id"))));
  });
  router.get("/v1/customers/external/{external_id}", Access::environment, [ports](const RequestContext& context) {
    const auto& scope = context.principal.scope;
    return answer(scope, ports.queries.customer_by_external_id(scope, context.path.at("external_id")));
  });
}

}  // namespace flexsync::http
