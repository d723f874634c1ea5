#include "stripe/object_event.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <variant>

#include "events.hpp"
#include "states.hpp"
#include "stripe/envelope.hpp"

using namespace flexsync;
using namespace flexsync::stripe;
using namespace flexsync::stripe::test;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

const std::set<std::string> kAccepted = {
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "product.created",
    "product.updated",
    "product.deleted",
    "price.created",
    "price.updated",
    "price.deleted",
    "plan.created",
    "plan.updated",
    "plan.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
};

std::string text_in(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

json an_object(const std::string& type) {
  if (type == "subscription") {
    return {{"id", "sub_1"},      {"object", type},           {"customer", "cus_1"},
            {"status", "active"}, {"metadata", {{"a", "b"}}}, {"items", {{"data", json::array()}}}};
  }
  return {{"id", type + "_1"}, {"object", type}, {"product", "prod_1"}, {"metadata", {{"a", "b"}}}};
}

json an_event(const std::string& type, const json& object) {
  return {{"id", "evt_1"},
          {"object", "event"},
          {"type", type},
          {"created", 1795228680},
          {"request", {{"id", "req_1"}, {"idempotency_key", "key-1"}}},
          {"data", {{"object", object}}}};
}

// The `object` of what an event of this type carries.
std::string carried(const std::string& event_type) {
  const auto family = event_type.substr(0, event_type.rfind('.'));
  return family == "customer.subscription" ? "subscription" : family;
}

ObjectEvent parsed(const std::string& payload) {
  auto event = parse_object_event(payload);
  INFO((event ? "" : event.error().message));
  REQUIRE(event.has_value());
  return *std::move(event);
}

// The canonical form of what is read back from the canonical form.
std::string canonical_again(const ObjectState& state) {
  const auto text = to_canonical(state);
  const auto type = key_of(state).type;
  return type == "product"        ? to_canonical(product_from_canonical(text))
         : type == "price"        ? to_canonical(price_from_canonical(text))
         : type == "subscription" ? to_canonical(subscription_from_canonical(text))
                                  : to_canonical(from_canonical(text));
}

}  // namespace

TEST_CASE("the types that carry a mirrored object's whole state are these and no others") {
  for (const auto& type : kAccepted) {
    CAPTURE(type);
    CHECK(is_object_event(type));
  }
  const auto* type = GENERATE(
      "", "customer", "created", "customer.", "customer.paused", "customer.discount.created", "customer.source.updated",
      "customer.subscription", "customer.subscription.", "customer.subscription.archived", "product.paused",
      "price.trial_will_end", "plan.resumed", "invoice.paid", "subscription.created", "customer.created ",
      "subscription_schedule.created", "v2.customer.created", "v1.invoice.paid", "flexsync.reconciled");
  CAPTURE(type);
  CHECK_FALSE(is_object_event(type));
}

