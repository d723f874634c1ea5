#include "http/resources/customer_search.hpp"

#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

using nlohmann::json;

json condition(const std::string& field, const std::string& comparison, const json& value) {
  return {{"filters", {{{"field", field}, {"operator", comparison}, {"data_type", "string"}, {"value", value}}}}};
}

std::map<std::string, std::string> faults(const json& body) {
  const auto filter = http::read_customer_search(body.dump(), 64);
  return filter ? std::map<std::string, std::string>() : filter.error().details;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "customers are searched by the list's filter in the body", "[http][customers]") {
  queries.all_customers = {Customer{}};
  queries.total = 9;
  const auto reply = as_key("POST", "/v1/customers/search",
                            R"({"limit":2,"offset":4,"order":"asc","status":"archived","customer_ids":["cust_1"],
          "external_ids":["a","b"],"external_id":"c","email":"a@b.c","start_time":"2026-01-01T00:00:00Z",
          "end_time":"2026-02-01T00:00:00Z","expand":"ignored"})");
  REQUIRE(reply.status == 200);
  CHECK(reply.json()["items"].size() == 1);
  CHECK(reply.json()["pagination"] == json{{"total", 9}, {"limit", 2}, {"offset", 6}});
  const auto& filter = queries.customer_filter;
  CHECK(filter.list.limit == 2);
  CHECK(filter.list.offset == 4);
  CHECK(filter.list.ascending);
  CHECK(filter.list.start_time == parse_rfc3339("2026-01-01T00:00:00Z"));
  CHECK(filter.list.end_time == parse_rfc3339("2026-02-01T00:00:00Z"));
  CHECK(filter.status == Status::archived);
  CHECK(filter.ids == std::vector<std::string>{"cust_1"});
  CHECK(filter.external_ids == std::vector<std::string>{"a", "b", "c"});
  CHECK(filter.email == "a@b.c");
}

TEST_CASE_METHOD(HttpFixture, "an empty search lists all", "[http][customers]") {
  CHECK(as_key("POST", "/v1/customers/search").status == 200);
  CHECK(as_key("POST", "/v1/customers/search", "{}").status == 200);
  CHECK(queries.customer_filter.list.limit == 50);
  CHECK(queries.customer_filter.conditions.empty());
}

TEST_CASE("conditions and orders are read as they are meant", "[http][customer_search]") {
  const auto filter = http::read_customer_search(
      R"({"filters":[
        {"field":"name","operator":"contains","data_type":"string","value":{"string":"jan"}},
        {"field":"email","operator":"eq","value":{"string":"a@b.c"}},
        {"field":"external_id","operator":"in","data_type":"array","value":{"array":["x","y"]}},
        {"field":"contact","operator":"not_contains","value":{"string":"+49"}},
        {"field":"status","operator":"not_in","value":{"array":["archived"]}},
        {"field":"created_at","operator":"after","data_type":"date","value":{"date":"2026-01-01T00:00:00Z"}},
        {"field":"created_at","operator":"gte","value":{"date":"2026-01-02T00:00:00Z"}},
        {"field":"created_at","operator":"lt","value":{"date":"2026-01-03T00:00:00Z"}}],
       "sort":[{"field":"name","direction":"asc"},{"field":"created_at","direction":"desc"},{"field":"id"}]})",
      64);
  REQUIRE(filter);
  const auto time = [](const char* text) { return parse_rfc3339(text).value(); };
  CHECK(filter->conditions == std::vector<CustomerCondition>{
                                  {CustomerField::name, Comparison::contains, {"jan"}, {}},
                                  {CustomerField::email, Comparison::in, {"a@b.c"}, {}},
                                  {CustomerField::external_id, Comparison::in, {"x", "y"}, {}},
                                  {CustomerField::contact, Comparison::not_contains, {"+49"}, {}},
                                  {CustomerField::status, Comparison::not_in, {"archived"}, {}},
                                  {CustomerField::created_at, Comparison::after, {}, time("2026-01-01T00:00:00Z")},
                                  {CustomerField::created_at, Comparison::from, {}, time("2026-01-02T00:00:00Z")},
                                  {CustomerField::created_at, Comparison::before, {}, time("2026-01-03T00:00:00Z")}});
  CHECK(filter->order == std::vector<CustomerOrder>{{CustomerField::name, true},
                                                    {CustomerField::created_at, false},
                                                    {CustomerField::id, false}});
}

TEST_CASE("a condition that means nothing is refused by its place", "[http][customer_search]") {
  CHECK(faults(condition("secret", "eq", {{"string", "x"}})) ==
        std::map<std::string, std::string>{
            {"filters[0].field", "must be id, external_id, name, email, contact, status or created_at"}});
  CHECK(faults(condition("name", "gt", {{"string", "x"}})).contains("filters[0].operator"));
  CHECK(faults(condition("name", "in", {{"string", "x"}}))["filters[0].value.array"] == "is required");
  CHECK(faults(condition("name", "eq", {{"number", 5}}))["filters[0].value.string"] == "is required");
  CHECK(faults(condition("name", "eq", {{"string", 5}}))["filters[0].value.string"] == "must be a string");
  CHECK(faults(condition("name", "eq", nullptr)).contains("filters[0].value.string"));
  CHECK(faults(condition("status", "eq", {{"string", "gone"}})).contains("filters[0].value.string"));
  CHECK(faults(condition("status", "contains", {{"string", "pub"}}))["filters[0].operator"] ==
        "must be eq, in or not_in");
  CHECK(faults(condition("created_at", "eq", {{"date", "2026-01-01T00:00:00Z"}})).contains("filters[0].operator"));
  CHECK(faults(condition("created_at", "after", {{"date", "noon"}})).contains("filters[0].value.date"));
  CHECK(faults(condition("created_at", "after", json::object()))["filters[0].value.date"] == "is required");
  CHECK(faults({{"filters", {5}}})["filters[0]"] == "must be an object");
  CHECK(faults({{"filters", "x"}}).contains("filters"));
}

TEST_CASE("orders and the list's own fields have their limits", "[http][customer_search]") {
  CHECK(faults({{"sort", {{{"field", "name"}, {"direction", "up"}}}}}).contains("sort[0].direction"));
  CHECK(faults({{"sort", {{{"field", "secret"}}}}}).contains("sort[0].field"));
  CHECK(faults({{"sort", "name"}}).contains("sort"));
  CHECK(faults({{"limit", 0}, {"offset", -1}, {"order", "up"}, {"status", "gone"}}).size() == 4);
  CHECK(faults({{"limit", 1001}})["limit"] == "must be a whole number from 1 to 1000");
  CHECK(faults({{"limit", 1.5}}).contains("limit"));
  CHECK(faults({{"offset", 18446744073709551615ULL}}).contains("offset"));
  CHECK(faults({{"start_time", "2026-02-01T00:00:00Z"}, {"end_time", "2026-01-01T00:00:00Z"}}).contains("end_time"));
  auto filters = json::array();
  for (int i = 0; i < 21; ++i) {
    filters.push_back({{"field", "name"}, {"operator", "eq"}, {"value", {{"string", "x"}}}});
  }
  CHECK(faults({{"filters", filters}}).contains("filters"));
}

}  // namespace flexsync::test
