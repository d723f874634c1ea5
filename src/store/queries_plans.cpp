#include <array>
#include <stdexcept>
#include <string>

#include "store/catalog_queries.hpp"
#include "store/rows_catalog.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

// Every plan and every addon, as it is shown: archived, not deleted, while a live subscription uses it.
#define SHOWN_AS(table, used)                                                                                \
  "(SELECT " table ".*, CASE WHEN " table ".status = 'deleted' AND EXISTS (SELECT 1 FROM " used              \
  "   AND s.subscription_status NOT IN ('inactive', 'cancelled') AND s.status <> 'deleted') THEN 'archived'" \
  " ELSE " table ".status END AS shown FROM " table ") AS row"

constexpr std::string_view kPlansShown = SHOWN_AS("plans", "subscriptions AS s WHERE s.plan_id = plans.id");
constexpr std::string_view kAddonsShown =
    SHOWN_AS("addons",
             "subscription_addons AS a JOIN subscriptions AS s ON s.tenant_id = a.tenant_id AND s.environment_id ="
             " a.environment_id AND s.id = a.subscription_id WHERE a.addon_id = addons.id");

// The columns that rows.hpp names, but for the status.
std::string shown(std::string_view columns) {
  std::string text(columns);
  const std::string_view status = " status,";
  return text.replace(text.find(status), status.size(), " shown AS status,");
}

std::string_view column_of(PlanField field) {
  switch (field) {
    case PlanField::id:
      return "row.id";
    case PlanField::name:
      return "row.name";
    case PlanField::lookup_key:
      return "row.lookup_key";
    case PlanField::status:
      return "row.shown";
    case PlanField::created_at:
      return "row.created_at";
    case PlanField::updated_at:
      return "row.updated_at";
  }
  throw std::invalid_argument("no such field of a plan");
}

// One of the two tables.
struct Shelf {
  std::string_view what;  // "plan"
  std::string_view columns;
  std::string_view from;
};

constexpr Shelf kPlanShelf{"plan", kPlanColumns, kPlansShown};
constexpr Shelf kAddonShelf{"addon", kAddonColumns, kAddonsShown};

// Of those that share a lookup_key at most one is not deleted.
constexpr std::array<std::string_view, 2> kLivingFirst = {"(row.status <> 'deleted')", "row.created_at"};

Where where_of(const PlanFilter& filter) {
  Where where;
  if (filter.status) {
    where.add("shown = ?", to_string(*filter.status));
  } else {
    where.add("shown <> 'deleted'");
  }
  if (!filter.ids.empty()) {
    where.add("row.id = ANY (?::text[])", filter.ids);
  }
  where.add_if_given("row.lookup_key = ?", filter.lookup_key);
  where.add_times("row.created_at", filter.list);
  return where;
}

std::string order_of(const PlanFilter& filter) {
  std::string order;
  for (const auto& [field, ascending] : filter.order) {
    order.append(column_of(field)).append(ascending ? " ASC, " : " DESC, ");
  }
  return order.append("row.created_at");
}

template <class Row, class FromRow>
Result<Page<Row>> list(ReadPool& pool, const Scope& scope, const Shelf& shelf, const PlanFilter& filter,
                       FromRow from_row) {
  const auto where = where_of(filter);
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto columns = shown(shelf.columns);
  const auto order = order_of(filter);
  const PageStatement statement{columns, shelf.from, {order, "row.id"}};
  return pool.call(scope, std::string(shelf.what) + "s cannot be listed",
                   [&](pqxx::transaction_base& tx) -> Result<Page<Row>> {
                     return select_page<Row>(tx, statement, where, filter.list, from_row);
                   });
}

template <class Row, class FromRow>
Result<Row> find(ReadPool& pool, const Scope& scope, const Shelf& shelf, std::string_view fragment,
                 const std::string& value, FromRow from_row) {
  const std::string what(shelf.what);
  Where where;
  where.add("shown <> 'deleted'");
  where.add(fragment, value);
  if (!where.check()) {
    return fail(ErrorCode::not_found, "there is no such " + what + ": its id is not valid text");
  }
  const auto columns = shown(shelf.columns);
  return pool.call(scope, "the " + what + " cannot be read", [&](pqxx::transaction_base& tx) -> Result<Row> {
    const auto rows = where.exec(tx, page_sql({columns, shelf.from, kLivingFirst}, where, ListOptions{}));
    if (rows.empty()) {
      return fail(ErrorCode::not_found, "there is no " + what + " " + value);
    }
    return from_row(rows[0]);
  });
}

}  // namespace

Result<Page<Plan>> StoreCatalogQueries::plans(const Scope& scope, const PlanFilter& filter) {
  return list<Plan>(pool_, scope, kPlanShelf, filter, plan_from_row);
}

Result<Plan> StoreCatalogQueries::plan(const Scope& scope, const PlanId& id) {
  return find<Plan>(pool_, scope, kPlanShelf, "row.id = ?", id.str(), plan_from_row);
}

Result<Page<Addon>> StoreCatalogQueries::addons(const Scope& scope, const PlanFilter& filter) {
  return list<Addon>(pool_, scope, kAddonShelf, filter, addon_from_row);
}

Result<Addon> StoreCatalogQueries::addon(const Scope& scope, const AddonId& id) {
  return find<Addon>(pool_, scope, kAddonShelf, "row.id = ?", id.str(), addon_from_row);
}

Result<Addon> StoreCatalogQueries::addon_by_lookup_key(const Scope& scope, const std::string& lookup_key) {
  return find<Addon>(pool_, scope, kAddonShelf, "row.lookup_key <> '' AND row.lookup_key = ?", lookup_key,
                     addon_from_row);
}

Result<std::vector<Price>> StoreCatalogQueries::prices(const Scope& scope, const std::vector<PlanId>& plans) {
  std::vector<std::string> ids;
  for (const auto& plan : plans) {
    ids.push_back(plan.str());
  }
  Where where;
  where.add("plan_id = ANY (?::text[])", ids);
  where.add("status <> 'deleted'");
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto sql = "SELECT " + std::string(kPriceColumns) + " FROM prices" + where.sql() +
                   " ORDER BY prices.created_at DESC, prices.id DESC";
  return pool_.call(scope, "prices cannot be listed", [&](pqxx::transaction_base& tx) -> Result<std::vector<Price>> {
    std::vector<Price> prices;
    for (const auto& row : where.exec(tx, sql)) {
      prices.push_back(price_from_row(row));
    }
    return prices;
  });
}

}  // namespace flexsync::store
