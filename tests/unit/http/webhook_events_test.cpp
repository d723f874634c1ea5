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
  view.changes = {{"customer", "cust_1", "update", "stripe:evt_1", R"({"name":"a"})", R"({"name":"b"})", "r", kNow}};
  return view;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "an event shows payload, attempts and changes", "[http][webhook_events]") {
  queries.all_events = {parked()};
  const auto body = as_key("GET", "/v1/webhook-events/evt_1").json();
  CHECK(body["id"] == "evt_1");
  CHECK(body["state"] == "retrying");
  CHECK(body["received_at"] == "2026-09-21T14:13:20Z");
  CHECK(body["settled_at"] == "2026-09-21T14:13:20Z");
  CHECK(body["payload"] == nlohmann::json{{"id", "evt_1"}});
  CHECK(body["attempts"][0]["error_code"] == "conflict");
  CHECK(body["changes"][0]["before"]["name"] == "a");
  CHECK(body["changes"][0]["after"]["name"] == "b");
  CHECK(queries.asked_id == "evt_1");
}

TEST_CASE_METHOD(HttpFixture, "a payload that cannot be shown as JSON is shown as text", "[http][webhook_events]") {
  const auto payload = GENERATE(as<std::string>{}, "not json", std::string(100'000, '['));
  auto view = parked();
  view.event.payload = payload;
  queries.all_events = {view};
  const auto reply = as_key("GET", "/v1/webhook-events/evt_1");
  CHECK(reply.status == 200);
  CHECK(reply.json()["payload"] == payload);
}

TEST_CASE_METHOD(HttpFixture, "events are listed without payload", "[http][webhook_events]") {
  queries.all_events = {parked()};
  const auto reply = as_key("GET", "/v1/webhook-events?state=dead&type=customer.updated&object_id=cus_1&limit=3");
  CHECK(reply.status == 200);
  CHECK_FALSE(reply.json()["items"][0].contains("payload"));
  CHECK(queries.event_filter.state == "dead");
  CHECK(queries.event_filter.type == "customer.updated");
  CHECK(queries.event_filter.object_id == "cus_1");
  CHECK(queries.event_filter.list.limit == 3);
}

TEST_CASE_METHOD(HttpFixture, "events' bad input", "[http][webhook_events]") {
  const auto reply = as_key("GET", "/v1/webhook-events?state=lost&end_time=x");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"].size() == 2);
  CHECK(as_key("GET", "/v1/webhook-events/evt_none").status == 404);
}

}  // namespace flexsync::test
