#include "stripe/envelope.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "events.hpp"
#include "stripe/customer.hpp"

using namespace flexsync;
using namespace flexsync::stripe;
using namespace flexsync::stripe::test;
using Catch::Matchers::Contains;

namespace {

Envelope parsed(const std::string& body) {
  const auto result = parse_envelope(body);
  INFO((result ? std::string() : result.error().message));
  REQUIRE(result.has_value());
  return *result;
}

// Which field was refused, and that the message names it.
std::string refused_field(const std::string& body) {
  const auto result = parse_envelope(body);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == ErrorCode::validation_error);
  REQUIRE(result.error().details.size() == 1);
  const auto& [field, why] = *result.error().details.begin();
  CHECK_THAT(result.error().message, Contains(field) && Contains(why));
  return field;
}

std::string snapshot(const std::string& replaced, const std::string& by) {
  REQUIRE(kCustomerCreated.find(replaced) != std::string::npos);
  return with(kCustomerCreated, replaced, by);
}

std::string thin(const std::string& replaced, const std::string& by) {
  REQUIRE(kMeterError.find(replaced) != std::string::npos);
  return with(kMeterError, replaced, by);
}

}  // namespace

TEST_CASE("a snapshot event is read") {
  const auto event = parsed(kCustomerCreated);
  CHECK(event.id == "evt_2");
  CHECK_FALSE(event.thin);
  CHECK(event.type == "customer.created");
  CHECK(event.api_version == "2026-10-28.endive");
  CHECK(event.created == from_unix_seconds(1'795'228'680));
  CHECK(event.account == "acct_9");
  CHECK(event.livemode == true);
  CHECK(event.object_type == "customer");
  CHECK(event.object_id == "cus_2");
}

TEST_CASE("an event of 2020 is read, absent account and all") {
  const auto event = parsed(kCustomerUpdated2020);
  CHECK(event.account.empty());
  CHECK(event.livemode == false);
  CHECK(event.object_id == "cus_LOAQ");
}

TEST_CASE("the order of an event's keys does not matter") {
  const auto event = parsed(R"({"data":{"previous_attributes":{"id":"x","object":"y"},"object":{"product":"p",
      "items":[{"id":"si_1","object":"item"}],"id":"sub_1","object":"subscription"}},
      "type":"customer.subscription.updated","created":7,"id":"evt_1","object":"event"})");
  CHECK(event.object_type == "subscription");
  CHECK(event.object_id == "sub_1");
  CHECK(event.created == from_unix_seconds(7));
  CHECK_FALSE(event.livemode.has_value());
}

TEST_CASE("prices and legacy plans concern their product") {
  CHECK(parsed(kPriceUpdated).object_type == "product");
  CHECK(parsed(kPriceUpdated).object_id == "prod_1");
  const auto expanded = with(kPriceUpdated, R"("prod_1")", R"({"id":"prod_2","object":"product"})");
  CHECK(parsed(expanded).object_id == "prod_2");
  const auto plan = with(with(kPriceUpdated, R"("object": "price")", R"("object": "plan")"), "price_1", "gold plan");
  CHECK(parsed(plan).object_id == "prod_1");
  const auto without = parsed(with(plan, R"("prod_1")", "null"));
  CHECK(without.object_type == "plan");
  CHECK(without.object_id == "gold plan");
}

TEST_CASE("an object without an id of its own is about nothing in particular") {
  CHECK(parsed(snapshot(R"("id": "cus_2", )", "")).object_id.empty());
  CHECK(parsed(snapshot(R"("cus_2")", "null")).object_id.empty());
}

TEST_CASE("a thin event is read") {
  const auto event = parsed(kMeterError);
  CHECK(event.thin);
  CHECK(event.id == "evt_test_65R2Gp");
  CHECK(event.type == "v1.billing.meter.error_report_triggered");
  CHECK(event.created == parse_rfc3339("2024-08-28T20:54:12.051Z"));
  CHECK(event.object_type == "billing.meter");
  CHECK(event.object_id == "mtr_test_61R2");
  CHECK(event.api_version.empty());
}

TEST_CASE("a thin event and its snapshot twin are one event") {
  CHECK(parsed(thin(R"("created")", R"("snapshot_event":"evt_twin","created")")).id == "evt_twin");
  CHECK(parsed(thin(R"("created")", R"("snapshot_event":null,"created")")).id == "evt_test_65R2Gp");
}

TEST_CASE("a thin event's account may stand in its context") {
  CHECK(parsed(thin(R"("created")", R"("context":"acct_5","created")")).account == "acct_5");
  CHECK(parsed(thin(R"("created")", R"("context":"org_1/acct_5","created")")).account.empty());
}

