#include "store/queries.hpp"

#include <catch2/catch.hpp>

#include "integration/store_world.hpp"
#include "store/rows.hpp"

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
    sql("INSERT INTO customers VALUES ('" + where.tenant.str() + "', '" + where.environment.str() + "', '" + id +
        "', 'ext_" + id + "', 'Ada', '" + id +
        "@example.com', '+44', 'l1', 'l2', 'London', 'LDN', 'E1', 'GB',"
        " '{\"tier\": \"gold\", \"stripe_customer_id\": \"cus_1\"}', '" +
        status + "', 3, " + at(created) + ", " + at(created + 1us) + ", 'stripe:evt_1', 'admin')");
  }

  void add_mapping(const Scope& where, const std::string& id, const std::string& entity, const std::string& status) {
    sql("INSERT INTO entity_integration_mappings VALUES ('" + where.tenant.str() + "', '" + where.environment.str() +
        "', '" + id + "', 'customer', '" + entity + "', 'stripe', 'cus_" + id +
        "', '{\"created_via\": \"webhook\"}', '" + status + "', " + at(kStart) + ", " + at(kStart) + ")");
  }

  static std::string at(Timestamp time) {
    return "'epoch'::timestamptz + " + std::to_string(to_unix_micros(time)) + " * interval '1 microsecond'";
  }
};

template <class T>
std::vector<std::string> ids(const Result<Page<T>>& page) {
  REQUIRE(page);
  std::vector<std::string> found;
  for (const auto& item : page->items) {
    found.push_back(item.id.str());
  }
  return found;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a customer comes back as it was stored, to the microsecond", "[queries]") {
  World world;
  world.add_customer(world.scope, "cust_1", kStart);
  const auto customer = world.queries.customer(world.scope, CustomerId{"cust_1"});
  REQUIRE(customer);
  Customer expected;
  expected.id = CustomerId{"cust_1"};
  expected.external_id = "ext_cust_1";
  expected.fields = {"Ada", "cust_1@example.com",
                     "+44", "l1",
                     "l2",  "London",
                     "LDN", "E1",
                     "GB",  {{"tier", "gold"}, {"stripe_customer_id", "cus_1"}}};
  expected.version = 3;
  expected.created_at = kStart;
  expected.updated_at = kStart + 1us;
  expected.created_by = "stripe:evt_1";
  expected.updated_by = "admin";
  CHECK(*customer == expected);
  CHECK(world.queries.customer_by_external_id(world.scope, "ext_cust_1").value() == expected);
}

TEST_CASE("customers are found in their own scope only, and never when deleted", "[queries]") {
  World world;
  world.add_customer(world.scope, "cust_1", kStart, "deleted");
  world.add_customer(world.stranger, "cust_2", kStart);
  for (const auto* id : {"cust_1", "cust_2", "cust_3", "", "\xFF", "cust'; DROP TABLE customers; --"}) {
    const auto found = world.queries.customer(world.scope, CustomerId{id});
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::not_found);
    CHECK_FALSE(world.queries.customer_by_external_id(world.scope, std::string("ext_") + id));
  }
  CHECK(world.queries.customer(world.stranger, CustomerId{"cust_2"}));
  CHECK(ids(world.queries.customers(world.scope, {})).empty());
}

