#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

WebhookEventView parked() {
  WebhookEventView view;
  view.event.scope = kScope;
  view.event.id = StripeEventId("evt_1");
  view.event.type = "customer.updated";
  view.event.object_type = "customer";
  view.event.object_id = "cus_1";
  view.event.created = kNow;
  view.event.received = kNow;
  view.event.request_id = "req-1";
  view.event.payload = R"({"id":"evt_1"})";
  view.state = "retrying";
  view.reason = "the store said no";
  view.settled_at = kNow;
  view.attempts = {{1, "conflict", "a mapping is in the way", kNow}};
  view.waiting = {1, "conflict", "a mapping is in the way", "", "", kNow, kNow + std::chrono::seconds(2)};
  view.changes = {
      {"customer", "cust_1", "update", "r", kNow, {{"email", {}, R"("a@b")"}, {"name", R"("a")", R"("b")"}}}};
  view.deeds = {{"redrive", "admin", kNow}};
  return view;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "an event shows its attempts, what is next and what changed, field by field",
                 "[http][webhook_events]") {
  queries.all_events = {parked()};
  const auto body = as_key("GET", "/v1/webhook-events/evt_1").json();
  CHECK(body["id"] == "evt_1");
  CHECK(body["state"] == "retrying");
  CHECK(body["received_at"] == "2026-09-21T14:13:20Z");
  CHECK(body["settled_at"] == "2026-09-21T14:13:20Z");
  CHECK_FALSE(body.contains("payload"));
  CHECK(body["attempts"][0]["error_code"] == "conflict");
  CHECK(body["waiting"]["next_attempt_at"] == "2026-09-21T14:13:22Z");
  CHECK(body["waiting"]["blocked_by"].is_null());
  const nlohmann::json fields = {{{"field", "email"}, {"before", nullptr}, {"after", "a@b"}},
                                 {{"field", "name"}, {"before", "a"}, {"after", "b"}}};
  CHECK(body["changes"][0]["fields"] == fields);
  CHECK(body["changes"][0]["entity_id"] == "cust_1");
  CHECK(body["actions"][0]["actor"] == "admin");
  CHECK(queries.asked_id == "evt_1");
}

TEST_CASE_METHOD(HttpFixture, "a blocked event says what must appear first; a settled one waits for nothing",
                 "[http][webhook_events]") {
  auto view = parked();
  view.waiting->object_type = "product";
  view.waiting->object_id = "prod_1";
  view.waiting->next_attempt_at.reset();
  queries.all_events = {view};
  const auto waiting = as_key("GET", "/v1/webhook-events/evt_1").json()["waiting"];
  CHECK(waiting["blocked_by"] == nlohmann::json{{"object_type", "product"}, {"object_id", "prod_1"}});
  CHECK(waiting["next_attempt_at"].is_null());
  queries.all_events.front().waiting.reset();
  CHECK(as_key("GET", "/v1/webhook-events/evt_1").json()["waiting"].is_null());
}

TEST_CASE_METHOD(HttpFixture, "the payload is shown on request, as JSON where it is", "[http][webhook_events]") {
  queries.all_events = {parked()};
  CHECK(as_key("GET", "/v1/webhook-events/evt_1?expand=payload").json()["payload"] == nlohmann::json{{"id", "evt_1"}});
  const auto payload = GENERATE(as<std::string>{}, "not json", std::string(100'000, '['));
  queries.all_events.front().event.payload = payload;
  const auto reply = as_key("GET", "/v1/webhook-events/evt_1?expand=payload");
  CHECK(reply.status == 200);
  CHECK(reply.json()["payload"] == payload);
  CHECK(as_key("GET", "/v1/webhook-events/evt_1?expand=all").status == 400);
}

TEST_CASE_METHOD(HttpFixture, "events are listed without payload", "[http][webhook_events]") {
  queries.all_events = {parked()};
  const auto reply = as_key("GET",
                            "/v1/webhook-events?state=dead&type=customer.updated,customer.deleted&type=x"
                            "&object_id=cus_1&limit=3&order=asc&received_from=2026-01-01T00:00:00Z"
                            "&received_to=2026-01-02T00:00:00Z&created_from=2026-01-03T00:00:00Z"
                            "&created_to=2026-01-04T00:00:00Z");
  CHECK(reply.status == 200);
  CHECK_FALSE(reply.json()["items"][0].contains("payload"));
  CHECK_FALSE(reply.json()["pagination"].contains("total_is_minimum"));
  const auto& filter = queries.event_filter;
  CHECK(filter.state == "dead");
  CHECK(filter.types == std::vector<std::string>{"customer.updated", "customer.deleted", "x"});
  CHECK(filter.object_id == "cus_1");
  CHECK(filter.list.limit == 3);
  CHECK(filter.list.ascending);
  CHECK(filter.list.start_time == parse_rfc3339("2026-01-01T00:00:00Z"));
  CHECK(filter.list.end_time == parse_rfc3339("2026-01-02T00:00:00Z"));
  CHECK(filter.created_from == parse_rfc3339("2026-01-03T00:00:00Z"));
  CHECK(filter.created_to == parse_rfc3339("2026-01-04T00:00:00Z"));
  CHECK(as_key("GET", "/v1/webhook-events?start_time=2026-01-01T00:00:00Z").status == 200);
  CHECK(filter.list.start_time == parse_rfc3339("2026-01-01T00:00:00Z"));
}

TEST_CASE_METHOD(HttpFixture, "a list that is not counted to its end says so", "[http][webhook_events]") {
  queries.total = 10'000;
  queries.more = true;
  const auto pagination = as_key("GET", "/v1/webhook-events").json()["pagination"];
  CHECK(pagination["total"] == 10'000);
  CHECK(pagination["total_is_minimum"] == true);
}

TEST_CASE_METHOD(HttpFixture, "events' bad input is told parameter by parameter", "[http][webhook_events]") {
  const auto reply = as_key("GET",
                            "/v1/webhook-events?state=lost&end_time=x&limit=1001&order=up&staet=dead"
                            "&created_from=2026-01-02T00:00:00Z&created_to=2026-01-01T00:00:00Z"
                            "&start_time=2026-01-01T00:00:00Z&received_from=2026-01-01T00:00:00Z");
  CHECK(reply.status == 400);
  const auto details = reply.error()["details"];
  CHECK(details.size() == 7);
  CHECK(details["state"].get<std::string>().find("pending, applied, unchanged") != std::string::npos);
  CHECK(details["staet"].get<std::string>().find("state, type, object_id") != std::string::npos);
  CHECK(details["limit"] == "must be a whole number from 1 to 1000");
  CHECK(details["created_to"] == "must not be before created_from");
  CHECK(details.contains("received_from"));
  std::string types = "x";
  for (int i = 0; i < 20; ++i) {
    types += ",x";
  }
  CHECK(as_key("GET", "/v1/webhook-events?type=" + types).error()["details"].contains("type"));
  queries.all_events.clear();
  CHECK(as_key("GET", "/v1/webhook-events/evt_none").status == 404);
}

}  // namespace flexsync::test
