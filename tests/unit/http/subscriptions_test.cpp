#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

Subscription pro_with_seats() {
  Subscription subscription;
  subscription.id = SubscriptionId("subs_01");
  auto& terms = subscription.terms;
  terms.customer_id = CustomerId("cust_01");
  terms.plan_id = PlanId("plan_01");
  terms.subscription_status = SubscriptionStatus::past_due;
  terms.currency = "usd";
  terms.billing_period = BillingPeriod::annual;
  terms.plan_item_id = StripeId("si_1");
  terms.price_id = StripeId("price_1");
  terms.quantity = 3;
  terms.start_date = kNow;
  terms.current_period_end = kNow + std::chrono::hours(24);
  terms.collection_method = "charge_automatically";
  terms.metadata = {{"stripe_subscription_id", "sub_1"}};
  terms.addons = {
      {StripeId("si_2"), AddonId("addon_01"), StripeId("price_2"), std::nullopt, kNow + std::chrono::hours(1)}};
  subscription.version = 4;
  subscription.created_at = subscription.updated_at = kNow;
  subscription.created_by = subscription.updated_by = "stripe:evt_1";
  return subscription;
}

Addon seats() {
  Addon addon;
  addon.id = AddonId("addon_01");
  addon.fields.name = "Seats";
  return addon;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "a subscription is shown in FlexPrice's shape", "[http][subscriptions]") {
  catalog.all_subscriptions = {pro_with_seats()};
  const auto reply = as_key("GET", "/v1/subscriptions/subs_01");
  CHECK(reply.status == 200);
  CHECK(catalog.asked_id == "subs_01");
  auto record = reply.json();
  record.erase("line_items");
  nlohmann::json valued;
  for (const auto& [name, value] : record.items()) {
    if (!value.is_null()) {
      valued[name] = value;
    }
  }
  CHECK(valued == nlohmann::json{{"id", "subs_01"},
                                 {"customer_id", "cust_01"},
                                 {"invoicing_customer_id", "cust_01"},
                                 {"plan_id", "plan_01"},
                                 {"subscription_status", "past_due"},
                                 {"subscription_type", "standalone"},
                                 {"pause_status", "none"},
                                 {"currency", "usd"},
                                 {"billing_cadence", "RECURRING"},
                                 {"billing_cycle", "anniversary"},
                                 {"billing_period", "ANNUAL"},
                                 {"billing_period_count", 1},
                                 {"cancel_at_period_end", false},
                                 {"collection_method", "charge_automatically"},
                                 {"metadata", {{"stripe_subscription_id", "sub_1"}}},
                                 {"version", 4},
                                 {"start_date", "2026-09-21T14:13:20Z"},
                                 {"current_period_end", "2026-09-22T14:13:20Z"},
                                 {"status", "published"},
                                 {"tenant_id", "tenant_01"},
                                 {"environment_id", "env_01"},
                                 {"created_at", "2026-09-21T14:13:20Z"},
                                 {"updated_at", "2026-09-21T14:13:20Z"},
                                 {"created_by", "stripe:evt_1"},
                                 {"updated_by", "stripe:evt_1"}});
  for (const auto* name : {"end_date", "current_period_start", "trial_start", "trial_end", "billing_anchor",
                           "cancel_at", "cancelled_at", "plan", "customer", "pauses", "latest_invoice"}) {
    INFO(name);
    CHECK(record.contains(name));
  }
}

