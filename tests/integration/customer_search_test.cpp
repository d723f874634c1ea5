#include <catch2/catch.hpp>

#include "integration/store_world.hpp"
#include "store/queries.hpp"

using namespace flexsync;
using namespace std::chrono_literals;
using flexsync::store::StoreQueries;
using flexsync::testing::kStart;
using flexsync::testing::StoreWorld;

namespace {

struct World : StoreWorld {
  StoreQueries queries{pool};
  Scope scope = new_scope();
  Scope stranger = new_scope("Stranger");

  void add_customer(const Scope& where, const std::string& id, Timestamp created,
                    const std::string& status = "published") {
    const auto time =
        "'epoch'::timestamptz + " + std::to_string(to_unix_micros(created)) + " * interval '1 microsecond'";
    sql("INSERT INTO customers VALUES ('" + where.tenant.str() + "', '" + where.environment.str() + "', '" + id +
        "', 'ext_" + id + "', 'Ada', '" + id + "@example.com', '+44', '', '', '', '', '', '', '{}', '" + status +
        "', 1, " + time + ", " + time + ", 'admin', 'admin')");
  }
};

using Ids = std::vector<std::string>;

Ids ids(const Result<Page<Customer>>& page) {
  REQUIRE(page);
  Ids found;
  for (const auto& customer : page->items) {
    found.push_back(customer.id.str());
  }
  return found;
}

}  // namespace

TEST_CASE("customers are searched by conditions, all of which must hold", "[queries]") {
  World world;
  world.add_customer(world.scope, "cust_1", kStart);
  world.add_customer(world.scope, "cust_2", kStart + 1s);
  world.add_customer(world.scope, "cust_3", kStart + 2s, "archived");
  world.add_customer(world.scope, "cust_4", kStart + 3s, "deleted");
  world.add_customer(world.stranger, "cust_5", kStart);
  world.sql("UPDATE customers SET name = '100%_Bob''s' WHERE id = 'cust_2'");
  const auto found = [&](CustomerCondition condition) {
    CustomerFilter filter;
    filter.list.ascending = true;
    filter.conditions = {std::move(condition)};
    return ids(world.queries.customers(world.scope, filter));
  };
  using F = CustomerField;
  using C = Comparison;
  CHECK(found({F::id, C::in, {"cust_1", "cust_3", "cust_5"}, {}}) == Ids{"cust_1", "cust_3"});
  CHECK(found({F::id, C::not_in, {"cust_1"}, {}}) == Ids{"cust_2", "cust_3"});
  CHECK(found({F::external_id, C::in, {"ext_cust_2"}, {}}) == Ids{"cust_2"});
  CHECK(found({F::name, C::contains, {"bOB'S"}, {}}) == Ids{"cust_2"});
  CHECK(found({F::name, C::contains, {"%"}, {}}) == Ids{"cust_2"});
  CHECK(found({F::name, C::contains, {"_"}, {}}) == Ids{"cust_2"});
  CHECK(found({F::name, C::not_contains, {"bob"}, {}}) == Ids{"cust_1", "cust_3"});
  CHECK(found({F::email, C::in, {"cust_3@example.com"}, {}}) == Ids{"cust_3"});
  CHECK(found({F::contact, C::in, {"+44"}, {}}).size() == 3);
  CHECK(found({F::status, C::in, {"deleted"}, {}}) == Ids{"cust_4"});
  CHECK(found({F::status, C::not_in, {"published"}, {}}) == Ids{"cust_3", "cust_4"});
  CHECK(found({F::created_at, C::before, {}, kStart + 1s}) == Ids{"cust_1"});
  CHECK(found({F::created_at, C::after, {}, kStart + 1s}) == Ids{"cust_3"});
  CHECK(found({F::created_at, C::from, {}, kStart + 1s}) == Ids{"cust_2", "cust_3"});

  CustomerFilter both;
  both.conditions = {{F::name, C::in, {"Ada"}, {}}, {F::created_at, C::after, {}, kStart}};
  CHECK(ids(world.queries.customers(world.scope, both)) == Ids{"cust_3"});
  both.conditions = {{F::name, C::contains, {std::string("a\0b", 3)}, {}}};
  CHECK(world.queries.customers(world.scope, both).error().code == ErrorCode::validation_error);
}

TEST_CASE("customers are ordered by what is asked, then by creation", "[queries]") {
  World world;
  for (const auto* id : {"cust_1", "cust_2", "cust_3"}) {
    world.add_customer(world.scope, id, kStart + std::chrono::seconds(id[5]));
  }
  world.sql("UPDATE customers SET name = 'Bob' WHERE id = 'cust_2'");
  CustomerFilter filter;
  const auto ordered = [&](std::vector<CustomerOrder> order) {
    filter.order = std::move(order);
    return ids(world.queries.customers(world.scope, filter));
  };
  CHECK(ordered({}) == Ids{"cust_3", "cust_2", "cust_1"});
  CHECK(ordered({{CustomerField::name, true}}) == Ids{"cust_3", "cust_1", "cust_2"});
  CHECK(ordered({{CustomerField::name, false}, {CustomerField::id, true}}) == Ids{"cust_2", "cust_1", "cust_3"});
  CHECK(ordered({{CustomerField::created_at, true}}) == Ids{"cust_1", "cust_2", "cust_3"});
}
