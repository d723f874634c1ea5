#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

using nlohmann::json;

const std::string kPath = "/v1/stripe/meters/mapping";
const std::string kWanted = R"({"meter_id":"meter_01","provider_type":"stripe","provider_meter_id":"mtr_1"})";

}  // namespace

TEST_CASE_METHOD(HttpFixture, "a meter is mapped, from now on unless it is said otherwise", "[http][meter_mappings]") {
  const auto reply = as_key("POST", kPath, kWanted);
  REQUIRE(reply.status == 201);
  CHECK(reply.json() == json{{"id", "mmap_01"},
                             {"meter_id", "meter_01"},
                             {"provider_type", "stripe"},
                             {"provider_meter_id", "mtr_1"},
                             {"sync_enabled", true},
                             {"configuration",
                              {{"event_name", ""},
                               {"customer_key", ""},
                               {"value_key", ""},
                               {"scale", 0},
                               {"start_at", "2026-09-21T14:13:20Z"}}},
                             {"status", "published"},
                             {"created_at", "1970-01-01T00:00:00Z"},
                             {"updated_at", "1970-01-01T00:00:00Z"},
                             {"tenant_id", "tenant_01"},
                             {"environment_id", "env_01"}});
  CHECK(meter_commands.asked_by == "api_key:secret_01");
  auto body = json::parse(kWanted);
  body["sync_enabled"] = false;
  body["configuration"] = {{"scale", -3}, {"start_at", "2026-01-01T00:00:00Z"}, {"event_name", "stripe_calls"}};
  CHECK(as_key("POST", kPath, body.dump()).status == 201);
  CHECK_FALSE(meter_commands.asked_mapping.sync_enabled);
  CHECK(meter_commands.asked_mapping.scale == -3);
  CHECK(meter_commands.asked_mapping.start_at == parse_rfc3339("2026-01-01T00:00:00Z"));
  CHECK(meter_commands.asked_mapping.event_name == "stripe_calls");
}

TEST_CASE_METHOD(HttpFixture, "what is wrong with a mapping is named, all at once", "[http][meter_mappings]") {
  const auto none = as_key("POST", kPath, "{}");
  CHECK(none.status == 400);
  CHECK(none.error()["details"] ==
        json{{"meter_id", "is required"}, {"provider_type", "is required"}, {"provider_meter_id", "is required"}});
  const auto reply = as_key("POST", kPath, R"({"meter_id":"m","provider_type":"adyen","provider_meter_id":"price_1",
      "sync_enabled":"yes","configuration":{"scale":16,"start_at":"noon"}})");
  CHECK(reply.error()["details"] ==
        json{{"provider_type", "must be stripe"},
             {"provider_meter_id", "must be the id of a Stripe meter: mtr_…"},
             {"sync_enabled", "must be true or false"},
             {"configuration.scale", "must be a whole number from -15 to 15"},
             {"configuration.start_at", "must be an RFC 3339 time such as 2026-01-31T00:00:00Z"}});
  CHECK(as_key("POST", kPath, R"({"configuration":5})").error()["details"].contains("configuration"));
  meter_commands.error = Error{ErrorCode::already_exists, "it is mapped", {}};
  CHECK(as_key("POST", kPath, kWanted).status == 409);
}

TEST_CASE_METHOD(HttpFixture, "a mapping is switched, and nothing else of it changes", "[http][meter_mappings]") {
  CHECK(as_key("PUT", kPath + "/mmap_01", R"({"sync_enabled":false})").json()["sync_enabled"] == false);
  CHECK(meter_commands.asked_sync_enabled == false);
  CHECK(as_key("PUT", kPath + "/mmap_01", "{}").status == 200);
  CHECK_FALSE(meter_commands.asked_sync_enabled.has_value());
  const auto reply = as_key("PUT", kPath + "/mmap_01", R"({"configuration":{"scale":1},"provider_meter_id":"mtr_2"})");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"]["configuration"] == "cannot be changed: delete the mapping and make another");
  CHECK(reply.error()["details"].size() == 2);
}

TEST_CASE_METHOD(HttpFixture, "mappings are listed, shown and deleted", "[http][meter_mappings]") {
  CHECK(as_key("GET", kPath + "/mmap_01").status == 404);
  MeterMapping mapping;
  mapping.id = MeterMappingId("mmap_01");
  usage_queries.all_mappings = {mapping};
  CHECK(as_key("GET", kPath + "/mmap_01").json()["id"] == "mmap_01");
  CHECK(as_key("GET", kPath + "?meter_id=meter_9").json()["items"].size() == 1);
  CHECK(usage_queries.asked_id == "meter_9");
  CHECK(as_key("GET", kPath + "?order=up").status == 400);
  CHECK(as_key("DELETE", kPath + "/mmap_01").status == 204);
  CHECK(meter_commands.asked_id == "mmap_01");
  meter_commands.error = Error{ErrorCode::not_found, "no such mapping", {}};
  CHECK(as_key("DELETE", kPath + "/mmap_02").status == 404);
}

TEST_CASE_METHOD(HttpFixture, "only a key of the environment maps meters", "[http][meter_mappings][auth]") {
  for (const auto& [method, path] : {std::pair<std::string, std::string>{"POST", kPath},
                                     {"GET", kPath},
                                     {"GET", kPath + "/mmap_01"},
                                     {"PUT", kPath + "/mmap_01"},
                                     {"DELETE", kPath + "/mmap_01"}}) {
    INFO(method << " " << path);
    CHECK(send(method, path, "x-api-key: wrong\r\n", "{}").status == 401);
    CHECK(as_admin(method, path, "{}").status == 403);
  }
}

}  // namespace flexsync::test
