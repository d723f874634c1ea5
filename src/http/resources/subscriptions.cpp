// Reading subscriptions: GET /v1/subscriptions, /v1/subscriptions/{id} and what addons are attached to one,
// /v1/subscriptions/{id}/addons/associations. `expand=plan,customer` shows these as objects, too.
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "http/error_body.hpp"
#include "http/resources/catalog_filter.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"
#include "http/resources/shapes.hpp"
#include "http/resources/subscription_json.hpp"

namespace flexsync::http {

namespace {

std::vector<SubscriptionStatus> read_statuses(const Query& query, Details& details) {
  std::vector<SubscriptionStatus> statuses;
  for (const auto& word : query.list("subscription_status")) {
    try {
      statuses.push_back(parse_subscription_status(word));
    } catch (const std::invalid_argument&) {
      details.emplace("subscription_status",
                      "must be among active, trialing, past_due, unpaid, paused, incomplete, inactive, cancelled");
    }
  }
  return statuses;
}

SubscriptionFilter read_filter(const Query& query, Details& details) {
  query.allow_only(
      {"subscription_ids", "customer_id", "external_customer_id", "plan_id", "subscription_status", "status", "expand"},
      details);
  SubscriptionFilter filter;
  filter.list = query.list_options(details);
  filter.status = read_status(query, details);
  filter.ids = read_ids(query, "subscription_ids", details);
  filter.customer_id = query.text("customer_id");
  filter.external_customer_id = query.text("external_customer_id");
  filter.plan_id = query.text("plan_id");
  filter.subscription_status = read_statuses(query, details);
  return filter;
}

// Puts the object that `id_field` names into `field` of every record; null where it is gone.
template <class T, class Find, class Render>
Result<void> expand(nlohmann::json& records, const char* id_field, const char* field, Find find, Render render) {
  std::set<std::string> ids;
  for (const auto& record : records) {
    ids.insert(record.at(id_field).template get<std::string>());
  }
  if (ids.empty()) {
    return {};
  }
  const Result<Page<T>> page = find(std::vector<std::string>(ids.begin(), ids.end()));
  if (!page) {
    return tl::unexpected(page.error());
  }
  std::map<std::string, nlohmann::json> shown;
  for (const auto& item : page->items) {
    shown.emplace(item.id.str(), render(item));
  }
  for (auto& record : records) {
    const auto found = shown.find(record.at(id_field).template get<std::string>());
    record[field] = found != shown.end() ? found->second : nlohmann::json();
  }
  return {};
}

template <class Filter>
Filter all_of(std::vector<std::string> ids) {
  Filter filter;
  filter.list.limit = static_cast<int>(ids.size());
  filter.ids = std::move(ids);
  return filter;
}

Result<nlohmann::json> render(Ports ports, const RequestContext& context,
                              const std::vector<Subscription>& subscriptions) {
  const auto& scope = context.principal.scope;
  auto records = nlohmann::json::array();
  for (const auto& subscription : subscriptions) {
    records.push_back(subscription_json(scope, subscription));
  }
  Result<void> done;
  if (expands(context.query, "plan")) {
    done = expand<Plan>(
        records, "plan_id", "plan",
        [&](auto ids) { return ports.catalog.plans(scope, all_of<PlanFilter>(std::move(ids))); },
        [&](const Plan& plan) { return plan_json(scope, plan); });
  }
  if (done && expands(context.query, "customer")) {
    done = expand<Customer>(
        records, "customer_id", "customer",
        [&](auto ids) { return ports.queries.customers(scope, all_of<CustomerFilter>(std::move(ids))); },
        [&](const Customer& customer) { return customer_json(scope, customer); });
  }
  return done ? Result<nlohmann::json>(std::move(records)) : tl::unexpected(done.error());
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  const auto filter = read_filter(context.query, details);
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto page = ports.catalog.subscriptions(context.principal.scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto items = render(ports, context, page->items);
  return items ? list_response(std::move(*items), page->total, filter.list) : error_response(items.error());
}

Response show(Ports ports, const RequestContext& context) {
  const auto subscription = ports.catalog.subscription(context.principal.scope, SubscriptionId(context.path.at("id")));
  if (!subscription) {
    return error_response(subscription.error());
  }
  const auto records = render(ports, context, {*subscription});
  return records ? json_response(200, records->at(0)) : error_response(records.error());
}

// A bare array, and the addons are in it: FlexPrice's client has no `expand` here.
Response associations(Ports ports, const RequestContext& context) {
  const auto& scope = context.principal.scope;
  const auto subscription = ports.catalog.subscription(scope, SubscriptionId(context.path.at("id")));
  if (!subscription) {
    return error_response(subscription.error());
  }
  auto records = nlohmann::json::array();
  for (const auto& attached : subscription->terms.addons) {
    records.push_back(addon_association_json(scope, *subscription, attached));
  }
  const auto done = expand<Addon>(
      records, "addon_id", "addon",
      [&](auto ids) { return ports.catalog.addons(scope, all_of<PlanFilter>(std::move(ids))); },
      [&](const Addon& addon) { return addon_json(scope, addon); });
  return done ? json_response(200, records) : error_response(done.error());
}

}  // namespace

void add_subscriptions(Router& router, Ports ports) {
  router.get("/v1/subscriptions", Access::environment,
             [ports](const RequestContext& context) { return list(ports, context); });
  router.get("/v1/subscriptions/{id}", Access::environment,
             [ports](const RequestContext& context) { return show(ports, context); });
  router.get("/v1/subscriptions/{id}/addons/associations", Access::environment,
             [ports](const RequestContext& context) { return associations(ports, context); });
}

}  // namespace flexsync::http
