// /v1/billing/meter_events: https://docs.stripe.com/api/billing/meter-event
#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "billing.meter_event";
constexpr const char* kUrl = "/v1/billing/meter_events";
constexpr std::size_t kIdCharacters = 24;
constexpr std::size_t kIdentifierCharacters = 32;
constexpr std::size_t kIdentifierCharactersMax = 100;
constexpr std::size_t kValueDigitsMax = 15;
constexpr std::int64_t kPastSecondsMax = 35 * std::int64_t{86'400};
constexpr std::int64_t kFutureSecondsMax = 5 * 60;

struct Sent {
  std::string event_name;
  std::string identifier;  // empty: one is to be made
  std::int64_t timestamp = 0;
  Json payload;
};

Sent read_sent(ApiCall& call) {
  Params& params = call.params;
  read_expand(params, {});
  Sent sent;
  sent.event_name = params.required_text("event_name");
  const auto payload = params.hash("payload");
  if (!payload || payload->is_null()) {
    throw invalid_request("Missing required param: payload.", "payload", "parameter_missing");
  }
  sent.payload = *payload;
  for (const auto& [key, value] : sent.payload.items()) {
    if (!value.is_string()) {
      throw invalid_request("Invalid string: " + value.dump(), params.name("payload") + "[" + key + "]");
    }
  }
  if (params.raw("identifier") != nullptr) {
    sent.identifier = params.required_text("identifier");
  }
  if (sent.identifier.size() > kIdentifierCharactersMax) {
    throw invalid_request("Invalid string: must be at most 100 characters.", "identifier",
                          "parameter_invalid_string_length");
  }
  sent.timestamp = params.integer("timestamp").value_or(call.simulator.clock().now());
  params.finish();
  return sent;
}

void check_timestamp(std::int64_t timestamp, std::int64_t now) {
  if (timestamp < now - kPastSecondsMax) {
    throw invalid_request("The timestamp of a meter event must be within the past 35 calendar days.", "timestamp",
                          "timestamp_too_far_in_past");
  }
  if (timestamp > now + kFutureSecondsMax) {
    throw invalid_request("The timestamp of a meter event must be at most 5 minutes in the future.", "timestamp",
                          "timestamp_in_future");
  }
}

std::string payload_key(const Json& meter, const char* mapping) {
  return meter.at(mapping).at("event_payload_key").get<std::string>();
}

std::string read_customer(ApiCall& call, const Json& meter, const Json& payload) {
  const std::string key = payload_key(meter, "customer_mapping");
  const std::string param = "payload[" + key + "]";
  const std::string customer = payload.value(key, "");
  if (customer.empty()) {
    throw invalid_request("Missing required param: " + param + ", which names the customer.", param,
                          "parameter_missing");
  }
  live_object(call, "customer", "customer", customer, param);
  return customer;
}

// A whole number, optionally negative. A meter that counts needs none.
std::int64_t read_value(const Json& meter, const Json& payload) {
  const std::string key = payload_key(meter, "value_settings");
  const std::string param = "payload[" + key + "]";
  const std::string text = payload.value(key, "");
  if (text.empty() && formula_of(meter) == Formula::count) {
    return 1;
  }
  if (text.empty()) {
    throw invalid_request("Missing required param: " + param + ", which holds the value.", param,
                          "meter_event_value_not_found");
  }
  const std::string digits = text.substr(text.front() == '-' ? 1 : 0);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    throw invalid_request("Invalid " + param + ": the value must be a whole number, not '" + text + "'.", param,
                          "meter_event_invalid_value");
  }
  if (digits.size() > kValueDigitsMax) {
    throw invalid_request("Invalid " + param + ": the value may have at most 15 digits.", param,
                          "meter_event_value_too_many_digits");
  }
  return std::stoll(text);
}

void take_identifier(ApiCall& call, const std::string& identifier) {
  if (!call.account.meter_ledger.take_identifier(identifier, call.simulator.clock().now())) {
    throw invalid_request("An event already exists with identifier " + identifier + ".")
        .once_executing()
        .with_header("Stripe-Should-Retry", "false");
  }
}

Json create(ApiCall& call) {
  Sent sent = read_sent(call);
  const std::int64_t now = call.simulator.clock().now();
  check_timestamp(sent.timestamp, now);
  const Json meter = active_meter(call, sent.event_name);
  if (meter.is_null()) {
    throw invalid_request("No active meter found for event name \"" + sent.event_name + "\".", "event_name", "no_meter")
        .once_executing();
  }
  const std::string customer = read_customer(call, meter, sent.payload);
  const std::int64_t value = read_value(meter, sent.payload);
  if (sent.identifier.empty()) {
    sent.identifier = call.simulator.ids().mint("", kIdentifierCharacters);
  }
  take_identifier(call, sent.identifier);
  const Json event{{"object", kObject},
                   {"created", now},
                   {"event_name", sent.event_name},
                   {"identifier", sent.identifier},
                   {"livemode", call.account.livemode},
                   {"payload", sent.payload},
                   {"timestamp", sent.timestamp}};
  // Kept with what the control API tells beyond Stripe's fields.
  Json kept = event;
  kept["id"] = call.simulator.ids().mint("mevt_", kIdCharacters);
  kept["customer"] = customer;
  kept["meter"] = meter.at("id");
  kept["value"] = value;
  call.objects(kObject).insert(kept);
  call.account.meter_ledger.record(meter.at("id").get<std::string>(), customer, sent.timestamp, value);
  return event;
}

}  // namespace

void add_meter_event_routes(ApiRoutes& routes) {
  routes.add("POST", kUrl, create);
}

}  // namespace stripe_sim
