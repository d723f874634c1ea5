// GET /v1/customers, /v1/customers/{id} and /v1/customers/external/{external_id}.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/error_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"

namespace flexsync::http {

namespace {

constexpr std::size_t kIdsMax = 1000;  // of customer_ids and external_ids, each

nlohmann::json render(const Scope& scope, const Customer& customer) {
  const auto& fields = customer.fields;
  nlohmann::json record = {{"id", customer.id.str()},
                           {"external_id", customer.external_id},
                           {"name", fields.name},
                           {"email", fields.email},
                           {"contact", fields.contact},
                           {"address_line1", fields.address_line1},
                           {"address_line2", fields.address_line2},
                           {"address_city", fields.address_city},
                           {"address_state", fields.address_state},
                           {"address_postal_code", fields.address_postal_code},
                           {"address_country", fields.address_country},
                           {"parent_customer_id", nullptr},
                           {"parent_customer", nullptr},
                           {"metadata", nlohmann::json(fields.metadata)},
                           {"status", to_string(customer.status)},
                           {"created_at", to_rfc3339(customer.created_at)},
                           {"updated_at", to_rfc3339(customer.updated_at)},
                           {"created_by", customer.created_by},
                           {"updated_by", customer.updated_by}};
  put_scope(record, scope);
  return record;
}

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

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto filter = read_filter(context.query, details);
  if (!details.empty()) {
    return error_response(validation_failed(details));
  }
  const auto& scope = context.principal.scope;
  const auto page = ports.queries.customers(scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& customer : page->items) {
    items.push_back(render(scope, customer));
  }
  return list_response(std::move(items), page->total, filter.list);
}

Response answer(const Scope& scope, const Result<Customer>& customer) {
  return customer ? json_response(200, render(scope, *customer)) : error_response(customer.error());
}

}  // namespace

void add_customers(Router& router, Ports ports) {
  router.get("/v1/customers", Access::environment,
             [ports](const RequestContext& context) { return list(ports, context); });
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
