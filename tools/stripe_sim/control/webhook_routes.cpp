// Control routes about webhook deliveries: settings, faults, held ones, resends, waiting, what is pending, the log.
#include <limits>

#include "stripe_sim/control/control.hpp"
#include "stripe_sim/errors.hpp"
#include "stripe_sim/json_fields.hpp"

namespace stripe_sim {

namespace {

constexpr std::int64_t kIdleTimeoutMsDefault = 10'000;
constexpr std::int64_t kIdleTimeoutMsMax = 3'600'000;
constexpr std::int64_t kLogRecordsDefault = 1'000;
constexpr std::int64_t kLogRecordsMax = 100'000;
constexpr std::int64_t kPendingDefault = 1'000;
constexpr std::int64_t kPendingMax = 1'000'000;
constexpr std::size_t kSecretsMax = 16;

Json settings(ControlCall& call) {
  call.simulator.dispatcher().set_settings(call.body);
  return call.simulator.dispatcher().state();
}

Json faults(ControlCall& call) {
  call.simulator.dispatcher().set_faults(call.body);
  return call.simulator.dispatcher().state();
}

Json release(ControlCall& call) {
  JsonFields fields(call.body, "body");
  const Json order = fields.any("order", "given");
  ReleaseOrder wanted;
  wanted.seed =
      static_cast<std::uint64_t>(fields.integer("seed", static_cast<std::int64_t>(call.simulator.ids().seed() >> 1), 0,
                                                std::numeric_limits<std::int64_t>::max()));
  fields.finish();
  if (order.is_array()) {
    wanted.kind = ReleaseOrder::Kind::listed;
    for (const Json& id : order) {
      wanted.event_ids.push_back(id.is_string() ? id.get<std::string>() : render(id));
    }
  } else if (order == "reversed") {
    wanted.kind = ReleaseOrder::Kind::reversed;
  } else if (order == "random") {
    wanted.kind = ReleaseOrder::Kind::random;
  } else if (order != "given") {
    throw invalid_request(
        "body.order must be given, reversed, random or a list of event ids, not " + render(order) + ".", "order");
  }
  return {{"released", call.simulator.dispatcher().release_held(wanted)}};
}

// To the endpoint named by {"endpoint": "we_..."}, else to all that want the event now.
Json resend(ControlCall& call) {
  JsonFields fields(call.body, "body");
  const std::string endpoint = fields.text("endpoint", "");
  fields.finish();
  const std::string& id = call.arguments.front();
  const std::lock_guard lock(call.simulator.mutex());
  for (auto& [key, account] : call.simulator.accounts()) {
    const SharedText body = account.objects["event"].find_text(id);
    if (!body) {
      continue;
    }
    Dispatcher& dispatcher = call.simulator.dispatcher();
    const Json event = Json::parse(*body);
    const std::string type = event.at("type").get<std::string>();
    const auto targets =
        endpoint.empty() ? dispatcher.targets_for(key, type) : std::vector<Addressee>{dispatcher.target(endpoint)};
    dispatcher.resend(id, type, addressed(event, body, targets));
    Json endpoints = Json::array();
    for (const Addressee& target : targets) {
      endpoints.push_back(target.target_id);
    }
    return {{"endpoints", std::move(endpoints)}};
  }
  throw no_such("event", id);
}

void wait_until_idle(ControlCall& call) {
  const auto timeout_ms = call.query_integer("timeout_ms", kIdleTimeoutMsDefault, kIdleTimeoutMsMax);
  const auto answer = [respond = call.respond, timeout_ms](bool idle, Json counts) {
    counts["idle"] = idle;
    if (!idle) {
      counts["error"] = {
          {"type", "timeout"},
          {"message", "Deliveries were still queued or on their way after " + std::to_string(timeout_ms) + " ms."}};
    }
    respond(json_answer(idle ? 200 : 504, counts));
  };
  call.simulator.dispatcher().when_idle(static_cast<int>(timeout_ms), answer);
}

Json deliveries(ControlCall& call) {
  LogQuery query;
  query.event_id = call.query_text("event");
  query.outcome = call.query_text("outcome");
  query.after = static_cast<std::uint64_t>(call.query_integer("after", 0, std::numeric_limits<std::int64_t>::max()));
  query.limit = static_cast<std::size_t>(call.query_integer("limit", kLogRecordsDefault, kLogRecordsMax));
  return call.simulator.dispatcher().log(query);
}

Json pending(ControlCall& call) {
  return call.simulator.dispatcher().pending(
      static_cast<std::size_t>(call.query_integer("limit", kPendingDefault, kPendingMax)));
}

// {"secrets": ["whsec_new", "whsec_old"]}: every one signs, as while a secret is being rolled.
Json set_secrets(ControlCall& call) {
  JsonFields fields(call.body, "body");
  const Json given = fields.any("secrets", Json::array());
  fields.finish();
  std::vector<std::string> secrets;
  for (const Json& secret : given) {
    if (!secret.is_string() || secret.get_ref<const std::string&>().empty()) {
      throw invalid_request("body.secrets must be a list of strings that are not empty.", "secrets");
    }
    secrets.push_back(secret.get<std::string>());
  }
  if (secrets.empty() || secrets.size() > kSecretsMax) {
    throw invalid_request("body.secrets must hold 1 to 16 secrets.", "secrets");
  }
  if (!call.simulator.dispatcher().set_secrets(call.arguments.front(), secrets)) {
    throw no_such("webhook endpoint", call.arguments.front());
  }
  return {{"id", call.arguments.front()}, {"secrets", secrets.size()}};
}

}  // namespace

void add_webhook_control_routes(ControlRoutes& routes) {
  add_immediate(routes, "POST", "/_sim/webhooks/settings", settings);
  add_immediate(routes, "POST", "/_sim/webhooks/faults", faults);
  add_immediate(routes, "POST", "/_sim/webhooks/release", release);
  add_immediate(routes, "GET", "/_sim/webhooks/deliveries", deliveries);
  add_immediate(routes, "GET", "/_sim/webhooks/pending", pending);
  add_immediate(routes, "GET", "/_sim/webhooks/undelivered",
                [](ControlCall& call) { return call.simulator.dispatcher().undelivered(); });
  routes.add("GET", "/_sim/webhooks/idle", wait_until_idle);
  add_immediate(routes, "POST", "/_sim/webhook_endpoints/{id}/secrets", set_secrets);
  add_immediate(routes, "POST", "/_sim/events/{id}/resend", resend);
}

}  // namespace stripe_sim
