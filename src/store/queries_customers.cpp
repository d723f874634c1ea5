#include <algorithm>
#include <stdexcept>
#include <string>

#include "store/queries.hpp"
#include "store/rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

constexpr PageStatement kCustomers{kCustomerColumns, "customers", {"customers.created_at", "customers.id"}};

std::string_view column_of(CustomerField field) {
  switch (field) {
    case CustomerField::id:
      return "customers.id";
    case CustomerField::external_id:
      return "external_id";
    case CustomerField::name:
      return "name";
    case CustomerField::email:
      return "email";
    case CustomerField::contact:
      return "contact";
    case CustomerField::status:
      return "status";
    case CustomerField::created_at:
      return "customers.created_at";
  }
  throw std::invalid_argument("no such customer field");
}

void add_condition(Where& where, const CustomerCondition& condition) {
  const std::string column(column_of(condition.field));
  const auto value = [&] { return condition.values.empty() ? std::string() : condition.values.front(); };
  switch (condition.comparison) {
    case Comparison::in:
      where.add(column + " = ANY (?::text[])", condition.values);
      return;
    case Comparison::not_in:
      where.add(column + " <> ALL (?::text[])", condition.values);
      return;
    case Comparison::contains:
      where.add("strpos(lower(" + column + "), lower(?)) > 0", value());
      return;
    case Comparison::not_contains:
      where.add("strpos(lower(" + column + "), lower(?)) = 0", value());
      return;
    case Comparison::before:
      where.add(column + " < " FLEXSYNC_TIME("?"), condition.time);
      return;
    case Comparison::after:
      where.add(column + " > " FLEXSYNC_TIME("?"), condition.time);
      return;
    case Comparison::from:
      where.add(column + " >= " FLEXSYNC_TIME("?"), condition.time);
      return;
  }
}

bool is_about_status(const CustomerFilter& filter) {
  return std::any_of(filter.conditions.begin(), filter.conditions.end(),
                     [](const auto& condition) { return condition.field == CustomerField::status; });
}

// "name ASC, customers.created_at": the list's own direction follows.
std::string order_of(const CustomerFilter& filter) {
  std::string order;
  for (const auto& [field, ascending] : filter.order) {
    order.append(column_of(field)).append(ascending ? " ASC, " : " DESC, ");
  }
  return order.append(kCustomers.order_by[0]);
}

Result<Customer> find_one(ReadPool& pool, const Scope& scope, const Where& where, const std::string& missing) {
  if (auto valid = where.check(); !valid) {
    return fail(ErrorCode::not_found, "there is no such customer: its id is not valid text");
  }
  return pool.call(scope, "the customer cannot be read", [&](pqxx::transaction_base& tx) -> Result<Customer> {
    const auto rows = where.exec(tx, page_sql(kCustomers, where, ListOptions{}));
    if (rows.empty()) {
      return fail(ErrorCode::not_found, missing);
    }
    return customer_from_row(rows[0]);
  });
}

}  // namespace

Result<Page<Customer>> StoreQueries::customers(const Scope& scope, const CustomerFilter& filter) {
  Where where;
  if (filter.status) {
    where.add("status = ?", to_string(*filter.status));
  } else if (!is_about_status(filter)) {
    where.add("status <> 'deleted'");
  }
  if (!filter.ids.empty()) {
    where.add("id = ANY (?::text[])", filter.ids);
  }
  if (!filter.external_ids.empty()) {
    where.add("external_id = ANY (?::text[])", filter.external_ids);
  }
  where.add_if_given("email = ?", filter.email);
  where.add_times("customers.created_at", filter.list);
  for (const auto& condition : filter.conditions) {
    add_condition(where, condition);
  }
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  const auto order = order_of(filter);
  const PageStatement statement{kCustomers.columns, kCustomers.from, {order, kCustomers.order_by[1]}};
  return pool_.call(scope, "customers cannot be listed", [&](pqxx::transaction_base& tx) -> Result<Page<Customer>> {
    return select_page<Customer>(tx, statement, where, filter.list, customer_from_row);
  });
}

Result<Customer> StoreQueries::customer(const Scope& scope, const CustomerId& id) {
  Where where;
  where.add("status <> 'deleted'");
  where.add("id = ?", id.str());
  return find_one(pool_, scope, where, "there is no customer " + id.str());
}

Result<Customer> StoreQueries::customer_by_external_id(const Scope& scope, const std::string& external_id) {
  Where where;
  where.add("status <> 'deleted'");
  where.add("external_id = ?", external_id);
  return find_one(pool_, scope, where, "there is no customer with the external id " + external_id);
}

}  // namespace flexsync::store