TEST_CASE("related_object may be empty, null or absent") {
  const std::string related =
      R"({"id": "mtr_test_61R2", "type": "billing.meter", "url": "/v1/billing/meters/mtr_test_61R2"})";
  for (const auto* nothing : {"{}", "null"}) {
    CHECK(parsed(thin(related, nothing)).object_id.empty());
  }
  CHECK(parsed(thin("related_object", "unrelated_object")).object_id.empty());
  CHECK(refused_field(thin(related, "[]")) == "related_object");
  CHECK(refused_field(thin(R"("mtr_test_61R2")", "5")) == "related_object.id");
}

TEST_CASE("what is not a JSON object is refused as the body") {
  const auto body =
      GENERATE(as<std::string>(), "", " ", "null", "true", "5", "\"event\"", "[]", R"([{"object":"event"}])", "{",
               "{}}", R"({"id":"evt_1",})", R"({"id":"evt_1"} x)", "{\"id\":\"evt\xff\"}", R"({"id":"\ud800"})",
               "{'id':1}", "{\"id\":\"evt\n1\"}", R"({"created":1e999})", "NaN");
  CAPTURE(body);
  CHECK(refused_field(body) == "body");
}

TEST_CASE("a missing field is named") {
  CHECK(refused_field("{}") == "object");
  CHECK(refused_field(snapshot(R"("id": "evt_2", )", "")) == "id");
  CHECK(refused_field(snapshot(R"("object": "event", )", "")) == "object");
  CHECK(refused_field(snapshot(R"("type")", R"("kind")")) == "type");
  CHECK(refused_field(snapshot(R"("created": 1795228680,)", "")) == "created");
  CHECK(refused_field(snapshot(R"("data")", R"("date")")) == "data.object");
  CHECK(refused_field(R"({"id":"evt_1","object":"event","type":"t","created":1,"data":{}})") == "data.object");
  CHECK(refused_field(thin(R"("created")", R"("made")")) == "created");
}

TEST_CASE("a field of the wrong kind is named") {
  CHECK(refused_field(snapshot(R"("evt_2")", "2")) == "id");
  CHECK(refused_field(snapshot(R"("evt_2")", R"({"id":"evt_2"})")) == "id");
  CHECK(refused_field(snapshot(R"("evt_2")", R"(["evt_2"])")) == "id");
  CHECK(refused_field(snapshot(R"("object": "event")", R"("object": "list")")) == "object");
  CHECK(refused_field(snapshot(R"("customer.created")", "null")) == "type");
  CHECK(refused_field(snapshot(R"("acct_9")", "9")) == "account");
  CHECK(refused_field(snapshot(R"("2026-10-28.endive")", "2026")) == "api_version");
  CHECK(refused_field(with(kCustomerUpdated2020, R"("livemode": false, "pending)", R"("livemode": "no", "pending)")) ==
        "livemode");
  CHECK(refused_field(snapshot(R"("cus_2")", "2")) == "data.object.id");
  CHECK(refused_field(snapshot(R"("object": "customer")", R"("object": 1)")) == "data.object.object");
  CHECK(refused_field(with(kPriceUpdated, R"("prod_1")", "[]")) == "data.object.product");
  CHECK(refused_field(with(kPriceUpdated, R"("prod_1")", R"({"id":1})")) == "data.object.product.id");
  CHECK(refused_field(R"({"id":"evt_1","object":"event","type":"t","created":1,"data":[]})") == "data");
  CHECK(refused_field(R"({"id":"evt_1","object":"event","type":"t","created":1,"data":{"object":[]}})") ==
        "data.object");
}

TEST_CASE("created is unix seconds in a snapshot, RFC 3339 in a thin event, and in no way absurd") {
  const auto created =
      GENERATE(as<std::string>(), "-1", "1795228680.5", "253402300800", "18446744073709551615",
               "99999999999999999999999", "\"1795228680\"", "\"2024-08-28T20:54:12Z\"", "null", "true");
  CAPTURE(created);
  CHECK(refused_field(snapshot("1795228680", created)) == "created");
  const auto text =
      GENERATE(as<std::string>(), "1795228680", "\"yesterday\"", "\"1969-12-31T23:59:59Z\"", "\"\"", "null");
  CAPTURE(text);
  CHECK(refused_field(thin(R"("2024-08-28T20:54:12.051Z")", text)) == "created");
  CHECK(parsed(snapshot("1795228680", "0")).created == from_unix_seconds(0));
}

