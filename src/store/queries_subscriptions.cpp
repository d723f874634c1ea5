#include <map>
#include <stdexcept>
#include <string>

#include "store/array.hpp"
#include "store/catalog_queries.hpp"
#include "store/rows_catalog.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

constexpr PageStatement kSubscriptions{
    kSubscriptionColumns, "subscriptions", {"subscriptions.created_at", "subscriptions.id"}};

std::string_view column_of(SubscriptionField field) {
  switch (field) {
    case SubscriptionField::id:
      return "subscriptions.id";
    case SubscriptionField::customer_id:
      return "customer_id";
    case SubscriptionField::plan_id:
      return "plan_id";
    case SubscriptionField::subscription_status:
      return "subscription_status";
    case SubscriptionField::start_date:
      return "subscriptions.start_date";
    case SubscriptionField::end_date:
      return "subscriptions.end_date";
    case SubscriptionField::current_period_end:
      return "subscriptions.current_period_end";
    case SubscriptionField::created_at:
      return "subscriptions.created_at";
    case SubscriptionField::updated_at:
      return "subscriptions.updated_at";
  }
  throw std::invalid_argument("no such field of a subscription");
}

Where where_of(const SubscriptionFilter& filter) {
  Where where;
  if (filter.status) {
    where.add("status = ?", to_string(*filter.status));
  } else {
    where.add("status <> 'deleted'");
  }
  if (!filter.ids.empty()) {
    where.add("id = ANY (?::text[])", filter.ids);
  }
  where.add_if_given("customer_id = ?", filter.customer_id);
  where.add_if_given("customer_id = (SELECT c.id FROM customers c WHERE c.external_id = ? AND c.status <> 'deleted')",
                     filter.external_customer_id);
  where.add_if_given("plan_id = ?", filter.plan_id);
  if (!filter.subscription_status.empty()) {
    std::vector<std::string> words;
    for (const auto status : filter.subscription_status) {
      words.push_back(to_string(status));
    }
    where.add("subscription_status = ANY (?::text[])", words);
  }
  where.add_times("subscriptions.created_at", filter.list);
  return where;
}

std::string order_of(const SubscriptionFilter& filter) {
  std::string order;
  for (const auto& [field, ascending] : filter.order) {
    order.append(column_of(field)).append(ascending ? " ASC, " : " DESC, ");
  }
  return order.append(kSubscriptions.order_by[0]);
}

// All their addons, in one more statement.
void attach_addons(pqxx::transaction_base& tx, std::vector<Subscription>& subscriptions) {
  static const auto kAddons = "SELECT " + std::string(kSubscriptionAddonColumns) +
                              " FROM subscription_addons WHERE subscription_id = ANY ($1::text[]) ORDER BY item_id";
  std::map<std::string, Subscription*> by_id;
  std::vector<std::string> ids;
  for (auto& subscription : subscriptions) {
    ids.push_back(subscription.id.str());
    by_id[ids.back()] = &subscription;
  }
  if (ids.empty()) {
    return;
  }
  for (const auto& row : tx.exec_params(kAddons, text_array(ids))) {
    by_id.at(text_from(row["subscription_id"]))->terms.addons.push_back(subscription_addon_from_row(row));
  }
}

}  // namespace

Result<Page<Subscription>> StoreCatalogQueries::subscriptions(const Scope& scope, const SubscriptionFilter& filter) {
  const auto where = where_of(filter);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto order = order_of(filter);
  const PageStatement statement{kSubscriptions.columns, kSubscriptions.from, {order, kSubscriptions.order_by[1]}};
  return pool_.call(scope, "subscriptions cannot be listed",
                    [&](pqxx::transaction_base& tx) -> Result<Page<Subscription>> {
                      auto page = select_page<Subscription>(tx, statement, where, filter.list, subscription_from_row);
                      attach_addons(tx, page.items);
                      return page;
                    });
}

Result<Subscription> StoreCatalogQueries::subscription(const Scope& scope, const SubscriptionId& id) {
  SubscriptionFilter filter;
  filter.ids = {id.str()};
  if (!is_storable(id.str())) {
    return fail(ErrorCode::not_found, "there is no such subscription: its id is not valid text");
  }
  auto page = subscriptions(scope, filter);
  if (!page) {
    return tl::unexpected(page.error());
  }
  if (page->items.empty()) {
    return fail(ErrorCode::not_found, "there is no subscription " + id.str());
  }
  return std::move(page->items.front());
}

}  // namespace flexsync::store
