#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

using nlohmann::json;

json wanted(const json& aggregation = {{"type", "SUM"}, {"field", "units"}}) {
  return {{"name", "Calls"}, {"event_name", "call"}, {"reset_usage", "BILLING_PERIOD"}, {"aggregation", aggregation}};
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "a meter is made with all its fields", "[http][meters]") {
  auto body = wanted({{"type", "SUM_WITH_MULTIPLIER"}, {"field", "units"}, {"multiplier", "0.0010"}});
  body["filters"] = {{{"key", "region"}, {"values", {"eu", "us"}}}};
  const auto reply = as_key("POST", "/v1/meters", body.dump());
  REQUIRE(reply.status == 201);
  CHECK(reply.json() == json{{"id", "meter_01"},
                             {"name", "Calls"},
                             {"event_name", "call"},
                             {"aggregation",
                              {{"type", "SUM_WITH_MULTIPLIER"},
                               {"field", "units"},
                               {"multiplier", "0.001"},
                               {"bucket_size", nullptr},
                               {"group_by", nullptr}}},
                             {"filters", {{{"key", "region"}, {"values", {"eu", "us"}}}}},
                             {"reset_usage", "BILLING_PERIOD"},
                             {"status", "published"},
                             {"created_at", "1970-01-01T00:00:00Z"},
                             {"updated_at", "1970-01-01T00:00:00Z"},
                             {"created_by", ""},
                             {"updated_by", ""},
                             {"tenant_id", "tenant_01"},
                             {"environment_id", "env_01"}});
  CHECK(meter_commands.asked_by == "api_key:secret_01");
  CHECK(meter_commands.asked_scope == kScope);
  CHECK(meter_commands.asked_meter.filters == std::vector<MeterFilter>{{"region", {"eu", "us"}}});
}

TEST_CASE_METHOD(HttpFixture, "counting needs no field, and a factor may be a number", "[http][meters]") {
  const auto counted = as_key("POST", "/v1/meters", wanted({{"type", "COUNT"}, {"field", "ignored"}}).dump());
  CHECK(counted.status == 201);
  CHECK(counted.json()["aggregation"]["field"] == "");
  CHECK(counted.json()["aggregation"]["multiplier"].is_null());
  const auto reply = as_key("POST", "/v1/meters",
                            wanted({{"type", "SUM_WITH_MULTIPLIER"}, {"field", "units"}, {"multiplier", 0.1}}).dump());
  CHECK(reply.json()["aggregation"]["multiplier"] == "0.1");
}

TEST_CASE_METHOD(HttpFixture, "what does not add up to a quantity is refused by name", "[http][meters]") {
  const auto details = [&](const json& aggregation) {
    const auto reply = as_key("POST", "/v1/meters", wanted(aggregation).dump());
    CHECK(reply.status == 400);
    return reply.error()["details"];
  };
  for (const auto* type : {"AVG", "COUNT_UNIQUE", "LATEST", "MAX", "WEIGHTED_SUM", "sum", "?"}) {
    CHECK(details({{"type", type}, {"field", "x"}})["aggregation.type"] == "must be COUNT, SUM or SUM_WITH_MULTIPLIER");
  }
  CHECK(details(json::object()).contains("aggregation.type"));
  CHECK(details({{"type", "SUM"}})["aggregation.field"] == "is required");
  CHECK(details({{"type", "SUM_WITH_MULTIPLIER"}, {"field", "x"}})["aggregation.multiplier"] == "is required");
  for (const auto& factor : {json("0"), json("-1"), json("many"), json(0), json(""), json(true)}) {
    INFO(factor);
    CHECK(details({{"type", "SUM_WITH_MULTIPLIER"}, {"field", "x"}, {"multiplier", factor}})
              .contains("aggregation.multiplier"));
  }
  CHECK(details({{"type", "SUM"}, {"field", "x"}, {"multiplier", "2"}})["aggregation.multiplier"] ==
        "is for SUM_WITH_MULTIPLIER only");
  for (const std::string name : {"expression", "bucket_size", "group_by"}) {
    CHECK(details({{"type", "SUM"}, {"field", "x"}, {name, "HOUR"}}).contains("aggregation." + name));
  }
}

