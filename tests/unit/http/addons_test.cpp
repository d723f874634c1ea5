#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

Addon seats() {
  Addon addon;
  addon.id = AddonId("addon_01");
  addon.plan_id = PlanId("plan_01");
  addon.lookup_key = "prod/1";
  addon.fields.name = "Seats";
  addon.created_at = addon.updated_at = kNow;
  addon.created_by = addon.updated_by = "stripe:evt_1";
  return addon;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "an addon is shown in FlexPrice's shape", "[http][addons]") {
  catalog.all_addons = {seats()};
  const auto reply = as_key("GET", "/v1/addons/addon_01");
  CHECK(reply.status == 200);
  CHECK(reply.json() == nlohmann::json{{"id", "addon_01"},
                                       {"lookup_key", "prod/1"},
                                       {"name", "Seats"},
                                       {"description", ""},
                                       {"type", nullptr},
                                       {"metadata", nlohmann::json::object()},
                                       {"prices", nullptr},
                                       {"entitlements", nullptr},
                                       {"credit_grants", nullptr},
                                       {"status", "published"},
                                       {"tenant_id", "tenant_01"},
                                       {"environment_id", "env_01"},
                                       {"created_at", "2026-09-21T14:13:20Z"},
                                       {"updated_at", "2026-09-21T14:13:20Z"},
                                       {"created_by", "stripe:evt_1"},
                                       {"updated_by", "stripe:evt_1"}});
  CHECK(catalog.asked_id == "addon_01");
}

TEST_CASE_METHOD(HttpFixture, "an addon is found by lookup_key, decoded", "[http][addons]") {
  CHECK(as_key("GET", "/v1/addons/lookup/none").status == 404);
  catalog.all_addons = {seats()};
  CHECK(as_key("GET", "/v1/addons/lookup/prod%2F1").json()["id"] == "addon_01");
  CHECK(catalog.asked_id == "prod/1");
  CHECK(as_key("GET", "/v1/addons/lookup/%ff").status == 400);
}

TEST_CASE_METHOD(HttpFixture, "an addon's prices are its twin's", "[http][addons]") {
  Price price;
  price.id = StripeId("price_1");
  price.plan_id = PlanId("plan_01");
  catalog.all_addons = {seats()};
  catalog.all_prices = {price};
  for (const auto* path : {"/v1/addons/addon_01", "/v1/addons/lookup/prod", "/v1/addons"}) {
    const auto body = as_key("GET", std::string(path) + "?expand=prices").json();
    const auto prices = body.contains("items") ? body["items"][0]["prices"] : body["prices"];
    REQUIRE(prices.size() == 1);
    CHECK(prices[0]["id"] == "price_1");
    CHECK(prices[0]["entity_type"] == "ADDON");
    CHECK(prices[0]["entity_id"] == "addon_01");
    CHECK(catalog.priced_plans == std::vector<PlanId>{PlanId("plan_01")});
  }
}

TEST_CASE_METHOD(HttpFixture, "addons are listed by every filter", "[http][addons]") {
  catalog.all_addons = {seats()};
  catalog.total = 1;
  const auto reply = as_key("GET", "/v1/addons?limit=1&offset=3&status=archived&addon_ids=a,b&lookup_key=prod_1");
  CHECK(reply.status == 200);
  CHECK(reply.json()["items"].size() == 1);
  CHECK(reply.json()["pagination"] == nlohmann::json{{"total", 1}, {"limit", 1}, {"offset", 4}});
  const auto& filter = catalog.plan_filter;
  CHECK(filter.status == Status::archived);
  CHECK(filter.ids == std::vector<std::string>{"a", "b"});
  CHECK(filter.lookup_key == "prod_1");
}

TEST_CASE_METHOD(HttpFixture, "wrong parameters of addons are named all at once", "[http][addons]") {
  const auto reply = as_key("GET", "/v1/addons?offset=x&status=gone&plan_ids=a");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"].size() == 3);
  CHECK(reply.error()["details"].contains("plan_ids"));
}

TEST_CASE_METHOD(HttpFixture, "an error about addons is answered", "[http][addons]") {
  catalog.all_addons = {seats()};
  catalog.error = Error{ErrorCode::service_unavailable, "The store cannot be reached", {}};
  CHECK(as_key("GET", "/v1/addons").status == 503);
  CHECK(as_key("GET", "/v1/addons/addon_01?expand=prices").status == 503);
}

}  // namespace flexsync::test
