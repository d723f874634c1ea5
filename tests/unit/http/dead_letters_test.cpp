#include <catch2/catch.hpp>

#include "http_fixture.hpp"

namespace flexsync::test {

using Json = nlohmann::json;

TEST_CASE_METHOD(HttpFixture, "dead letters are listed, each with what to do", "[http][dead_letters]") {
  queries.all_dead_letters = {
      {StripeEventId("evt_1"), "customer.updated", "customer", "cus_1", 8, "conflict", "no", kNow, kNow, kNow}};
  queries.total = 1;
  const auto reply = as_key("GET",
                            "/v1/dead-letters?type=customer.updated,x&event_id=evt_1&object_id=cus_1"
                            "&error_code=conflict&start_time=2026-01-01T00:00:00Z");
  CHECK(reply.status == 200);
  const auto item = reply.json()["items"][0];
  CHECK(item["event_id"] == "evt_1");
  CHECK(item["attempts"] == 8);
  CHECK(item["failed_first_at"] == "2026-09-21T14:13:20Z");
  CHECK(item["died_at"] == "2026-09-21T14:13:20Z");
  CHECK(item["what_to_do"].get<std::string>().find("redrive") != std::string::npos);
  const auto& filter = queries.dead_letter_filter;
  CHECK(filter.types == std::vector<std::string>{"customer.updated", "x"});
  CHECK(filter.event_ids == std::vector<std::string>{"evt_1"});
  CHECK(filter.error_codes == std::vector<std::string>{"conflict"});
  CHECK(filter.object_id == "cus_1");
  CHECK(filter.list.start_time == parse_rfc3339("2026-01-01T00:00:00Z"));
  CHECK(as_key("GET", "/v1/dead-letters?offset=x&error=conflict").error()["details"].size() == 2);
}

TEST_CASE_METHOD(HttpFixture, "one dead letter is redriven or discarded", "[http][dead_letters]") {
  const auto command = GENERATE(as<std::string>{}, "redrive", "discard");
  const auto reply = as_key("POST", "/v1/dead-letters/evt_1/" + command);
  CHECK(reply.status == 200);
  CHECK(reply.json() == Json{{"count", 1}});
  CHECK(dead_letters.command == command);
  CHECK(dead_letters.asked_scope == kScope);
  CHECK(dead_letters.asked_filter.event_ids == std::vector<std::string>{"evt_1"});
  CHECK_FALSE(dead_letters.asked_consent.dry_run);
  CHECK(dead_letters.asked_by == "api_key:secret_01");
  dead_letters.result = BulkResult{0, {}};
  CHECK(as_key("POST", "/v1/dead-letters/evt_1/" + command).status == 404);
}

TEST_CASE_METHOD(HttpFixture, "several are redriven by their ids, and those that are none are named",
                 "[http][dead_letters]") {
  const auto command = GENERATE(as<std::string>{}, "redrive", "discard");
  dead_letters.result = BulkResult{1, {"evt_2"}};
  const auto reply = as_key("POST", "/v1/dead-letters/" + command, R"({"event_ids":["evt_1","evt_2"]})");
  CHECK(reply.json() == Json{{"count", 1}, {"dry_run", false}, {"skipped", {"evt_1"}}});
  CHECK(dead_letters.command == command);
  CHECK(dead_letters.asked_filter.event_ids == std::vector<std::string>{"evt_1", "evt_2"});
}

TEST_CASE_METHOD(HttpFixture, "all that match are counted first, then acted upon", "[http][dead_letters]") {
  const auto command = GENERATE(as<std::string>{}, "redrive", "discard");
  dead_letters.result = BulkResult{12, {}};
  const std::string filter = R"("filter":{"type":"customer.updated","object_id":"cus_1","error_code":["a","b"],)"
                             R"("end_time":"2026-01-01T00:00:00Z"})";
  const auto counted = as_key("POST", "/v1/dead-letters/" + command, "{" + filter + R"(,"dry_run":true})");
  CHECK(counted.json() == Json{{"count", 12}, {"dry_run", true}});
  CHECK(dead_letters.asked_consent.dry_run);
  const auto& asked = dead_letters.asked_filter;
  CHECK(asked.types == std::vector<std::string>{"customer.updated"});
  CHECK(asked.error_codes == std::vector<std::string>{"a", "b"});
  CHECK(asked.object_id == "cus_1");
  CHECK(asked.list.end_time == parse_rfc3339("2026-01-01T00:00:00Z"));
  const auto done = as_key("POST", "/v1/dead-letters/" + command, "{" + filter + R"(,"expected_count":12})");
  CHECK(done.json() == Json{{"count", 12}, {"dry_run", false}});
  CHECK(dead_letters.asked_consent.expected_count == 12);
  CHECK_FALSE(dead_letters.asked_consent.dry_run);
}

TEST_CASE_METHOD(HttpFixture, "another number than was expected is a conflict that names it", "[http][dead_letters]") {
  dead_letters.result = fail(ErrorCode::version_conflict, "13 dead letters match, not 12: nothing was changed",
                             {{"expected_count", "is 12"}, {"count", "13"}});
  const auto reply = as_key("POST", "/v1/dead-letters/discard", R"({"filter":{},"expected_count":12})");
  CHECK(reply.status == 409);
  CHECK(reply.error()["details"]["count"] == "13");
}

TEST_CASE_METHOD(HttpFixture, "dead letters' bad input changes nothing", "[http][dead_letters]") {
  const auto body =
      GENERATE(as<std::string>{}, "", "[]", "{", "{}", R"({"dry_run":true})", R"({"dry_run":"yes","filter":{}})",
               R"({"filter":{}})", R"({"filter":[],"expected_count":1})", R"({"filter":{},"expected_count":-1})",
               R"({"filter":{"type":5},"expected_count":1})", R"({"filter":{"typ":"x"},"expected_count":1})",
               R"({"filter":{"event_id":"evt_1"},"expected_count":1})", R"({"event_ids":[]})",
               R"({"event_ids":["evt_1"],"filter":{}})", R"({"type":"customer.updated","expected_count":1})");
  INFO(body);
  CHECK(as_key("POST", "/v1/dead-letters/discard", body).status == 400);
  CHECK(dead_letters.command.empty());
}

TEST_CASE_METHOD(HttpFixture, "what is wrong in a filter is named with its place", "[http][dead_letters]") {
  const auto details =
      as_key("POST", "/v1/dead-letters/redrive", R"({"filter":{"typ":"x","start_time":"monday"}})").error()["details"];
  CHECK(details.size() == 3);
  CHECK(details.contains("filter.typ"));
  CHECK(details.contains("filter.start_time"));
  CHECK(details["expected_count"].get<std::string>().find("dry_run") != std::string::npos);
}

TEST_CASE_METHOD(HttpFixture, "a command's failure is passed on", "[http][dead_letters]") {
  dead_letters.result = fail(ErrorCode::service_unavailable, "The store cannot be reached");
  CHECK(as_key("POST", "/v1/dead-letters/evt_1/redrive").status == 503);
  CHECK(as_key("POST", "/v1/dead-letters/redrive", R"({"filter":{},"dry_run":true})").status == 503);
}

}  // namespace flexsync::test
