#include "http/resources/usage_event_body.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "domain/ulid.hpp"
#include "support/fake_ports.hpp"

namespace flexsync::test {

namespace {

using nlohmann::json;
using Faults = std::map<std::string, std::string>;

UsageEvent one(const std::string& body) {
  const auto events = http::read_usage_event(body, 64, kNow);
  REQUIRE(events);
  REQUIRE(events->size() == 1);
  return events->front();
}

Faults faults(const std::string& body) {
  const auto events = http::read_usage_event(body, 64, kNow);
  return events ? Faults() : events.error().details;
}

Faults faults_of_many(const std::string& body) {
  const auto events = http::read_usage_events(body, 64, kNow);
  return events ? Faults() : events.error().details;
}

std::string with(const std::string& members) {
  return R"({"event_name":"call","external_customer_id":"ext_1",)" + members + "}";
}

}  // namespace

TEST_CASE("an event is read with all its fields", "[http][usage_event_body]") {
  const auto event = one(R"({"event_id":"e1","event_name":"call","external_customer_id":"ext_1","customer_id":"cust_1",
      "timestamp":"2026-01-31T01:00:00+01:00","source":"gateway","properties":{"region":"eu"},"unknown":[{"a":1}]})");
  UsageEvent expected;
  expected.id = UsageEventId("e1");
  expected.event_name = "call";
  expected.external_customer_id = "ext_1";
  expected.customer_id = CustomerId("cust_1");
  expected.timestamp = parse_rfc3339("2026-01-31T00:00:00Z").value();
  expected.source = "gateway";
  expected.properties = {{"region", "eu"}};
  expected.received = kNow;
  CHECK(event == expected);
}

TEST_CASE("an event without id and time gets both", "[http][usage_event_body]") {
  for (const auto* members :
       {"\"a\":1", "\"event_id\":\"\",\"timestamp\":\"\"", "\"event_id\":null,\"timestamp\":null"}) {
    const auto event = one(with(members));
    CHECK(has_id_form(prefix::kUsageEvent, event.id.str()));
    CHECK(event.timestamp == kNow);
  }
  CHECK(one(R"({"event_name":"call","customer_id":"cust_1"})").external_customer_id.empty());
}

TEST_CASE("numbers keep the text they were sent with", "[http][usage_event_body]") {
  const auto event = one(with(R"("properties":{"a":1.10,"b":-0.0,"c":123456789012345678901234567890,"d":1E-7,
      "e":0.1000000000000000055511151231257827,"f":true,"g":false,"h":"1.10","i":null})"));
  CHECK(event.properties == std::map<std::string, std::string>{{"a", "1.10"},
                                                               {"b", "-0.0"},
                                                               {"c", "123456789012345678901234567890"},
                                                               {"d", "1E-7"},
                                                               {"e", "0.1000000000000000055511151231257827"},
                                                               {"f", "true"},
                                                               {"g", "false"},
                                                               {"h", "1.10"}});
}

TEST_CASE("what is wrong with an event is named", "[http][usage_event_body]") {
  CHECK(faults("{}") ==
        Faults{{"event_name", "is required"}, {"external_customer_id", "is required, unless customer_id is there"}});
  CHECK(faults(R"({"event_name":5,"external_customer_id":["x"]})") ==
        Faults{{"event_name", "must be a string"}, {"external_customer_id", "must be a string"}});
  const std::string long_text(256, 'x');
  for (const std::string name : {"event_id", "event_name", "external_customer_id", "customer_id", "source"}) {
    INFO(name);
    CHECK(faults(with("\"" + name + "\":\"" + long_text + "\""))[name] == "must not be longer than 255 characters");
    CHECK(faults(with("\"" + name + "\":\"a\\u0000\""))[name] == "must not hold a NUL character");
  }
  CHECK(faults(with(R"("timestamp":"noon")")).contains("timestamp"));
  CHECK(faults(with(R"("timestamp":1790000000)"))["timestamp"] == "must be a string");
}

