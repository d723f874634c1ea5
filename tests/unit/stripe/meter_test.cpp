#include "stripe/meter.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace flexsync;
using namespace flexsync::stripe;
using nlohmann::json;

namespace {

json a_meter() {
  return json::parse(R"({"id":"mtr_1","object":"billing.meter","event_name":"api_calls","status":"active",
      "default_aggregation":{"formula":"sum"},
      "customer_mapping":{"event_payload_key":"stripe_customer_id","type":"by_id"},
      "value_settings":{"event_payload_key":"value"}})");
}

std::string a_summary(const std::string& value) {
  return R"({"object":"list","has_more":false,"data":[{"id":"mtrusg_1","object":"billing.meter_event_summary",)"
         R"("start_time":1795228680,"end_time":1795232280,"meter":"mtr_1","livemode":false,"aggregated_value":)" +
         value + "}]}";
}

std::string exact(const std::string& value) {
  const auto page = parse_meter_summaries(a_summary(value));
  return page ? page->summaries.at(0).value.str() : page.error().message;
}

}  // namespace

TEST_CASE("a batch's meter event says whom, what, how much and when, in Stripe's form") {
  UsageBatch batch;
  batch.event_name = "api calls & more";
  batch.customer_key = "stripe_customer_id";
  batch.value_key = "the value";
  batch.stripe_customer_id = StripeId{"cus_1"};
  batch.quantity = Decimal(1500).times_power_of_ten(-3);
  batch.value = -150;
  batch.identifier = "fs_0123";
  batch.timestamp = from_unix_micros(1'795'265'999'999'999);
  CHECK(meter_event_body(batch) ==
        "event_name=api%20calls%20%26%20more&identifier=fs_0123&timestamp=1795265999"
        "&payload[stripe_customer_id]=cus_1&payload[the%20value]=-150");
  auto again = batch;
  again.attempts = 3;
  again.first_sent_at = batch.timestamp;
  CHECK(meter_event_body(again) == meter_event_body(batch));
}

TEST_CASE("a meter is read with what its mapping needs to know") {
  const auto meter = parse_billing_meter(a_meter().dump());
  REQUIRE(meter.has_value());
  CHECK(meter->id == StripeId("mtr_1"));
  CHECK(meter->event_name == "api_calls");
  CHECK(meter->status == "active");
  CHECK(meter->formula == "sum");
  CHECK(meter->customer_key == "stripe_customer_id");
  CHECK(meter->value_key == "value");
}

TEST_CASE("a meter that lacks something is refused") {
  auto meter = a_meter();
  const auto* gone = GENERATE("/id", "/object", "/event_name", "/default_aggregation", "/customer_mapping",
                              "/value_settings/event_payload_key");
  CAPTURE(gone);
  SECTION("it is missing") {
    const json::json_pointer where{gone};
    meter.at(where.parent_pointer()).erase(where.back());
  }
  SECTION("it is something else") {
    meter[json::json_pointer(gone)] = 5;
  }
  const auto read = parse_billing_meter(meter.dump());
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == ErrorCode::validation_error);
}

TEST_CASE("what is no meter at all is refused") {
  const auto* text = GENERATE("", "[]", "null", "{", R"({"id":"mtr_1","object":"billing.meter","deleted":true})");
  CHECK_FALSE(parse_billing_meter(text).has_value());
}

TEST_CASE("what a meter has counted is exactly what Stripe wrote") {
  CHECK(exact("0") == "0");
  CHECK(exact("10") == "10");
  CHECK(exact("-3") == "-3");
  CHECK(exact("0.1") == "0.1");
  CHECK(exact("0.30000000000000004") == "0.30000000000000004");
  CHECK(exact("12345678901234.5") == "12345678901234.5");
  CHECK(exact("9007199254740993") == "9007199254740993");
  CHECK(exact("9007199254740993.0") == "9007199254740993");
  CHECK(exact("18446744073709551617") == "18446744073709551617");
  CHECK(exact("123456789012345678901234567890.123456789") == "123456789012345678901234567890.123456789");
  CHECK(exact("1.5e3") == "1500");
  CHECK(exact("\"0.1\"") == "0.1");
}

TEST_CASE("summaries come a page at a time, each with its span of time") {
  const auto page = parse_meter_summaries(R"({"has_more":true,"data":[
      {"id":"a","start_time":60,"end_time":120,"aggregated_value":1,"dimensions":{"x":[1,[2,{"y":[]}],3]}},
      {"dimensions":[],"id":"b","start_time":120,"end_time":180.0,"aggregated_value":2.50}]})");
  REQUIRE(page.has_value());
  CHECK(page->has_more);
  REQUIRE(page->summaries.size() == 2);
  CHECK(page->summaries[0].id == StripeId("a"));
  CHECK(page->summaries[0].start == from_unix_seconds(60));
  CHECK(page->summaries[0].end == from_unix_seconds(120));
  CHECK(page->summaries[1].end == from_unix_seconds(180));
  CHECK(page->summaries[1].value.str() == "2.5");
  CHECK_FALSE(parse_meter_summaries(a_summary("1"))->has_more);
  CHECK(parse_meter_summaries(R"({"data":[],"has_more":false})")->summaries.empty());
}

TEST_CASE("summaries that cannot be read are refused, not taken for none") {
  const auto* text =
      GENERATE("", "{}", "[]", "5", R"({"data":5})", R"({"data":[5]})", R"({"data":[{}]})", R"({"data":[]} {})",
               R"({"data":[)", R"({"data":[{"start_time":1,"end_time":2,"aggregated_value":null}]})",
               R"({"data":[{"start_time":1,"end_time":2,"aggregated_value":1e999}]})",
               R"({"data":[{"start_time":1.5,"end_time":2,"aggregated_value":1}]})",
               R"({"data":[{"start_time":1,"end_time":99999999999999999999,"aggregated_value":1}]})");
  CAPTURE(text);
  const auto page = parse_meter_summaries(text);
  REQUIRE_FALSE(page.has_value());
  CHECK(page.error().code == ErrorCode::validation_error);
}
