#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

using nlohmann::json;

const std::string kEvent =
    R"({"event_id":"e1","event_name":"call","external_customer_id":"ext_1","properties":{"units":1.50}})";

}  // namespace

TEST_CASE_METHOD(HttpFixture, "an event is accepted once it is stored", "[http][events]") {
  const auto reply = as_key("POST", "/v1/events", kEvent);
  REQUIRE(reply.status == 202);
  CHECK(reply.json() == json{{"message", "Event accepted for processing"}, {"event_id", "e1"}});
  REQUIRE(usage_intake.submissions.size() == 1);
  const auto& submission = usage_intake.submissions.front();
  CHECK(submission.scope == kScope);
  CHECK(submission.request_id == reply.header("x-request-id"));
  REQUIRE(submission.events.size() == 1);
  CHECK(submission.events[0].properties.at("units") == "1.50");
  CHECK(submission.events[0].timestamp == kNow);
}

TEST_CASE_METHOD(HttpFixture, "the id an event was given is told", "[http][events]") {
  const auto reply = as_key("POST", "/v1/events", R"({"event_name":"call","customer_id":"cust_1"})");
  CHECK(reply.json()["event_id"] == usage_intake.submissions.at(0).events.at(0).id.str());
}

TEST_CASE_METHOD(HttpFixture, "many events are accepted together", "[http][events]") {
  const auto reply = as_key("POST", "/v1/events/bulk", "{\"events\":[" + kEvent + "," + kEvent + "]}");
  CHECK(reply.status == 202);
  CHECK(reply.json() == json{{"message", "Events accepted for processing"}});
  CHECK(usage_intake.submissions.at(0).events.size() == 2);
}

TEST_CASE_METHOD(HttpFixture, "wrong events are refused before they are stored", "[http][events]") {
  CHECK(as_key("POST", "/v1/events", "{}").error()["details"].size() == 2);
  CHECK(as_key("POST", "/v1/events", "{").status == 400);
  const auto reply = as_key("POST", "/v1/events/bulk", R"({"events":[{"event_name":"x"}]})");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"].contains("events[0].external_customer_id"));
  CHECK(usage_intake.submissions.empty());
}

TEST_CASE_METHOD(HttpFixture, "what cannot be stored is not accepted", "[http][events]") {
  usage_intake.on_store = [](const UsageSubmission&, const FakeUsageIntake::Reply& reply) {
    reply(fail(ErrorCode::service_unavailable, "The store cannot be reached"));
  };
  const auto reply = as_key("POST", "/v1/events", kEvent);
  CHECK(reply.status == 503);
  CHECK(reply.header("retry-after") == "1");
  CHECK(as_key("POST", "/v1/events/bulk", "{\"events\":[" + kEvent + "]}").status == 503);
}

TEST_CASE_METHOD(HttpFixture, "a bulk has a limit of its own", "[http][events]") {
  config.body_size_max = 200;
  config.events_body_size_max = 1000;
  const auto padded = [&](std::size_t size) { return kEvent + std::string(size - kEvent.size(), ' '); };
  CHECK(as_key("POST", "/v1/events", padded(200)).status == 202);
  CHECK(as_key("POST", "/v1/events", padded(201)).status == 413);
  CHECK(as_key("POST", "/v1/events/bulk", "{\"events\":[" + padded(900) + "]}").status == 202);
  CHECK(as_key("POST", "/v1/events/bulk", "{\"events\":[" + padded(1000) + "]}").status == 413);
}

TEST_CASE_METHOD(HttpFixture, "only a key of the environment brings and reads events", "[http][events][auth]") {
  for (const auto& [method, path] : {std::pair<std::string, std::string>{"POST", "/v1/events"},
                                     {"POST", "/v1/events/bulk"},
                                     {"POST", "/v1/events/query"},
                                     {"GET", "/v1/events"}}) {
    INFO(method << " " << path);
    CHECK(send(method, path, "", kEvent).status == 401);
    CHECK(send(method, path, "x-api-key: wrong\r\n", kEvent).status == 401);
    CHECK(as_admin(method, path, kEvent).status == 403);
  }
  CHECK(usage_intake.submissions.empty());
}