TEST_CASE_METHOD(HttpFixture, "what is wrong with a meter is named, all at once", "[http][meters]") {
  const auto none = as_key("POST", "/v1/meters", "{}");
  CHECK(none.status == 400);
  CHECK(none.error()["details"].size() == 4);
  auto body = wanted();
  body["name"] = std::string(256, 'x');
  body["reset_usage"] = "DAILY";
  body["filters"] = {
      5, {{"values", {"a"}}}, {{"key", "k"}, {"values", json::array()}}, {{"key", "k"}, {"values", "v"}}};
  const auto reply = as_key("POST", "/v1/meters", body.dump());
  CHECK(reply.error()["details"] == json{{"name", "must not be longer than 255 characters"},
                                         {"reset_usage", "must be BILLING_PERIOD or NEVER"},
                                         {"filters[0]", "must be an object"},
                                         {"filters[1].key", "is required"},
                                         {"filters[2].values", "is required: at least one"},
                                         {"filters[3].values", "must be an array of at most 100 strings"}});
  CHECK(as_key("POST", "/v1/meters", "{").status == 400);
  CHECK(meter_commands.asked_by.empty());
}

TEST_CASE_METHOD(HttpFixture, "only the filters of a meter change", "[http][meters]") {
  const auto reply = as_key("PUT", "/v1/meters/meter_07", R"({"filters":[{"key":"k","values":["v"]}],"name":"x"})");
  CHECK(reply.status == 200);
  CHECK(reply.json()["id"] == "meter_07");
  CHECK(meter_commands.asked_meter.filters == std::vector<MeterFilter>{{"k", {"v"}}});
  CHECK(as_key("PUT", "/v1/meters/meter_07", R"({"filters":[]})").status == 200);
  CHECK(meter_commands.asked_meter.filters.empty());
  CHECK(as_key("PUT", "/v1/meters/meter_07", "{}").error()["details"].contains("filters"));
  CHECK(as_key("PUT", "/v1/meters/meter_07", R"({"filters":"all"})").status == 400);
}

TEST_CASE_METHOD(HttpFixture, "meters are listed, shown and deleted", "[http][meters]") {
  CHECK(as_key("GET", "/v1/meters/meter_01").status == 404);
  Meter meter;
  meter.id = MeterId("meter_01");
  usage_queries.all_meters = {meter};
  usage_queries.total = 1;
  CHECK(as_key("GET", "/v1/meters/meter_01").json()["id"] == "meter_01");
  const auto list = as_key("GET", "/v1/meters?limit=5");
  CHECK(list.json()["items"].size() == 1);
  CHECK(list.json()["pagination"]["total"] == 1);
  CHECK(usage_queries.asked_list.limit == 5);
  CHECK(as_key("GET", "/v1/meters?limit=0").status == 400);
  CHECK(as_key("DELETE", "/v1/meters/meter_01").status == 200);
  CHECK(meter_commands.asked_id == "meter_01");
  meter_commands.error = Error{ErrorCode::invalid_operation, "a mapping bills it", {}};
  CHECK(as_key("DELETE", "/v1/meters/meter_01").status == 400);
}

TEST_CASE_METHOD(HttpFixture, "only a key of the environment has meters", "[http][meters][auth]") {
  for (const auto& [method, path] : {std::pair<std::string, std::string>{"POST", "/v1/meters"},
                                     {"GET", "/v1/meters"},
                                     {"GET", "/v1/meters/meter_01"},
                                     {"PUT", "/v1/meters/meter_01"},
                                     {"DELETE", "/v1/meters/meter_01"}}) {
    INFO(method << " " << path);
    CHECK(send(method, path, "x-api-key: wrong\r\n", "{}").status == 401);
    CHECK(as_admin(method, path, "{}").status == 403);
  }
}

}  // namespace flexsync::test
