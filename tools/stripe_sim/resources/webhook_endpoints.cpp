// /v1/webhook_endpoints: https://docs.stripe.com/api/webhook_endpoints
#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/resources.hpp"
#include "stripe_sim/versions/api_versions.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "webhook_endpoint";
constexpr const char* kNoun = "webhook endpoint";
constexpr const char* kUrl = "/v1/webhook_endpoints";
constexpr std::size_t kEndpointsMax = 16;
constexpr std::size_t kIdCharacters = 24;
constexpr std::size_t kSecretCharacters = 32;

void check_url(const std::string& url, bool livemode) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    throw invalid_request("Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid");
  }
  if (livemode && !url.starts_with("https://")) {
    throw invalid_request("Invalid URL: URL must be publicly accessible and use HTTPS in live mode.", "url",
                          "url_invalid");
  }
}

void check_events(const std::vector<std::string>& events) {
  if (events.empty()) {
    throw invalid_request("Invalid array: enabled_events must name at least one event type, or '*'.", "enabled_events");
  }
  for (const std::string& type : events) {
    if (type != "*" && (type.find('.') == std::string::npos || type.ends_with('*'))) {
      throw invalid_request("Invalid enabled_events: '" + type + "' is not an event type.", "enabled_events");
    }
  }
}

void apply(ApiCall& call, Json& endpoint) {
  Params& params = call.params;
  read_expand(params, {});
  if (const auto url = params.text("url")) {
    check_url(*url, call.account.livemode);
    endpoint["url"] = *url;
  }
  if (const auto events = params.list("enabled_events")) {
    check_events(*events);
    endpoint["enabled_events"] = *events;
  }
  if (const auto description = params.text("description")) {
    endpoint["description"] = description->empty() ? Json() : Json(*description);
  }
  apply_metadata(params, endpoint);
}

// The dispatcher keeps what a delivery needs, so that it never takes the simulator's lock.
void set_target(ApiCall& call, const Json& endpoint, const std::string& new_secret) {
  Target target;
  target.id = endpoint.at("id").get<std::string>();
  target.account_key = call.account.key;
  target.url = endpoint.at("url").get<std::string>();
  target.enabled_events = endpoint.at("enabled_events").get<std::vector<std::string>>();
  target.api_version = endpoint.at("api_version").is_null() ? "" : endpoint.at("api_version").get<std::string>();
  target.enabled = endpoint.at("status") == "enabled";
  if (!new_secret.empty()) {
    target.secrets = {new_secret};
  }
  call.simulator.dispatcher().set_target(std::move(target));
}

Json create(ApiCall& call) {
  if (call.objects(kObject).live_count() >= kEndpointsMax) {
    throw invalid_request("You have reached the maximum of 16 webhook endpoints: delete one first.").once_executing();
  }
  call.params.required_text("url");
  if (!call.params.list("enabled_events")) {
    throw invalid_request("Missing required param: enabled_events.", "enabled_events", "parameter_missing");
  }
  Json endpoint{{"object", kObject},      {"api_version", nullptr},
                {"application", nullptr}, {"created", call.simulator.clock().now()},
                {"description", nullptr}, {"livemode", call.account.livemode},
                {"status", "enabled"}};
  if (const auto version = call.params.text("api_version"); version && !version->empty()) {
    if (!is_api_version(*version)) {
      throw invalid_version_param(*version, "api_version");
    }
    endpoint["api_version"] = *version;
  }
  if (call.params.boolean("connect").value_or(false)) {
    call.params.refuse({"connect"});
  }
  apply(call, endpoint);
  call.params.finish();
  endpoint["id"] = call.simulator.ids().mint("we_", kIdCharacters);
  const std::string secret = call.simulator.ids().mint("whsec_", kSecretCharacters);
  call.objects(kObject).insert(endpoint);
  set_target(call, endpoint, secret);
  endpoint["secret"] = secret;
  return endpoint;
}

Json existing(ApiCall& call) {
  auto endpoint = call.objects(kObject).find(call.id());
  if (!endpoint) {
    throw no_such(kNoun, call.id());
  }
  return *endpoint;
}

Json update(ApiCall& call) {
  Json endpoint = existing(call);
  apply(call, endpoint);
  if (const auto disabled = call.params.boolean("disabled")) {
    endpoint["status"] = *disabled ? "disabled" : "enabled";
  }
  call.params.finish();
  call.objects(kObject).replace(endpoint);
  set_target(call, endpoint, {});
  return endpoint;
}

Json retrieve(ApiCall& call) {
  read_expand(call.params, {});
  call.params.finish();
  return existing(call);
}

Json remove(ApiCall& call) {
  call.params.finish();
  existing(call);
  call.objects(kObject).erase(call.id());
  call.simulator.dispatcher().remove_target(call.id());
  return {{"id", call.id()}, {"object", kObject}, {"deleted", true}};
}

Json list(ApiCall& call) {
  const ListQuery query = read_list_query(call.params);
  call.params.finish();
  return list_object(call.objects(kObject).list(query, nullptr, kNoun), kUrl);
}

}  // namespace

void add_webhook_endpoint_routes(ApiRoutes& routes) {
  routes.add("POST", kUrl, create);
  routes.add("GET", kUrl, list);
  routes.add("POST", "/v1/webhook_endpoints/{id}", update);
  routes.add("GET", "/v1/webhook_endpoints/{id}", retrieve);
  routes.add("DELETE", "/v1/webhook_endpoints/{id}", remove);
}

}  // namespace stripe_sim