TEST_CASE_METHOD(HttpFixture, "events are listed in FlexPrice's shape", "[http][events]") {
  UsageEvent event;
  event.id = UsageEventId("e1");
  event.event_name = "call";
  event.external_customer_id = "ext_1";
  event.timestamp = kNow;
  event.properties = {{"units", "1.50"}};
  event.source = "gateway";
  usage_queries.all_events = {event};
  usage_queries.total = 12;
  const auto reply = as_key("GET",
                            "/v1/events?page_size=1&offset=10&event_id=e1&event_name=call&external_customer_id=ext_1"
                            "&order=asc&sort=timestamp&start_time=2026-01-01T00:00:00Z&end_time=2026-02-01T00:00:00Z");
  REQUIRE(reply.status == 200);
  const json expected = {{"events",
                          {{{"id", "e1"},
                            {"event_name", "call"},
                            {"external_customer_id", "ext_1"},
                            {"customer_id", ""},
                            {"timestamp", "2026-09-21T14:13:20Z"},
                            {"properties", {{"units", "1.50"}}},
                            {"source", "gateway"},
                            {"environment_id", "env_01"}}}},
                         {"has_more", true},
                         {"iter_first_key", nullptr},
                         {"iter_last_key", nullptr},
                         {"offset", 11},
                         {"total_count", 12}};
  CHECK(reply.json() == expected);
  const auto check_filter = [&] {
    const auto& filter = usage_queries.event_filter;
    CHECK(filter.list.limit == 1);
    CHECK(filter.list.offset == 10);
    CHECK(filter.list.ascending);
    CHECK(filter.list.start_time == parse_rfc3339("2026-01-01T00:00:00Z"));
    CHECK(filter.list.end_time == parse_rfc3339("2026-02-01T00:00:00Z"));
    CHECK(filter.event_id == "e1");
    CHECK(filter.event_name == "call");
    CHECK(filter.external_customer_id == "ext_1");
    usage_queries.event_filter = {};
  };
  check_filter();
  const auto same = as_key("POST", "/v1/events/query",
                           R"({"page_size":1,"offset":10,"event_id":"e1","event_name":"call","order":"asc",
          "external_customer_id":"ext_1","sort":"timestamp","start_time":"2026-01-01T00:00:00Z",
          "end_time":"2026-02-01T00:00:00Z"})");
  CHECK(same.json() == expected);
  check_filter();
  usage_queries.total = 11;
  CHECK(as_key("POST", "/v1/events/query", R"({"page_size":1,"offset":10})").json()["has_more"] == false);
  CHECK(as_key("POST", "/v1/events/query").status == 200);
}

TEST_CASE_METHOD(HttpFixture, "filters that would be ignored are refused", "[http][events]") {
  const auto reply = as_key("GET",
                            "/v1/events?page_size=0&offset=-1&order=up&sort=name&start_time=noon&source=x"
                            "&property_filters=a&iter_first_key=1&iter_last_key=2");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"].size() == 9);
  const auto body = as_key("POST", "/v1/events/query",
                           R"({"page_size":1001,"offset":-1,"order":"up","sort":"name","start_time":"noon","source":"x",
          "property_filters":{"a":["b"]},"iter_first_key":"1","iter_last_key":"2"})");
  CHECK(body.status == 400);
  CHECK(body.error()["details"].size() == 9);
  CHECK(as_key("GET", "/v1/events?start_time=2026-02-01T00:00:00Z&end_time=2026-01-01T00:00:00Z").status == 400);
  CHECK(as_key("POST", "/v1/events/query", "[]").status == 400);
}

}  // namespace flexsync::test
