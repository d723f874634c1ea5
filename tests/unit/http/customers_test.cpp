#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

Customer jane() {
  Customer customer;
  customer.id = CustomerId("cust_01");
  customer.external_id = "ext/1";
  customer.fields.name = "Jane";
  customer.fields.email = "jane@example.com";
  customer.fields.contact = "+49 1";
  customer.fields.address_country = "DE";
  customer.fields.metadata = {{"stripe_customer_id", "cus_1"}};
  customer.created_at = kNow;
  customer.updated_at = kNow + std::chrono::milliseconds(5);
  customer.created_by = "stripe:evt_1";
  customer.updated_by = "stripe:evt_2";
  return customer;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "a customer is shown in FlexPrice's shape", "[http][customers]") {
  queries.all_customers = {jane()};
  const auto reply = as_key("GET", "/v1/customers/cust_01");
  CHECK(reply.status == 200);
  CHECK(reply.json() == nlohmann::json{{"id", "cust_01"},
                                       {"external_id", "ext/1"},
                                       {"name", "Jane"},
                                       {"email", "jane@example.com"},
                                       {"contact", "+49 1"},
                                       {"address_line1", ""},
                                       {"address_line2", ""},
                                       {"address_city", ""},
                                       {"address_state", ""},
                                       {"address_postal_code", ""},
                                       {"address_country", "DE"},
                                       {"parent_customer_id", nullptr},
                                       {"parent_customer", nullptr},
                                       {"metadata", {{"stripe_customer_id", "cus_1"}}},
                                       {"status", "published"},
                                       {"tenant_id", "tenant_01"},
                                       {"environment_id", "env_01"},
                                       {"created_at", "2026-09-21T14:13:20Z"},
                                       {"updated_at", "2026-09-21T14:13:20.005000Z"},
                                       {"created_by", "stripe:evt_1"},
                                       {"updated_by", "stripe:evt_2"}});
  CHECK(queries.asked_id == "cust_01");
}

TEST_CASE_METHOD(HttpFixture, "no metadata is an object, too", "[http][customers]") {
  queries.all_customers = {Customer{}};
  CHECK(as_key("GET", "/v1/customers/cust_01").json()["metadata"] == nlohmann::json::object());
}

TEST_CASE_METHOD(HttpFixture, "a customer is found by external id, decoded", "[http][customers]") {
  CHECK(as_key("GET", "/v1/customers/external/none").status == 404);
  queries.all_customers = {jane()};
  CHECK(as_key("GET", "/v1/customers/external/ext%2F1+%C3%BC").json()["id"] == "cust_01");
  CHECK(queries.asked_id == "ext/1+ü");
  CHECK(as_key("GET", "/v1/customers/lookup/ext_2").json()["id"] == "cust_01");
  CHECK(queries.asked_id == "ext_2");
  CHECK(as_key("GET", "/v1/customers/external/%00").status == 400);
  CHECK(as_key("GET", "/v1/customers/external/%zz").error()["details"].contains("external_id"));
  CHECK(as_key("GET", "/v1/customers/external/%ff").status == 400);
}

TEST_CASE_METHOD(HttpFixture, "customers are listed by every filter", "[http][customers]") {
  queries.all_customers = {jane(), jane()};
  queries.total = 77;
  const auto reply =
      as_key("GET",
             "/v1/customers?limit=2&offset=40&status=archived&external_id=a&external_ids=b,c&external_ids=d"
             "&customer_ids=cust_1&email=a%2Bb%40c.de&start_time=2026-01-01T00:00:00Z"
             "&end_time=2026-02-01T00:00:00%2B01:00&order=asc&sort=created_at&expand=ignored");
  CHECK(reply.status == 200);
  CHECK(reply.json()["items"].size() == 2);
  CHECK(reply.json()["pagination"] == nlohmann::json{{"total", 77}, {"limit", 2}, {"offset", 42}});
  const auto& filter = queries.customer_filter;
  CHECK(filter.list.limit == 2);
  CHECK(filter.list.offset == 40);
  CHECK(filter.list.ascending);
  CHECK(filter.list.start_time == parse_rfc3339("2026-01-01T00:00:00Z"));
  CHECK(filter.list.end_time == parse_rfc3339("2026-01-31T23:00:00Z"));
  CHECK(filter.status == Status::archived);
  CHECK(filter.ids == std::vector<std::string>{"cust_1"});
  CHECK(filter.external_ids == std::vector<std::string>{"b", "c", "d", "a"});
  CHECK(filter.email == "a+b@c.de");
}

TEST_CASE_METHOD(HttpFixture, "an empty list is a list", "[http][customers]") {
  const auto reply = as_key("GET", "/v1/customers");
  CHECK(reply.json() == nlohmann::json{{"items", nlohmann::json::array()},
                                       {"pagination", {{"total", 0}, {"limit", 50}, {"offset", 50}}}});
  CHECK_FALSE(queries.customer_filter.status.has_value());
}

TEST_CASE_METHOD(HttpFixture, "wrong parameters are named all at once", "[http][customers]") {
  const auto reply = as_key(
      "GET", "/v1/customers?limit=1001&offset=-1&status=gone&order=up&sort=name&start_time=today&end_time=tomorrow");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"].size() == 7);
  CHECK(reply.error()["details"]["limit"] == "must be a whole number from 1 to 1000");
  CHECK(as_key("GET", "/v1/customers?email=%f").status == 400);
  CHECK(as_key("GET", "/v1/customers?start_time=2026-02-01T00:00:00Z&end_time=2026-01-01T00:00:00Z").status == 400);
}

TEST_CASE_METHOD(HttpFixture, "text from a row that is not UTF-8 does not fail the answer", "[http][customers]") {
  auto customer = jane();
  customer.fields.name = "J\xFFne";
  queries.all_customers = {customer};
  CHECK(as_key("GET", "/v1/customers/cust_01").json()["name"] == "J\xEF\xBF\xBDne");
}

}  // namespace flexsync::test
