// A page of Stripe's list: what is read of it, and what is not.
#include "stripe/object_page.hpp"

#include <catch2/catch.hpp>

using namespace flexsync;
using namespace flexsync::stripe;

namespace {

std::string page_of(const std::string& data, bool has_more = false) {
  return R"({"object":"list","has_more":)" + std::string(has_more ? "true" : "false") + R"(,"data":[)" + data + "]}";
}

std::string subscription(const std::string& id, bool has_more_items) {
  return R"({"id":")" + id + R"(","object":"subscription","customer":"cus_1","status":"active","created":60,)" +
         R"("items":{"object":"list","has_more":)" + (has_more_items ? "true" : "false") + R"(,"data":[)" +
         R"({"id":"si_)" + id + R"(","object":"subscription_item","price":{"id":"price_1","product":"prod_1"}}]}})";
}

}  // namespace

TEST_CASE("a page has its objects, when each was made, and where the next one starts") {
  const auto page =
      parse_object_page("customer", page_of(R"({"id":"cus_2","object":"customer","created":120,"name":"Ada"},
                                                             {"id":"cus_1","object":"customer","created":60})",
                                            true));
  REQUIRE(page.has_value());
  REQUIRE(page->objects.size() == 2);
  CHECK(std::get<CustomerState>(page->objects[0].state).name == "Ada");
  CHECK(page->objects[1].created == from_unix_seconds(60));
  CHECK(page->ids == std::vector<StripeId>{StripeId("cus_2"), StripeId("cus_1")});
  CHECK(page->last_id == "cus_1");
  CHECK(page->has_more);
}

TEST_CASE("an object that cannot be read is named, and counts as listed") {
  const auto page = parse_object_page("customer", page_of(R"({"id":"cus_2","object":"customer","name":7},
                                                             {"id":"cus_1","object":"customer"})"));
  REQUIRE(page.has_value());
  CHECK(page->objects.size() == 1);
  CHECK(page->ids.size() == 2);
  REQUIRE(page->unreadable.size() == 1);
  CHECK(page->unreadable[0].message.starts_with("cus_2: "));
}

TEST_CASE("what is no list, or does not say how it goes on, is refused") {
  const auto* json = GENERATE("", "[]", "{}", R"({"object":"customer","data":[]})", R"({"object":"list","data":{}})",
                              R"({"object":"list","has_more":true,"data":[]})", R"({"object":"list","data":[{}]})",
                              R"({"object":"list","has_more":"no","data":[]})");
  INFO(json);
  const auto page = parse_object_page("customer", json);
  REQUIRE_FALSE(page.has_value());
  CHECK(page.error().code == ErrorCode::validation_error);
}

TEST_CASE("a subscription that shows only the first of its items is found, until it has all") {
  auto page =
      *parse_object_page("subscription", page_of(subscription("sub_1", false) + "," + subscription("sub_2", true)));
  auto* found = with_more_items(page);
  REQUIRE(found != nullptr);
  CHECK(found->id == StripeId("sub_2"));
  REQUIRE(take_items(*found, page_of("")));
  CHECK(with_more_items(page) == nullptr);

  auto customers = *parse_object_page("customer", page_of(R"({"id":"cus_1","object":"customer"})"));
  CHECK(with_more_items(customers) == nullptr);
}