TEST_CASE_METHOD(HttpFixture, "line items are the plan's and each addon's", "[http][subscriptions]") {
  catalog.all_subscriptions = {pro_with_seats()};
  const auto items = as_key("GET", "/v1/subscriptions/subs_01").json()["line_items"];
  REQUIRE(items.size() == 2);
  const auto& plan = items[0];
  CHECK(plan["id"] == "si_1");
  CHECK(plan["entity_type"] == "plan");
  CHECK(plan["entity_id"] == "plan_01");
  CHECK(plan["subscription_id"] == "subs_01");
  CHECK(plan["customer_id"] == "cust_01");
  CHECK(plan["price_id"] == "price_1");
  CHECK(plan["price_type"] == "FIXED");
  CHECK(plan["invoice_cadence"] == "ADVANCE");
  CHECK(plan["quantity"] == "3");
  CHECK(plan["currency"] == "usd");
  CHECK(plan["billing_period"] == "ANNUAL");
  CHECK(plan["start_date"] == "2026-09-21T14:13:20Z");
  CHECK(plan["addon_association_id"] == nullptr);
  CHECK(plan["tenant_id"] == "tenant_01");
  const auto& addon = items[1];
  CHECK(addon["id"] == "si_2");
  CHECK(addon["entity_type"] == "addon");
  CHECK(addon["entity_id"] == "addon_01");
  CHECK(addon["addon_association_id"] == "si_2");
  CHECK(addon["price_id"] == "price_2");
  CHECK(addon["price_type"] == "USAGE");
  CHECK(addon["invoice_cadence"] == "ARREAR");
  CHECK(addon["quantity"] == nullptr);
  CHECK(addon["billing_period"] == nullptr);
  CHECK(addon["start_date"] == "2026-09-21T15:13:20Z");
}

TEST_CASE_METHOD(HttpFixture, "a subscription of which no item is known has no line items", "[http][subscriptions]") {
  catalog.all_subscriptions = {Subscription{}};
  catalog.all_subscriptions[0].terms.collection_paused = true;
  const auto record = as_key("GET", "/v1/subscriptions/subs_01").json();
  CHECK(record["line_items"] == nlohmann::json::array());
  CHECK(record["pause_status"] == "active");
  CHECK(as_key("GET", "/v1/subscriptions/subs_01/addons/associations").json() == nlohmann::json::array());
}

TEST_CASE_METHOD(HttpFixture, "a subscription that is not there is 404", "[http][subscriptions]") {
  CHECK(as_key("GET", "/v1/subscriptions/subs_01").status == 404);
  CHECK(as_key("GET", "/v1/subscriptions/subs_01/addons/associations").status == 404);
}

TEST_CASE_METHOD(HttpFixture, "subscriptions are listed by every filter", "[http][subscriptions]") {
  catalog.all_subscriptions = {pro_with_seats(), pro_with_seats()};
  catalog.total = 9;
  const auto reply = as_key("GET",
                            "/v1/subscriptions?limit=2&offset=4&status=archived&subscription_ids=a,b&customer_id=c"
                            "&external_customer_id=d&plan_id=e&subscription_status=active,past_due"
                            "&subscription_status=cancelled&start_time=2026-01-01T00:00:00Z&order=asc");
  CHECK(reply.status == 200);
  CHECK(reply.json()["items"].size() == 2);
  CHECK(reply.json()["pagination"] == nlohmann::json{{"total", 9}, {"limit", 2}, {"offset", 6}});
  const auto& filter = catalog.subscription_filter;
  CHECK(filter.list.ascending);
  CHECK(filter.list.start_time == parse_rfc3339("2026-01-01T00:00:00Z"));
  CHECK(filter.status == Status::archived);
  CHECK(filter.ids == std::vector<std::string>{"a", "b"});
  CHECK(filter.customer_id == "c");
  CHECK(filter.external_customer_id == "d");
  CHECK(filter.plan_id == "e");
  CHECK(filter.subscription_status ==
        std::vector{SubscriptionStatus::active, SubscriptionStatus::past_due, SubscriptionStatus::cancelled});
}

TEST_CASE_METHOD(HttpFixture, "wrong parameters of subscriptions are named all at once", "[http][subscriptions]") {
  const auto reply =
      as_key("GET", "/v1/subscriptions?limit=x&status=gone&subscription_status=active,canceled&active=1");
  CHECK(reply.status == 400);
  const auto details = reply.error()["details"];
  CHECK(details.size() == 4);
  CHECK(details["subscription_status"] ==
        "must be among active, trialing, past_due, unpaid, paused, incomplete, inactive, cancelled");
  CHECK(details.contains("active"));
}