TEST_CASE("ids and names are short, visible text") {
  const std::string longest(kIdLengthMax, 'x');
  CHECK(parsed(snapshot("evt_2", longest)).id == longest);
  CHECK(refused_field(snapshot("evt_2", longest + "x")) == "id");
  CHECK(refused_field(snapshot("cus_2", longest + "x")) == "data.object.id");
  CHECK(refused_field(snapshot("evt_2", "")) == "id");
  CHECK(refused_field(snapshot("evt_2", R"(evt\u0000)")) == "id");
  CHECK(refused_field(snapshot("evt_2", "evt 2")) == "id");
  CHECK(refused_field(snapshot("evt_2", "evt_ü")) == "id");
  CHECK(refused_field(snapshot("customer.created", R"(customer\u0000created)")) == "type");
  CHECK(refused_field(snapshot("acct_9", R"(acct\n9)")) == "account");
  CHECK(refused_field(snapshot("cus_2", R"(cus\u00002)")) == "data.object.id");
}

TEST_CASE("a field that is given twice is refused, elsewhere it does no harm") {
  CHECK(refused_field(snapshot(R"("id": "evt_2")", R"("id": "evt_1", "id": "evt_2")")) == "id");
  CHECK(refused_field(snapshot(R"("type":)", R"("type": "customer.deleted", "type":)")) == "type");
  CHECK(refused_field(snapshot(R"("id": "cus_2")", R"("id": "cus_1", "id": "cus_2")")) == "data.object.id");
  CHECK(refused_field(snapshot(R"("data": {)", R"("data": null, "data": {)")) == "data");
  CHECK(parsed(snapshot(R"("name")", R"("x": 1, "x")")).id == "evt_2");
}

TEST_CASE("nesting is limited, and only nesting") {
  const auto nested = [](int depth) {
    const auto count = static_cast<std::size_t>(depth);
    return snapshot(R"("context": null)", "\"x\": " + std::string(count, '[') + std::string(count, ']'));
  };
  CHECK(parsed(nested(kJsonDepthMax - 1)).id == "evt_2");  // the event itself is one level
  CHECK(refused_field(nested(kJsonDepthMax)) == "body");
  CHECK(refused_field(nested(100'000)) == "body");
  CHECK(refused_field(std::string(1'000'000, '[')) == "body");
  std::string deep_objects = "1";
  for (int i = 0; i < 100; ++i) {
    deep_objects = R"({"data":)" + deep_objects + "}";
  }
  CHECK(refused_field(deep_objects) == "body");
}

TEST_CASE("a refusal quotes nothing from the body") {
  const auto result = parse_envelope(R"({"id": "evt_1", "email": "secret@example.com" "x"})");
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.find("secret") == std::string::npos);
  CHECK_THAT(result.error().message, Contains("at byte"));
}

TEST_CASE("no truncated or mutated payload crashes the parsers, and a truncated one never passes") {
  const auto seed = GENERATE(take(3, random(0, 1'000'000'000)));
  CAPTURE(seed);
  std::mt19937 random(static_cast<unsigned>(seed));
  const auto pick = [&](std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random); };
  for (const auto* event : {&kCustomerUpdated2020, &kCustomerCreated, &kPriceUpdated, &kMeterError}) {
    for (std::size_t length = 0; length < event->size(); ++length) {
      REQUIRE_FALSE(parse_envelope(std::string_view(*event).substr(0, length)).has_value());
    }
    for (int i = 0; i < 2'000; ++i) {
      std::string mutated = *event;
      for (auto changes = pick(4) + 1; changes > 0; --changes) {
        const auto at = pick(mutated.size());
        switch (pick(3)) {
          case 0:
            mutated[at] = static_cast<char>(pick(256));
            break;
          case 1:
            mutated.erase(at, pick(20) + 1);
            break;
          default:
            mutated.insert(at, mutated.substr(pick(mutated.size()), pick(20)));
        }
        mutated += mutated.empty() ? "{" : "";
      }
      const auto envelope = parse_envelope(mutated);
      const auto customer = parse_customer_event(mutated);
      if (envelope) {
        REQUIRE(!envelope->id.empty());
        REQUIRE(envelope->id.size() <= kIdLengthMax);
        REQUIRE(!envelope->type.empty());
      } else {
        REQUIRE(envelope.error().details.size() == 1);
        REQUIRE_FALSE(customer.has_value());
      }
    }
  }
}

TEST_CASE("every sample event at hand is read") {
  namespace fs = std::filesystem;
  const fs::path samples = fs::path(FLEXSYNC_SOURCE_DIR) / ".." / "shared" / "stripe" / "events";
  if (!fs::exists(samples)) {
    WARN("no sample events beside this checkout: skipped");
    return;
  }
  for (const auto& entry : fs::recursive_directory_iterator(samples)) {
    std::ifstream in(entry.path());
    std::stringstream body;
    body << in.rdbuf();
    if (entry.path().extension() != ".json" || body.str().find("\"pending_webhooks\"") == std::string::npos) {
      continue;
    }
    CAPTURE(entry.path().string());
    const auto event = parse_envelope(body.str());
    INFO((event ? "" : event.error().message));
    CHECK(event.has_value());
  }
}
