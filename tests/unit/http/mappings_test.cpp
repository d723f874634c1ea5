#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

constexpr const char* kBase = "/v1/entity-integration-mappings";

Mapping one() {
  Mapping mapping;
  mapping.id = MappingId("eim_01");
  mapping.entity_type = "customer";
  mapping.entity_id = "cust_01";
  mapping.provider_type = "stripe";
  mapping.provider_entity_id = "cus_1";
  mapping.metadata = {{"created_via", "stripe_webhook"}};
  mapping.created_at = mapping.updated_at = kNow;
  return mapping;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "mappings are listed and shown", "[http][mappings]") {
  queries.all_mappings = {one()};
  queries.total = 1;
  const auto list = as_key("GET", std::string(kBase) +
                                      "?entity_id=cust_01&entity_type=customer&provider_type=stripe"
                                      "&provider_entity_id=cus_1");
  CHECK(list.status == 200);
  CHECK(list.json()["pagination"]["total"] == 1);
  CHECK(queries.mapping_filter.entity_id == "cust_01");
  CHECK(queries.mapping_filter.entity_type == "customer");
  CHECK(queries.mapping_filter.provider_type == "stripe");
  CHECK(queries.mapping_filter.provider_entity_id == "cus_1");
  const auto shown = as_key("GET", std::string(kBase) + "/eim_01").json();
  CHECK(shown == list.json()["items"][0]);
  CHECK(shown["provider_entity_id"] == "cus_1");
  CHECK(shown["metadata"]["created_via"] == "stripe_webhook");
  CHECK(shown["tenant_id"] == "tenant_01");
  CHECK(shown["environment_id"] == "env_01");
  CHECK(shown["status"] == "published");
  CHECK(queries.asked_id == "eim_01");
}

TEST_CASE_METHOD(HttpFixture, "a mapping is looked up from our side", "[http][mappings]") {
  const auto path =
      std::string(kBase) + "/by-entity-and-provider?entity_type=customer&entity_id=cust_01&provider_type=stripe";
  CHECK(as_key("GET", path).status == 404);
  queries.all_mappings = {one()};
  CHECK(as_key("GET", path).json()["id"] == "eim_01");
  CHECK(queries.mapping_filter.entity_id == "cust_01");
  const auto missing = as_key("GET", std::string(kBase) + "/by-entity-and-provider?entity_id=");
  CHECK(missing.status == 400);
  CHECK(missing.error()["details"].size() == 3);
}

TEST_CASE_METHOD(HttpFixture, "a mapping is looked up from Stripe's side", "[http][mappings]") {
  const auto path = std::string(kBase) + "/by-provider-entity?provider_type=stripe&provider_entity_id=cus_1";
  CHECK(as_key("GET", path).status == 404);
  queries.all_mappings = {one()};
  CHECK(as_key("GET", path).json()["id"] == "eim_01");
  CHECK(queries.mapping_filter.provider_entity_id == "cus_1");
  CHECK(as_key("GET", std::string(kBase) + "/by-provider-entity").error()["details"].size() == 2);
}

TEST_CASE_METHOD(HttpFixture, "mappings' bad input", "[http][mappings]") {
  CHECK(as_key("GET", std::string(kBase) + "?limit=many").status == 400);
  CHECK(as_key("GET", std::string(kBase) + "/eim_none").status == 404);
  CHECK(send("GET", kBase).status == 401);
}

}  // namespace flexsync::test
