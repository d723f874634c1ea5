#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

namespace {

Intent refused() {
  Intent intent;
  intent.id = IntentId("intent_01");
  intent.entity_type = "customer";
  intent.entity_id = "cust_01";
  intent.operation = IntentOperation::update_customer;
  intent.body = "email=jane%40example";
  intent.idempotency_key = "the-key";
  intent.fields = {"email"};
  intent.state = IntentState::refused;
  intent.attempts = 2;
  intent.error_code = "email_invalid";
  intent.error_message = "Invalid email address";
  intent.request_id = "req_1";
  intent.created_at = kNow;
  intent.settled_at = kNow;
  return intent;
}

}  // namespace

TEST_CASE_METHOD(HttpFixture, "the outbox says why something is not in Stripe", "[http][outbox]") {
  queries.all_intents = {refused()};
  queries.total = 1;
  const auto reply = as_key("GET", "/v1/outbox?state=refused&entity_id=cust_01&limit=5");
  REQUIRE(reply.status == 200);
  CHECK(reply.json()["pagination"] == nlohmann::json{{"total", 1}, {"limit", 5}, {"offset", 5}});
  CHECK(reply.json()["items"][0] ==
        nlohmann::json{{"id", "intent_01"},
                       {"entity_type", "customer"},
                       {"entity_id", "cust_01"},
                       {"operation", "update_customer"},
                       {"fields", {"email"}},
                       {"state", "refused"},
                       {"attempts", 2},
                       {"next_attempt_at", nullptr},
                       {"error", {{"code", "email_invalid"}, {"message", "Invalid email address"}}},
                       {"request_id", "req_1"},
                       {"created_at", "2026-09-21T14:13:20Z"},
                       {"settled_at", "2026-09-21T14:13:20Z"},
                       {"tenant_id", "tenant_01"},
                       {"environment_id", "env_01"}});
  CHECK(queries.asked_scope == kScope);
  CHECK(queries.intent_filter.state == "refused");
  CHECK(queries.intent_filter.entity_id == "cust_01");
}

TEST_CASE_METHOD(HttpFixture, "what is ready says when", "[http][outbox]") {
  auto intent = refused();
  intent.state = IntentState::ready;
  intent.next_attempt_at = kNow;
  intent.error_code = intent.error_message = "";
  intent.settled_at.reset();
  queries.all_intents = {intent};
  const auto item = as_key("GET", "/v1/outbox").json()["items"][0];
  CHECK(item["next_attempt_at"] == "2026-09-21T14:13:20Z");
  CHECK(item["error"].is_null());
  CHECK(item["settled_at"].is_null());
}

TEST_CASE_METHOD(HttpFixture, "a state that there is not is refused", "[http][outbox]") {
  const auto reply = as_key("GET", "/v1/outbox?state=sent&limit=0");
  CHECK(reply.status == 400);
  CHECK(reply.error()["details"].size() == 2);
  CHECK(reply.error()["details"]["state"] == "must be ready, settled, refused or superseded");
  CHECK(as_admin("GET", "/v1/outbox").status == 403);
}

}  // namespace flexsync::test
