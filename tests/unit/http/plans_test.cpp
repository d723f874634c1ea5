#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

Plan pro() {
  Plan plan;
  plan.id = PlanId("plan_01");
  plan.lookup_key = "prod_1";
  plan.fields = {"Pro", "For professionals", {{"stripe_product_id", "prod_1"}}};
  plan.status = Status::archived;
  plan.version = 2;
  plan.created_at = kNow;
  plan.updated_at = kNow + std::chrono::milliseconds(5);
  plan.created_by = "stripe:evt_1";
  plan.updated_by = "stripe:evt_2";
  return plan;
}

Price monthly(const std::string& id, const std::string& plan) {
  Price price;
  price.id = StripeId(id);
  price.plan_id = PlanId(plan);
  price.currency = "usd";
  price.amount = Decimal::parse("12.50");
  price.billing_period = BillingPeriod::monthly;
  price.billing_period_count = 3;
  price.display_name = "Quarterly";
  price.metadata = {{"a", "b"}};
  price.created_at = price.updated_at = kNow;
  return price;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "a plan is shown in FlexPrice's shape", "[http][plans]") {
  catalog.all_plans = {pro()};
  const auto reply = as_key("GET", "/v1/plans/plan_01");
  CHECK(reply.status == 200);
  CHECK(reply.json() == nlohmann::json{{"id", "plan_01"},
                                       {"lookup_key", "prod_1"},
                                       {"name", "Pro"},
                                       {"description", "For professionals"},
                                       {"display_order", nullptr},
                                       {"metadata", {{"stripe_product_id", "prod_1"}}},
                                       {"prices", nullptr},
                                       {"entitlements", nullptr},
                                       {"credit_grants", nullptr},
                                       {"status", "archived"},
                                       {"tenant_id", "tenant_01"},
                                       {"environment_id", "env_01"},
                                       {"created_at", "2026-09-21T14:13:20Z"},
                                       {"updated_at", "2026-09-21T14:13:20.005000Z"},
                                       {"created_by", "stripe:evt_1"},
                                       {"updated_by", "stripe:evt_2"}});
  CHECK(catalog.asked_id == "plan_01");
  CHECK(catalog.asked_scope == kScope);
}

TEST_CASE_METHOD(HttpFixture, "a plan that is not there is 404", "[http][plans]") {
  CHECK(as_key("GET", "/v1/plans/plan_01").status == 404);
  CHECK(as_admin("GET", "/v1/plans/plan_01").status == 403);
}

TEST_CASE_METHOD(HttpFixture, "plans are listed by every filter", "[http][plans]") {
  catalog.all_plans = {pro(), pro()};
  catalog.total = 77;
  const auto reply = as_key("GET",
                            "/v1/plans?limit=2&offset=40&status=deleted&plan_ids=plan_1,plan_2&plan_ids=plan_3"
                            "&lookup_key=a%2Bb&start_time=2026-01-01T00:00:00Z&end_time=2026-02-01T00:00:00Z"
                            "&order=asc&sort=created_at&expand=meters");
  CHECK(reply.status == 200);
  CHECK(reply.json()["items"].size() == 2);
  CHECK(reply.json()["items"][0]["prices"] == nullptr);
  CHECK(reply.json()["pagination"] == nlohmann::json{{"total", 77}, {"limit", 2}, {"offset", 42}});
  const auto& filter = catalog.plan_filter;
  CHECK(filter.list.limit == 2);
  CHECK(filter.list.offset == 40);
  CHECK(filter.list.ascending);
  CHECK(filter.list.start_time == parse_rfc3339("2026-01-01T00:00:00Z"));
  CHECK(filter.list.end_time == parse_rfc3339("2026-02-01T00:00:00Z"));
  CHECK(filter.status == Status::deleted);
  CHECK(filter.ids == std::vector<std::string>{"plan_1", "plan_2", "plan_3"});
  CHECK(filter.lookup_key == "a+b");
  CHECK(catalog.priced_plans.empty());
}

TEST_CASE_METHOD(HttpFixture, "an empty list of plans asks for no prices", "[http][plans]") {
  const auto reply = as_key("GET", "/v1/plans?expand=prices");
  CHECK(reply.json()["items"] == nlohmann::json::array());
  CHECK_FALSE(catalog.plan_filter.status.has_value());
  CHECK(catalog.priced_plans.empty());
}

TEST_CASE_METHOD(HttpFixture, "wrong parameters of plans are named all at once", "[http][plans]") {
  const auto reply = as_key("GET", "/v1/plans?limit=0&status=gone&addon_ids=a&start_time=today&order=up");
  CHECK(reply.status == 400);
  const auto details = reply.error()["details"];
  CHECK(details.size() == 5);
  CHECK(details["status"] == "must be published, archived or deleted");
  CHECK(details.contains("addon_ids"));
  std::string ids = "1";
  for (int i = 0; i < 1000; ++i) {
    ids += ",2";
  }
  CHECK(as_key("GET", "/v1/plans?plan_ids=" + ids).error()["details"].contains("plan_ids"));
}