TEST_CASE("a list of customers is paged, filtered and counted", "[queries]") {
  World world;
  for (int i = 0; i < 5; ++i) {
    world.add_customer(world.scope, "cust_" + std::to_string(i), kStart + i * 1s, i == 3 ? "archived" : "published");
  }
  world.add_customer(world.scope, "cust_gone", kStart, "deleted");
  world.add_customer(world.stranger, "cust_other", kStart);
  CustomerFilter filter;
  CHECK(ids(world.queries.customers(world.scope, filter)) == Ids{"cust_4", "cust_3", "cust_2", "cust_1", "cust_0"});

  filter.list = {.limit = 2, .offset = 1, .ascending = true, .start_time = {}, .end_time = {}};
  const auto page = world.queries.customers(world.scope, filter);
  CHECK(ids(page) == Ids{"cust_1", "cust_2"});
  CHECK(page->total == 5);
  filter.list.offset = 99;
  CHECK(world.queries.customers(world.scope, filter)->items.empty());
  CHECK(world.queries.customers(world.scope, filter)->total == 5);

  filter = {};
  filter.status = Status::archived;
  CHECK(ids(world.queries.customers(world.scope, filter)) == Ids{"cust_3"});
  filter = {};
  filter.ids = {"cust_1", "cust_other", "a,b\"\\{}"};
  CHECK(ids(world.queries.customers(world.scope, filter)) == Ids{"cust_1"});
  filter = {};
  filter.external_ids = {"ext_cust_2", "ext_cust_0"};
  CHECK(ids(world.queries.customers(world.scope, filter)) == Ids{"cust_2", "cust_0"});
  filter = {};
  filter.email = "cust_2@example.com";
  CHECK(ids(world.queries.customers(world.scope, filter)) == Ids{"cust_2"});
  filter = {};
  filter.list.start_time = kStart + 1s;
  filter.list.end_time = kStart + 3s;
  CHECK(ids(world.queries.customers(world.scope, filter)) == Ids{"cust_2", "cust_1"});
}

TEST_CASE("a filter that PostgreSQL could not take is refused as the request's fault", "[queries]") {
  World world;
  CustomerFilter filter;
  for (const auto& text : {std::string("a\0b", 3), std::string("\xC3\x28"), std::string("\xED\xA0\x80")}) {
    filter.email = text;
    const auto page = world.queries.customers(world.scope, filter);
    REQUIRE_FALSE(page);
    CHECK(page.error().code == ErrorCode::validation_error);
  }
  filter.email = "' OR 1=1 --";
  CHECK(ids(world.queries.customers(world.scope, filter)).empty());
}

TEST_CASE("mappings are found by either side, live ones only", "[queries]") {
  World world;
  world.add_mapping(world.scope, "eim_1", "cust_1", "deleted");
  world.add_mapping(world.scope, "eim_2", "cust_1", "published");
  world.add_mapping(world.scope, "eim_3", "cust_3", "published");
  world.add_mapping(world.stranger, "eim_4", "cust_1", "published");
  MappingFilter filter;
  filter.entity_type = "customer";
  filter.entity_id = "cust_1";
  CHECK(ids(world.queries.mappings(world.scope, filter)) == Ids{"eim_2"});
  filter = {};
  filter.provider_type = "stripe";
  filter.provider_entity_id = "cus_eim_3";
  CHECK(ids(world.queries.mappings(world.scope, filter)) == Ids{"eim_3"});
  CHECK(world.queries.mappings(world.scope, {})->total == 2);

  const auto mapping = world.queries.mapping(world.scope, MappingId{"eim_2"});
  REQUIRE(mapping);
  CHECK(mapping->entity_id == "cust_1");
  CHECK(mapping->provider_entity_id == "cus_eim_2");
  CHECK(mapping->metadata == Metadata{{"created_via", "webhook"}});
  CHECK(mapping->created_at == kStart);
  for (const auto* id : {"eim_1", "eim_4", "eim_9"}) {
    CHECK(world.queries.mapping(world.scope, MappingId{id}).error().code == ErrorCode::not_found);
  }
}

TEST_CASE("a database that is gone is said to be unavailable, and comes back", "[queries]") {
  World world;
  REQUIRE(world.queries.customers(world.scope, {}));
  flexsync::testing::PostgresFixture::instance().terminate_backends(world.database.name());
  CHECK(world.queries.customers(world.scope, {}));  // over a new connection
  flexsync::testing::PostgresFixture::instance().stop();
  const auto refused = world.queries.customers(world.scope, {});
  flexsync::testing::PostgresFixture::instance().start();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::service_unavailable);
  CHECK(world.queries.customers(world.scope, {}));
}
