#include "store/queries.hpp"
#include "store/rows.hpp"
#include "store/where.hpp"

namespace flexsync::store {

namespace {

constexpr PageStatement kCustomers{kCustomerColumns, "customers", {"customers.created_at", "customers.id"}};

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
  } else {
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
  if (auto valid = where.check(); !valid) {
    return tl::unexpected(valid.error());
  }
  return pool_.call(scope, "customers cannot be listed", [&](pqxx::transaction_base& tx) -> Result<Page<Customer>> {
    return select_page<Customer>(tx, kCustomers, where, filter.list, customer_from_row);
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