TEST_CASE("properties are flat and bounded", "[http][usage_event_body]") {
  CHECK(faults(with(R"("properties":[1])"))["properties"] == "must be an object");
  CHECK(faults(with(R"("properties":null)")).empty());
  for (const auto* nested : {R"({"a":{"b":1}})", R"({"a":[1,2]})"}) {
    CHECK(faults(with(std::string("\"properties\":") + nested))["properties.a"] ==
          "must be a string, a number or a boolean, not an object or an array");
  }
  CHECK(faults(with(R"("properties":{"a":"\u0000"})"))["properties.a"] == "must not hold a NUL character");
  CHECK(faults(with(R"("properties":{"":"x"})")).contains("properties"));
  CHECK(faults(with(R"("properties":{"a\u0000":"x"})")).contains("properties"));
  CHECK(faults(with("\"properties\":{\"" + std::string(256, 'k') + "\":1}")).contains("properties"));
  CHECK(faults(with("\"properties\":{\"k\":\"" + std::string(4096, 'v') + "\"}")).empty());
  CHECK(faults(with("\"properties\":{\"k\":\"" + std::string(4097, 'v') + "\"}")).contains("properties.k"));
  CHECK(faults(with("\"properties\":{\"k\":" + std::string(4097, '1') + "}")).contains("properties.k"));
  json properties;
  for (int i = 0; i < 100; ++i) {
    properties["k" + std::to_string(i)] = i;
  }
  CHECK(faults(with("\"properties\":" + properties.dump())).empty());
  properties["one more"] = 1;
  CHECK(faults(with("\"properties\":" + properties.dump()))["properties"] == "must not have more than 100 entries");
}

TEST_CASE("a body that is no JSON says where it breaks", "[http][usage_event_body]") {
  const auto message = [](const std::string& body) { return http::read_usage_event(body, 64, kNow).error().message; };
  CHECK(message("") == "The body is not valid JSON: it breaks at line 1, column 1");
  CHECK(message("{\"event_name\":\n oops}") == "The body is not valid JSON: it breaks at line 2, column 2");
  CHECK(message(with("\"a\":1") + "x").find("column") != std::string::npos);
  CHECK(message(with("\"a\":" + std::string(100, '['))).find("valid JSON") != std::string::npos);
  CHECK(faults("[]") == Faults{{"body", "must be a JSON object"}});
  CHECK(faults_of_many("7") == Faults{{"body", "must be a JSON object"}});
}

TEST_CASE("many events are read in their order, and one wrong event refuses all", "[http][usage_event_body]") {
  const auto events = http::read_usage_events(
      R"({"ignored":[{"events":1}],"events":[{"event_id":"a","event_name":"x","customer_id":"c"},
          {"event_id":"b","event_name":"y","external_customer_id":"e"}]})",
      64, kNow);
  REQUIRE(events);
  REQUIRE(events->size() == 2);
  CHECK(events->at(0).id == UsageEventId("a"));
  CHECK(events->at(1).event_name == "y");
  CHECK(faults_of_many(R"({"events":[{"event_name":"x","customer_id":"c"},{"customer_id":"c"},7]})") ==
        Faults{{"events[1].event_name", "is required"}, {"events[2]", "must be an object"}});
}

TEST_CASE("a call has 1 to 1000 events", "[http][usage_event_body]") {
  const auto body = [](int count) {
    std::string events;
    for (int i = 0; i < count; ++i) {
      events += std::string(i == 0 ? "" : ",") + R"({"event_name":"x","customer_id":"c"})";
    }
    return "{\"events\":[" + events + "]}";
  };
  CHECK(faults_of_many(body(1)).empty());
  CHECK(faults_of_many(body(1000)).empty());
  CHECK(faults_of_many(body(1001)) == Faults{{"events", "must not hold more than 1000 events"}});
  CHECK(faults_of_many(body(0)) == Faults{{"events", "must be an array of 1 to 1000 events"}});
  CHECK(faults_of_many("{}").contains("events"));
  CHECK(faults_of_many(R"({"events":null})").contains("events"));
  CHECK(faults_of_many(R"({"events":{}})").contains("events"));
}

TEST_CASE("an answer names a bounded number of faults", "[http][usage_event_body]") {
  std::string events;
  for (int i = 0; i < 1000; ++i) {
    events += std::string(i == 0 ? "" : ",") + "{}";
  }
  CHECK(faults_of_many("{\"events\":[" + events + "]}").size() == 50);
}

}  // namespace flexsync::test