TEST_CASE_METHOD(HttpFixture, "every plan is shown with its own prices", "[http][plans]") {
  auto other = pro();
  other.id = PlanId("plan_02");
  auto bare = pro();
  bare.id = PlanId("plan_03");
  catalog.all_plans = {pro(), other, bare};
  catalog.all_prices = {monthly("price_3", "plan_01"), monthly("price_2", "plan_02"), monthly("price_1", "plan_01")};
  const auto items = as_key("GET", "/v1/plans?expand=meters,prices").json()["items"];
  REQUIRE(items.size() == 3);
  REQUIRE(items[0]["prices"].size() == 2);
  CHECK(items[0]["prices"][0]["id"] == "price_3");
  CHECK(items[0]["prices"][1]["id"] == "price_1");
  REQUIRE(items[1]["prices"].size() == 1);
  CHECK(items[1]["prices"][0]["id"] == "price_2");
  CHECK(items[1]["prices"][0]["entity_id"] == "plan_02");
  CHECK(items[2]["prices"] == nlohmann::json::array());
  CHECK(catalog.priced_plans == std::vector<PlanId>{PlanId("plan_01"), PlanId("plan_02"), PlanId("plan_03")});
}

TEST_CASE_METHOD(HttpFixture, "a price is shown in FlexPrice's shape", "[http][plans]") {
  catalog.all_plans = {pro()};
  catalog.all_prices = {monthly("price_1", "plan_01")};
  const auto price = as_key("GET", "/v1/plans/plan_01?expand=prices").json()["prices"][0];
  CHECK(price["amount"] == "12.5");
  CHECK(price["currency"] == "usd");
  CHECK(price["type"] == "FIXED");
  CHECK(price["entity_type"] == "PLAN");
  CHECK(price["entity_id"] == "plan_01");
  CHECK(price["price_unit_type"] == "FIAT");
  CHECK(price["billing_model"] == "FLAT_FEE");
  CHECK(price["billing_cadence"] == "RECURRING");
  CHECK(price["billing_period"] == "MONTHLY");
  CHECK(price["billing_period_count"] == 3);
  CHECK(price["invoice_cadence"] == "ADVANCE");
  CHECK(price["tier_mode"] == nullptr);
  CHECK(price["tiers"] == nullptr);
  CHECK(price["display_name"] == "Quarterly");
  CHECK(price["metadata"] == nlohmann::json{{"a", "b"}});
  CHECK(price["status"] == "published");
  CHECK(price["tenant_id"] == "tenant_01");
  CHECK(price["created_at"] == "2026-09-21T14:13:20Z");
  CHECK((price.contains("lookup_key") && price["lookup_key"] == nullptr));
}

TEST_CASE_METHOD(HttpFixture, "tiers, usage and one-time prices have words of their own", "[http][plans]") {
  auto tiered = monthly("price_1", "plan_01");
  tiered.amount.reset();
  tiered.metered = true;
  tiered.tier_mode = "SLAB";
  tiered.tiers = {{Decimal(1000), Decimal::parse("0.01"), std::nullopt}, {std::nullopt, std::nullopt, Decimal(5)}};
  auto once = monthly("price_2", "plan_01");
  once.billing_period = BillingPeriod::onetime;
  catalog.all_plans = {pro()};
  auto package = monthly("price_3", "plan_01");
  package.transform_quantity = QuantityTransform{1000, "up"};
  catalog.all_prices = {tiered, once, package};
  const auto prices = as_key("GET", "/v1/plans/plan_01?expand=prices").json()["prices"];
  CHECK(prices[0]["amount"] == nullptr);
  CHECK(prices[0]["type"] == "USAGE");
  CHECK(prices[0]["billing_model"] == "TIERED");
  CHECK(prices[0]["invoice_cadence"] == "ARREAR");
  CHECK(prices[0]["tier_mode"] == "SLAB");
  CHECK(prices[0]["tiers"] == nlohmann::json::parse(R"([{"up_to":1000,"unit_amount":"0.01","flat_amount":null},
                                  {"up_to":null,"unit_amount":null,"flat_amount":"5"}])"));
  CHECK(prices[1]["billing_cadence"] == "ONETIME");
  CHECK(prices[1]["billing_period"] == "ONETIME");
  CHECK(prices[1]["transform_quantity"] == nullptr);
  CHECK(prices[2]["billing_model"] == "PACKAGE");
  CHECK(prices[2]["transform_quantity"] == nlohmann::json{{"divide_by", 1000}, {"round", "up"}});
}

TEST_CASE_METHOD(HttpFixture, "plans whose prices cannot be read are not shown without", "[http][plans]") {
  catalog.all_plans = {pro()};
  catalog.error = Error{ErrorCode::service_unavailable, "The store cannot be reached", {}};
  CHECK(as_key("GET", "/v1/plans").status == 503);
  CHECK(as_key("GET", "/v1/plans/plan_01").status == 200);
  CHECK(as_key("GET", "/v1/plans/plan_01?expand=prices").status == 503);
}

}  // namespace flexsync::test
