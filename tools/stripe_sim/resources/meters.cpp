// /v1/billing/meters: https://docs.stripe.com/api/billing/meter
#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "billing.meter";
constexpr const char* kNoun = "billing meter";
constexpr const char* kUrl = "/v1/billing/meters";
constexpr std::size_t kIdCharacters = 32;
constexpr std::size_t kNameCharactersMax = 250;
constexpr std::size_t kEventNameCharactersMax = 100;

std::string bounded_text(Params& params, const std::string& key, std::size_t characters_max) {
  std::string text = params.required_text(key);
  if (text.size() > characters_max) {
    throw invalid_request("Invalid string: must be at most " + std::to_string(characters_max) + " characters.",
                          params.name(key), "parameter_invalid_string_length");
  }
  return text;
}

// A hash of one key of the payload: {"event_payload_key": ...}, for the customer with {"type": "by_id"}.
void apply_mapping(Params& params, const std::string& key, bool has_type, Json& meter) {
  const auto given = params.hash(key);
  if (!given || given->is_null()) {
    return;
  }
  Params fields(*given, key);
  meter[key]["event_payload_key"] = bounded_text(fields, "event_payload_key", kEventNameCharactersMax);
  if (has_type) {
    fields.required_text("type");
    fields.one_of("type", {"by_id"});
  }
  fields.finish();
}

std::string read_formula(Params& params) {
  const auto given = params.hash("default_aggregation");
  if (!given || given->is_null()) {
    throw invalid_request("Missing required param: default_aggregation.", "default_aggregation", "parameter_missing");
  }
  Params fields(*given, "default_aggregation");
  fields.required_text("formula");
  const auto formula = fields.one_of("formula", {"count", "last", "sum"});
  fields.finish();
  return *formula;
}

void check_event_name_is_free(ApiCall& call, const std::string& event_name) {
  const Json other = active_meter(call, event_name);
  if (!other.is_null()) {
    throw invalid_request("An active meter with the event name '" + event_name +
                              "' exists already: " + other.at("id").get<std::string>() + ".",
                          "event_name")
        .once_executing();
  }
}

void emit(ApiCall& call, const std::string& type, const Json& meter, const Json& previous) {
  call.simulator.emit_event(call.account, "billing.meter." + type, meter, previous, call.origin);
}

Json create(ApiCall& call) {
  Params& params = call.params;
  read_expand(params, {});
  params.refuse({"event_time_window"});
  const std::int64_t now = call.simulator.clock().now();
  Json meter{{"object", kObject},
             {"created", now},
             {"customer_mapping", {{"event_payload_key", "stripe_customer_id"}, {"type", "by_id"}}},
             {"display_name", bounded_text(params, "display_name", kNameCharactersMax)},
             {"event_name", bounded_text(params, "event_name", kEventNameCharactersMax)},
             {"event_time_window", nullptr},
             {"livemode", call.account.livemode},
             {"status", "active"},
             {"status_transitions", {{"deactivated_at", nullptr}}},
             {"updated", now},
             {"value_settings", {{"event_payload_key", "value"}}}};
  meter["default_aggregation"] = {{"formula", read_formula(params)}};
  apply_mapping(params, "customer_mapping", true, meter);
  apply_mapping(params, "value_settings", false, meter);
  params.finish();
  check_event_name_is_free(call, meter.at("event_name").get<std::string>());
  meter["id"] = call.simulator.ids().mint(call.account.livemode ? "mtr_" : "mtr_test_", kIdCharacters);
  call.objects(kObject).insert(meter);
  emit(call, "created", meter, nullptr);
  return meter;
}

Json change(ApiCall& call, const std::string& type, const Json& before, Json meter) {
  if (meter != before) {
    meter["updated"] = call.simulator.clock().now();
    call.objects(kObject).replace(meter);
    emit(call, type, meter, previous_attributes(before, meter));
  }
  return meter;
}

Json update(ApiCall& call) {
  read_expand(call.params, {});
  const auto name = call.params.text("display_name");
  call.params.finish();
  const Json before = live_object(call, kObject, kNoun, call.id());
  Json meter = before;
  if (name) {
    meter["display_name"] = *name;
  }
  return change(call, "updated", before, std::move(meter));
}

Json set_status(ApiCall& call, const std::string& status) {
  read_expand(call.params, {});
  call.params.finish();
  const Json before = live_object(call, kObject, kNoun, call.id());
  if (before.at("status") == status) {
    throw invalid_request("This meter is " + status + " already.").once_executing();
  }
  Json meter = before;
  meter["status"] = status;
  const bool is_active = status == "active";
  meter["status_transitions"]["deactivated_at"] = is_active ? Json() : Json(call.simulator.clock().now());
  if (is_active) {
    check_event_name_is_free(call, meter.at("event_name").get<std::string>());
  }
  return change(call, is_active ? "reactivated" : "deactivated", before, std::move(meter));
}

Json retrieve(ApiCall& call) {
  read_expand(call.params, {});
  call.params.finish();
  return live_object(call, kObject, kNoun, call.id());
}

Json list(ApiCall& call) {
  const ListQuery query = read_page_query(call.params);
  const auto status = call.params.one_of("status", {"active", "inactive"});
  call.params.finish();
  const auto filter = [&status](const Json& meter) { return !status || meter.at("status") == *status; };
  return list_object(call.objects(kObject).list(query, filter, kNoun), kUrl);
}

}  // namespace

Json active_meter(ApiCall& call, const std::string& event_name) {
  for (const SharedText& text : call.objects(kObject).all()) {
    Json meter = Json::parse(*text);
    if (meter.at("event_name") == event_name && meter.at("status") == "active") {
      return meter;
    }
  }
  return nullptr;
}

Formula formula_of(const Json& meter) {
  const Json& formula = meter.at("default_aggregation").at("formula");
  return formula == "count" ? Formula::count : formula == "last" ? Formula::last : Formula::sum;
}

void add_meter_routes(ApiRoutes& routes) {
  routes.add("POST", kUrl, create);
  routes.add("GET", kUrl, list);
  routes.add("POST", "/v1/billing/meters/{id}", update);
  routes.add("GET", "/v1/billing/meters/{id}", retrieve);
  routes.add("POST", "/v1/billing/meters/{id}/deactivate", [](ApiCall& call) { return set_status(call, "inactive"); });
  routes.add("POST", "/v1/billing/meters/{id}/reactivate", [](ApiCall& call) { return set_status(call, "active"); });
}

}  // namespace stripe_sim
