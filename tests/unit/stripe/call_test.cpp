#include "stripe/call.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <stdexcept>

using namespace flexsync;
using namespace flexsync::stripe;
using Catch::Matchers::Contains;

namespace {

const Timestamp kFrom = from_unix_micros(1'795'228'690'999'999);

std::string path_of(const std::string& type, const std::string& id) {
  return retrieve(type, StripeId(id)).path;
}

}  // namespace

TEST_CASE("an object is retrieved from its collection") {
  CHECK(retrieve("customer", StripeId("cus_1")) ==
        Call{Lane::sync, "GET", "/v1/customers/cus_1", "GET customers", "", ""});
  CHECK(path_of("product", "prod_1") == "/v1/products/prod_1");
  CHECK(path_of("price", "price_1") == "/v1/prices/price_1?expand%5B%5D=tiers");
  CHECK(path_of("plan", "gold") == "/v1/plans/gold");
  CHECK(path_of("subscription", "sub_1") == "/v1/subscriptions/sub_1");
  CHECK(path_of("billing.meter", "mtr_1") == "/v1/billing/meters/mtr_1");
  CHECK(retrieve("billing.meter", StripeId("mtr_1")).endpoint == "GET billing/meters");
  CHECK_THROWS_WITH(path_of("charge", "ch_1"), Contains("\"charge\""));
}

TEST_CASE("an id cannot leave its place in the path") {
  CHECK(path_of("plan", "gold plan") == "/v1/plans/gold%20plan");
  CHECK(path_of("plan", "../customers") == "/v1/plans/%2E%2E%2Fcustomers");
  CHECK(path_of("plan", "a?limit=9#x\r\nHost: b") == "/v1/plans/a%3Flimit%3D9%23x%0D%0AHost%3A%20b");
  CHECK(path_of("plan", "ü") == "/v1/plans/%C3%BC");
  CHECK(update_customer(StripeId("a/b"), "", "k").path == "/v1/customers/a%2Fb");
  CHECK(delete_customer(StripeId("a/b")).path == "/v1/customers/a%2Fb");
}

TEST_CASE("an empty id asks for nothing, rather than for the list") {
  CHECK_THROWS_AS(path_of("customer", ""), std::invalid_argument);
  CHECK_THROWS_AS(update_customer(StripeId(), "name=Ada", "k"), std::invalid_argument);
  CHECK_THROWS_AS(delete_customer(StripeId()), std::invalid_argument);
  CHECK_THROWS_AS(meter_summaries(StripeId(), StripeId("cus_1"), kFrom, kFrom, ""), std::invalid_argument);
}

TEST_CASE("customers are created, updated and deleted; what is posted has its key") {
  CHECK(create_customer("name=Ada", "key_1") ==
        Call{Lane::sync, "POST", "/v1/customers", "POST customers", "name=Ada", "key_1"});
  CHECK(update_customer(StripeId("cus_1"), "name=Ada", "key_1") ==
        Call{Lane::sync, "POST", "/v1/customers/cus_1", "POST customers/{id}", "name=Ada", "key_1"});
  CHECK(delete_customer(StripeId("cus_1")) ==
        Call{Lane::sync, "DELETE", "/v1/customers/cus_1", "DELETE customers/{id}", "", ""});
}

TEST_CASE("customers are listed a page at a time") {
  const auto first = list_customers(kFrom, "");
  CHECK(first == Call{Lane::sync, "GET", "/v1/customers?created[gte]=1795228690&limit=100", "GET customers", "", ""});
  CHECK(list_customers(kFrom, "cus&1").path == first.path + "&starting_after=cus%261");
}

TEST_CASE("a meter event goes out in the lane of usage, under its identifier") {
  CHECK(create_meter_event("event_name=x", "fs_1") ==
        Call{Lane::usage, "POST", "/v1/billing/meter_events", std::string(kMeterEvents), "event_name=x", "fs_1"});
}

TEST_CASE("summaries are of one meter, customer and span of time") {
  const auto to = kFrom + std::chrono::hours(1);
  const auto call = meter_summaries(StripeId("mtr/1"), StripeId("cus_1"), kFrom, to, "");
  CHECK(call == Call{Lane::bulk, "GET",
                     "/v1/billing/meters/mtr%2F1/event_summaries?customer=cus_1&start_time=1795228690"
                     "&end_time=1795232290&limit=100",
                     "GET billing/meters/{id}/event_summaries", "", ""});
  CHECK(meter_summaries(StripeId("mtr/1"), StripeId("cus_1"), kFrom, to, "mtrusg_1").path ==
        call.path + "&starting_after=mtrusg_1");
}

TEST_CASE("events are listed by type and time, a page at a time, when nobody else wants to ask") {
  const std::array<std::string_view, 2> types = {"customer.created", "invoice.paid"};
  const auto first = list_events(types, kFrom, std::nullopt, "");
  CHECK(first == Call{Lane::bulk, "GET",
                      "/v1/events?types[0]=customer.created&types[1]=invoice.paid&created[gte]=1795228690&limit=100",
                      "GET events", "", ""});
  CHECK(list_events({}, kFrom, kFrom + std::chrono::seconds(5), "evt&1").path ==
        "/v1/events?created[gte]=1795228690&created[lt]=1795228695&limit=100&starting_after=evt%261");
}
