#include "stripe/event_page.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::stripe;

namespace {

std::string event(const std::string& id, const std::string& more = "") {
  return R"({"id":")" + id + R"(","object":"event","type":"customer.updated","created":1790000000,)" + more +
         R"("data":{"object":{"id":"cus_1","object":"customer"}}})";
}

std::string page_of(const std::string& data, bool has_more = false) {
  return R"({"object":"list","url":"/v1/events","has_more":)" + std::string(has_more ? "true" : "false") +
         R"(,"data":[)" + data + "]}";
}

}  // namespace

TEST_CASE("a page has its events in Stripe's order, each with its own text, byte for byte") {
  const auto second = event("evt_2", R"( "api_version" : "2020-08-27","x":[1.50,1e2,{"a":"]}\"{\\"}],)");
  const auto page = parse_event_page(page_of(second + " ,\n " + event("evt_1"), true));
  REQUIRE(page.has_value());
  CHECK(page->has_more);
  CHECK(page->last_id == "evt_1");
  CHECK(page->unreadable.empty());
  REQUIRE(page->events.size() == 2);
  CHECK(page->events[0].json == second);
  CHECK(page->events[0].envelope.id == "evt_2");
  CHECK(page->events[0].envelope.api_version == "2020-08-27");
  CHECK(page->events[0].envelope.object_id == "cus_1");
  CHECK(page->events[1].json == event("evt_1"));
}

TEST_CASE("what stands beside or inside of the events is not taken for them") {
  const auto inner = event("evt_1", R"("data_":{"data":[{"id":"evt_9"}]},)");
  const auto page = parse_event_page(R"({"url":"data","x":[{"data":[{"id":"evt_8"}]}],"data":[)" + inner +
                                     R"(],"has_more":false,"after":[{"id":"evt_7"}]})");
  REQUIRE(page.has_value());
  REQUIRE(page->events.size() == 1);
  CHECK(page->events[0].json == inner);
}

TEST_CASE("a page of events may be empty") {
  const auto page = parse_event_page(page_of(""));
  REQUIRE(page.has_value());
  CHECK(page->events.empty());
  CHECK(page->last_id.empty());
  CHECK_FALSE(page->has_more);
}

TEST_CASE("an event that no webhook could bring costs the others nothing") {
  const auto page = parse_event_page(page_of(event("evt_2") + R"(,{"id":"evt_1","object":"event"})"));
  REQUIRE(page.has_value());
  CHECK(page->events.size() == 1);
  REQUIRE(page->unreadable.size() == 1);
  CHECK(page->unreadable[0].code == ErrorCode::validation_error);
  CHECK(page->last_id == "evt_1");
}

TEST_CASE("what is no page of events is not taken for an empty one") {
  const auto* text =
      GENERATE("", "[]", "null", "{}", R"({"data":[]})", R"({"has_more":false})", R"({"data":{},"has_more":false})",
               R"({"data":[],"has_more":"no"})", R"({"data":[1],"has_more":false})", R"({"data":[],"has_more":false)",
               R"({"data":[],"has_more":true})", R"({"data":[{"object":"event"}],"has_more":false})",
               R"({"data":[{"id":""}],"has_more":true})", R"({"data":[{"id":7}],"has_more":true})",
               R"({"data":[[]],"has_more":true})", R"({"data":["\\","]"],"has_more":false})");
  CAPTURE(text);
  const auto page = parse_event_page(text);
  REQUIRE_FALSE(page.has_value());
  CHECK(page.error().code == ErrorCode::validation_error);
}
