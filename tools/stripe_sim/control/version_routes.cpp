// Control routes about API versions: which there are, an account's default, and any object in any of them.
#include "stripe_sim/control/control.hpp"
#include "stripe_sim/errors.hpp"
#include "stripe_sim/json_fields.hpp"
#include "stripe_sim/versions/api_versions.hpp"
#include "stripe_sim/versions/render.hpp"

namespace stripe_sim {

namespace {

std::string read_version(JsonFields& fields) {
  const std::string version = fields.text("api_version", kApiVersion);
  if (!is_api_version(version)) {
    throw invalid_version_param(version, "api_version");
  }
  return version;
}

// What this account's events are made in from now on, and what requests without a Stripe-Version header get.
Json set_default(ControlCall& call) {
  JsonFields fields(call.body, "body");
  const std::string version = read_version(fields);
  const std::string api_key = fields.text("api_key", "");
  fields.finish();
  const std::lock_guard lock(call.simulator.mutex());
  Account& account = call.simulator.account_for_control(api_key);
  account.api_version = version;
  return {{"id", account.id}, {"livemode", account.livemode}, {"api_version", version}};
}

Json render_object(ControlCall& call) {
  JsonFields fields(call.body, "body");
  const std::string version = read_version(fields);
  Json object = fields.any("object", Json::object());
  fields.finish();
  if (!object.is_object()) {
    throw invalid_request("body.object must be an object or an event of Stripe's.", "object");
  }
  const bool is_event = object.value("object", Json()) == "event";
  if (is_event && !object.value("data", Json::object()).contains("object")) {
    throw invalid_request("body.object is an event without data.object.", "object");
  }
  return is_event ? event_at_version(std::move(object), version) : at_version(std::move(object), version);
}

}  // namespace

void add_version_control_routes(ControlRoutes& routes) {
  add_immediate(routes, "GET", "/_sim/versions", [](ControlCall&) {
    return Json{{"versions", api_versions()}, {"rules", describe_rules()}};
  });
  add_immediate(routes, "POST", "/_sim/versions/default", set_default);
  add_immediate(routes, "POST", "/_sim/versions/render", render_object);
}

}  // namespace stripe_sim
