#include "domain/ids.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <type_traits>
#include <unordered_set>

using namespace flexsync;

TEST_CASE("ids of different kinds do not mix") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<CustomerId, TenantId>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::string, CustomerId>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<TenantId, CustomerId>);
}

TEST_CASE("ids compare, order and hash by their text") {
  const CustomerId a("cust_a");
  const CustomerId b("cust_b");
  CHECK(a == CustomerId("cust_a"));
  CHECK(a != b);
  CHECK(a < b);
  CHECK(CustomerId().empty());
  CHECK(std::unordered_set<CustomerId>{a, b, a}.size() == 2);
}

TEST_CASE("a scope is a tenant and its environment, both") {
  const Scope one{TenantId("tenant_1"), EnvironmentId("env_1")};
  const Scope other_tenant{TenantId("tenant_2"), EnvironmentId("env_1")};
  const Scope other_environment{TenantId("tenant_1"), EnvironmentId("env_2")};
  CHECK(std::set<Scope>{one, other_tenant, other_environment, one}.size() == 3);
  CHECK(std::unordered_set<Scope>{one, other_tenant, other_environment, one}.size() == 3);
}