TEST_CASE_METHOD(HttpFixture, "a subscription is shown with its plan and its customer", "[http][subscriptions]") {
  auto orphan = pro_with_seats();
  orphan.terms.plan_id = PlanId("plan_gone");
  orphan.terms.customer_id = CustomerId("cust_gone");
  catalog.all_subscriptions = {pro_with_seats(), orphan, pro_with_seats()};
  Plan plan;
  plan.id = PlanId("plan_01");
  catalog.all_plans = {plan};
  Customer customer;
  customer.id = CustomerId("cust_01");
  queries.all_customers = {customer};
  const auto items = as_key("GET", "/v1/subscriptions?expand=plan,customer,invoices").json()["items"];
  REQUIRE(items.size() == 3);
  CHECK(items[0]["plan"]["id"] == "plan_01");
  CHECK(items[0]["customer"]["id"] == "cust_01");
  CHECK(items[1]["plan"] == nullptr);
  CHECK(items[1]["customer"] == nullptr);
  CHECK(items[2]["plan"]["id"] == "plan_01");
  CHECK(catalog.plan_filter.ids == std::vector<std::string>{"plan_01", "plan_gone"});
  CHECK(catalog.plan_filter.list.limit == 2);
  CHECK(queries.customer_filter.ids == std::vector<std::string>{"cust_01", "cust_gone"});
  CHECK(as_key("GET", "/v1/subscriptions/subs_01?expand=plan").json()["plan"]["id"] == "plan_01");
  CHECK(as_key("GET", "/v1/subscriptions/subs_01").json()["plan"] == nullptr);
}

TEST_CASE_METHOD(HttpFixture, "attached addons are a bare array", "[http][subscriptions]") {
  catalog.all_subscriptions = {pro_with_seats()};
  catalog.all_addons = {seats()};
  const auto reply = as_key("GET", "/v1/subscriptions/subs_01/addons/associations");
  CHECK(reply.status == 200);
  REQUIRE(reply.json().is_array());
  REQUIRE(reply.json().size() == 1);
  auto record = reply.json()[0];
  CHECK(record["addon"]["name"] == "Seats");
  record.erase("addon");
  CHECK(record == nlohmann::json{{"id", "si_2"},
                                 {"addon_id", "addon_01"},
                                 {"addon_status", "active"},
                                 {"entity_type", "subscription"},
                                 {"entity_id", "subs_01"},
                                 {"start_date", "2026-09-21T15:13:20Z"},
                                 {"end_date", nullptr},
                                 {"cancelled_at", nullptr},
                                 {"cancellation_reason", nullptr},
                                 {"metadata", nlohmann::json::object()},
                                 {"subscription", nullptr},
                                 {"status", "published"},
                                 {"tenant_id", "tenant_01"},
                                 {"environment_id", "env_01"},
                                 {"created_at", "2026-09-21T14:13:20Z"},
                                 {"updated_at", "2026-09-21T14:13:20Z"},
                                 {"created_by", "stripe:evt_1"},
                                 {"updated_by", "stripe:evt_1"}});
}

TEST_CASE_METHOD(HttpFixture, "addons end with their subscription", "[http][subscriptions]") {
  auto ended = pro_with_seats();
  ended.terms.subscription_status = SubscriptionStatus::cancelled;
  ended.terms.cancelled_at = ended.terms.end_date = kNow;
  catalog.all_subscriptions = {ended};
  const auto record = as_key("GET", "/v1/subscriptions/subs_01/addons/associations").json()[0];
  CHECK(record["addon_status"] == "cancelled");
  CHECK(record["end_date"] == "2026-09-21T14:13:20Z");
  CHECK(record["cancelled_at"] == "2026-09-21T14:13:20Z");
  CHECK(record["addon"] == nullptr);
}

TEST_CASE_METHOD(HttpFixture, "what cannot be read is not left out", "[http][subscriptions]") {
  catalog.all_subscriptions = {pro_with_seats()};
  catalog.error = Error{ErrorCode::service_unavailable, "The store cannot be reached", {}};
  CHECK(as_key("GET", "/v1/subscriptions").status == 503);
  CHECK(as_key("GET", "/v1/subscriptions/subs_01").status == 200);
  CHECK(as_key("GET", "/v1/subscriptions/subs_01?expand=plan").status == 503);
  CHECK(as_key("GET", "/v1/subscriptions/subs_01/addons/associations").status == 503);
}

}  // namespace flexsync::test
