#include "stripe_sim/control/control.hpp"

#include <charconv>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/form.hpp"

namespace stripe_sim {

namespace {

Json parse_body(const std::string& body) {
  if (body.empty()) {
    return Json::object();
  }
  Json parsed = Json::parse(body, nullptr, false);
  if (!parsed.is_object()) {
    throw invalid_request("The body of a /_sim request must be a JSON object.");
  }
  return parsed;
}

}  // namespace

std::string ControlCall::query_text(const std::string& name) const {
  const auto found = query.find(name);
  return found != query.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t ControlCall::query_integer(const std::string& name, std::int64_t fallback, std::int64_t max) const {
  const std::string text = query_text(name);
  if (text.empty()) {
    return fallback;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > max) {
    throw invalid_request(name + " must be a whole number from 0 to " + std::to_string(max) + ", not " + text + ".",
                          name);
  }
  return value;
}

void add_immediate(ControlRoutes& routes, const std::string& method, const std::string& pattern,
                   std::function<Json(ControlCall&)> handler) {
  routes.add(method, pattern, [handler = std::move(handler)](ControlCall& call) {
    const Json body = handler(call);
    call.respond(json_answer(200, body));
  });
}

Control::Control(Simulator& simulator, ApiFaults& api_faults, RateLimits& limits, Traffic& traffic)
    : simulator_(simulator), api_faults_(api_faults), limits_(limits), traffic_(traffic) {
  add_api_control_routes(routes_);
  add_billing_control_routes(routes_);
  add_world_routes(routes_);
  add_webhook_control_routes(routes_);
  add_version_control_routes(routes_);
}

void Control::handle(const HttpRequest& request, Responder respond) {
  try {
    if (!request.from_loopback) {
      throw StripeError(403, "invalid_request_error", "/_sim answers to this machine (loopback) only.");
    }
    const auto match = routes_.find(request.method, request.path);
    if (!match) {
      throw StripeError(404, "invalid_request_error",
                        "stripe-sim has no control route " + request.method + " " + request.path +
                            "; tools/stripe_sim/README.md lists them.");
    }
    ControlCall call{
        simulator_,       api_faults_,       limits_, traffic_, parse_body(request.body), decode_form(request.query),
        match->arguments, std::move(respond)};
    try {
      (*match->handler)(call);
    } catch (const StripeError& error) {
      call.respond(json_answer(error.status(), error.body()));
    }
  } catch (const StripeError& error) {
    respond(json_answer(error.status(), error.body()));
  }
}

}  // namespace stripe_sim