TEST_CASE("each of these events is read into its object's state") {
  for (const auto& type : kAccepted) {
    CAPTURE(type);
    const auto event = parsed(an_event(type, an_object(carried(type))).dump());
    CHECK(event.id == StripeEventId("evt_1"));
    CHECK(event.type == type);
    CHECK(event.created == from_unix_seconds(1'795'228'680));
    CHECK(event.idempotency_key == "key-1");
    CHECK(is_deleted(event.state) == type.ends_with(".deleted"));
    CHECK(key_of(event.state).type == (carried(type) == "plan" ? "price" : carried(type)));
    CHECK(metadata_of(event.state) == std::map<std::string, std::string>{{"a", "b"}});
  }
}

TEST_CASE("a customer's event is the same as the customer's own reader has it") {
  const auto event = parsed(kCustomerCreated);
  const auto customer = parse_customer_event(kCustomerCreated);
  REQUIRE(customer.has_value());
  CHECK(event.id == customer->id);
  CHECK(event.created == customer->created);
  CHECK(event.idempotency_key.empty());
  CHECK(std::get<CustomerState>(event.state) == customer->state);
  CHECK(to_canonical(event.state) == to_canonical(customer->state));
}

TEST_CASE("a deletion carries the last state") {
  auto object = an_object("price");
  object["nickname"] = "Gold";
  const auto event = parsed(an_event("price.deleted", object).dump());
  CHECK(is_deleted(event.state));
  CHECK(std::get<PriceState>(event.state).nickname == "Gold");
}

TEST_CASE("plan.updated and price.updated of one change are equal") {
  auto plan = an_object("plan");
  plan["id"] = "price_1";
  const auto of_plan = parsed(an_event("plan.updated", plan).dump()).state;
  const auto of_price = parsed(an_event("price.updated", an_object("price")).dump()).state;
  CHECK(of_plan == of_price);
  CHECK(key_of(of_plan) == ObjectKey{"price", StripeId("price_1")});
}

TEST_CASE("an object that was fetched is read by the type in its key") {
  for (const std::string type : {"customer", "product", "price", "plan", "subscription"}) {
    CAPTURE(type);
    const auto state = parse_object(type, an_object(type).dump());
    REQUIRE(state.has_value());
    CHECK(key_of(*state) ==
          key_of(parsed(an_event(type == "subscription" ? "customer.subscription.updated" : type + ".updated",
                                 an_object(type))
                            .dump())
                     .state));
  }
  const auto plan = parse_object("price", an_object("plan").dump());
  REQUIRE(plan.has_value());
  CHECK(std::holds_alternative<PriceState>(*plan));
  CHECK(refused_field(parse_object("invoice", "{}")) == "object");
  CHECK(refused_field(parse_object("customer", an_object("product").dump())) == "object");
  CHECK(refused_field(parse_object("customer", "")) == "body");
}

TEST_CASE("a thin event is a hint: it names the object, and says no more") {
  json thin = {{"id", "evt_thin_1"},
               {"object", "v2.core.event"},
               {"type", "v1.customer.subscription.updated"},
               {"created", "2026-11-21T00:00:00.250Z"},
               {"related_object", {{"id", "sub_1"}, {"type", "subscription"}, {"url", "/v1/subscriptions/sub_1"}}}};
  REQUIRE(is_object_event(thin["type"].get<std::string>()));
  const auto event = parsed(thin.dump());
  CHECK(event.hint);
  CHECK(key_of(event.state) == ObjectKey{"subscription", StripeId("sub_1")});
  CHECK_FALSE(is_deleted(event.state));
  CHECK(to_rfc3339(event.created) == "2026-11-21T00:00:00.250000Z");

  thin["type"] = "v1.customer.deleted";
  thin["related_object"] = {{"id", "cus_1"}, {"type", "customer"}};
  const auto deletion = parsed(thin.dump());
  CHECK(key_of(deletion.state) == ObjectKey{"customer", StripeId("cus_1")});
  CHECK(is_deleted(deletion.state));

  const auto refused = [&](const char* where, const json& value) {
    auto changed = thin;
    changed[json::json_pointer(where)] = value;
    return refused_field(parse_object_event(changed.dump()));
  };
  CHECK(refused("/created", 1795228680) == "created");
  CHECK(refused("/related_object", nullptr) == "related_object");
  CHECK(refused("/related_object/id", "") == "related_object.id");
  CHECK(refused("/related_object/type", "invoice") == "related_object.type");
}

TEST_CASE("an event without a mirrored object is refused by the field that says so") {
  const auto event = an_event("product.updated", an_object("product"));
  const auto refused = [&](const char* where, const json& value) {
    auto changed = event;
    changed[json::json_pointer(where)] = value;
    return refused_field(parse_object_event(changed.dump()));
  };
  CHECK(refused_field(parse_object_event("{")) == "body");
  CHECK(refused_field(parse_object_event("[]")) == "body");
  CHECK(refused_field(parse_object_event(kMeterError)) == "related_object.type");
  CHECK(refused("/object", nullptr) == "object");
  CHECK(refused("/type", "invoice.paid") == "type");
  CHECK(refused("/type", 5) == "type");
  CHECK(refused("/type", "price.updated") == "data.object.object");
  CHECK(refused("/id", "") == "id");
  CHECK(refused("/id", std::string(256, 'e')) == "id");
  CHECK(refused("/created", nullptr) == "created");
  CHECK(refused("/created", "2026-11-21T00:00:00Z") == "created");
  CHECK(refused("/created", 253'402'300'800) == "created");
  CHECK(refused("/data", nullptr) == "data");
  CHECK(refused("/data/object", json::array()) == "data.object");
  CHECK(refused("/data/object/name", 5) == "data.object.name");
  CHECK(refused("/data/object/metadata/a", 5) == "data.object.metadata.a");
}

TEST_CASE("a refusal says which kind of object it is about") {
  const auto event = parse_object_event(an_event("plan.updated", {{"object", "plan"}, {"id", "p"}}).dump());
  REQUIRE_FALSE(event.has_value());
  CHECK(event.error().message == "Stripe price: data.object.product is missing");
}

TEST_CASE("the request that caused an event is read where there was one") {
  auto event = an_event("product.updated", an_object("product"));
  const auto request =
      GENERATE(as<std::string>(), "null", R"("req_1")", R"({"id":"req_1"})", R"({"id":null,"idempotency_key":null})");
  event["request"] = json::parse(request);
  CHECK(parsed(event.dump()).idempotency_key.empty());
}

TEST_CASE("no truncated or mutated object crashes its reader, and what is read has a canonical form") {
  const auto seed = GENERATE(take(3, random(0, 1'000'000'000)));
  CAPTURE(seed);
  std::mt19937 random(static_cast<unsigned>(seed));
  const auto pick = [&](std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random); };
  const auto fixtures = fs::path(FLEXSYNC_SOURCE_DIR) / "tests/unit/stripe/fixtures/2026-10-28.endive";
  for (const std::string type : {"product", "price", "plan", "subscription"}) {
    const auto object = text_in(fixtures / (type + ".json"));
    REQUIRE_FALSE(parse_object(type, object.substr(0, object.rfind('}'))).has_value());
    for (int i = 0; i < 1'000; ++i) {
      auto mutated = object;
      for (auto changes = pick(4) + 1; changes > 0; --changes) {
        const auto at = pick(mutated.size());
        if (pick(2) == 0) {
          mutated[at] = "0\"{}[],:n\x80\\"[pick(11)];
        } else {
          mutated.replace(at, pick(20), mutated.substr(pick(mutated.size()), pick(20)));
        }
      }
      const auto state = parse_object(type, mutated);
      if (state) {
        REQUIRE_FALSE(key_of(*state).empty());
        REQUIRE(canonical_again(*state) == to_canonical(*state));
      } else {
        REQUIRE(state.error().details.size() == 1);
      }
    }
  }
}

TEST_CASE("every sample event of a mirrored object is read") {
  const fs::path samples = fs::path(FLEXSYNC_SOURCE_DIR) / ".." / "shared" / "stripe" / "events";
  if (!fs::exists(samples)) {
    WARN("no sample events beside this checkout: skipped");
    return;
  }
  int read = 0;
  for (const auto& entry : fs::recursive_directory_iterator(samples)) {
    const auto body = entry.path().extension() == ".json" ? text_in(entry.path()) : std::string();
    const auto envelope = parse_envelope(body);
    if (!envelope || !is_object_event(envelope->type)) {
      continue;
    }
    CAPTURE(entry.path().string());
    const auto event = parse_object_event(body);
    INFO((event ? "" : event.error().message));
    REQUIRE(event.has_value());
    CHECK(event->id.str() == envelope->id);
    CHECK(event->created == envelope->created);
    ++read;
  }
  CHECK(read > 0);
}
