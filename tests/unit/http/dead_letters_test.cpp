#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

TEST_CASE_METHOD(HttpFixture, "dead letters are listed", "[http][dead_letters]") {
  queries.all_dead_letters = {
      {StripeEventId("evt_1"), "customer.updated", "customer", "cus_1", 8, "conflict", "no", kNow, kNow}};
  queries.total = 1;
  const auto reply = as_key("GET", "/v1/dead-letters?type=customer.updated&event_id=evt_1&object_id=cus_1");
  CHECK(reply.status == 200);
  const auto item = reply.json()["items"][0];
  CHECK(item["event_id"] == "evt_1");
  CHECK(item["attempts"] == 8);
  CHECK(item["died_at"] == "2026-09-21T14:13:20Z");
  CHECK(queries.dead_letter_filter.type == "customer.updated");
  CHECK(queries.dead_letter_filter.event_id == "evt_1");
  CHECK(queries.dead_letter_filter.object_id == "cus_1");
  CHECK(as_key("GET", "/v1/dead-letters?offset=x").status == 400);
}

TEST_CASE_METHOD(HttpFixture, "one dead letter is redriven or discarded", "[http][dead_letters]") {
  const auto command = GENERATE(as<std::string>{}, "redrive", "discard");
  const auto reply = as_key("POST", "/v1/dead-letters/evt_1/" + command);
  CHECK(reply.status == 200);
  CHECK(reply.json() == nlohmann::json{{"count", 1}});
  CHECK(dead_letters.command == command);
  CHECK(dead_letters.asked_scope == kScope);
  CHECK(dead_letters.asked_filter.event_id == "evt_1");
  CHECK_FALSE(dead_letters.asked_count_only);
  CHECK(dead_letters.asked_by == "api_key:secret_01");
  dead_letters.count = 0;
  CHECK(as_key("POST", "/v1/dead-letters/evt_1/" + command).status == 404);
}

TEST_CASE_METHOD(HttpFixture, "all that match are redriven or discarded", "[http][dead_letters]") {
  const auto command = GENERATE(as<std::string>{}, "redrive", "discard");
  dead_letters.count = 12;
  const auto reply = as_key("POST", "/v1/dead-letters/" + command,
                            R"({"type":"customer.updated","object_id":"cus_1","dry_run":true})");
  CHECK(reply.json() == nlohmann::json{{"count", 12}});
  CHECK(dead_letters.command == command);
  CHECK(dead_letters.asked_filter.type == "customer.updated");
  CHECK(dead_letters.asked_filter.object_id == "cus_1");
  CHECK(dead_letters.asked_count_only);
  CHECK(as_key("POST", "/v1/dead-letters/" + command, "{}").status == 200);
  CHECK_FALSE(dead_letters.asked_count_only);
}

TEST_CASE_METHOD(HttpFixture, "dead letters' bad input changes nothing", "[http][dead_letters]") {
  const auto body = GENERATE(as<std::string>{}, "", "[]", R"({"dry_run":"yes"})", R"({"type":5})", "{");
  CHECK(as_key("POST", "/v1/dead-letters/discard", body).status == 400);
  CHECK(dead_letters.command.empty());
}

TEST_CASE_METHOD(HttpFixture, "a command's failure is passed on", "[http][dead_letters]") {
  dead_letters.count = fail(ErrorCode::service_unavailable, "The store cannot be reached");
  CHECK(as_key("POST", "/v1/dead-letters/evt_1/redrive").status == 503);
  CHECK(as_key("POST", "/v1/dead-letters/redrive", "{}").status == 503);
}

}  // namespace flexsync::test
