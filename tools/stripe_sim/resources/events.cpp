// /v1/events: https://docs.stripe.com/api/events
#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/resources.hpp"
#include "stripe_sim/versions/render.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "event";
constexpr const char* kNoun = "event";
constexpr std::size_t kTypesMax = 20;
constexpr std::int64_t kRetentionSeconds = 30 * std::int64_t{86'400};  // Stripe's lists go back 30 days

// "customer.updated", or a group: "customer.*".
bool type_matches(const std::string& wanted, const std::string& type) {
  if (wanted.ends_with('*')) {
    return type.starts_with(std::string_view(wanted).substr(0, wanted.size() - 1));
  }
  return type == wanted;
}

Json retrieve(ApiCall& call) {
  read_expand(call.params, {});
  call.params.finish();
  auto event = call.objects(kObject).find(call.id());
  if (!event || event->at("created") < call.simulator.clock().now() - kRetentionSeconds) {
    throw no_such(kNoun, call.id());
  }
  return current_event(call.simulator, std::move(*event));
}

Json list(ApiCall& call) {
  ListQuery query = read_list_query(call.params);
  std::vector<std::string> types = call.params.list("types").value_or(std::vector<std::string>());
  const auto type = call.params.text("type");
  const auto delivered = call.params.boolean("delivery_success");
  call.params.finish();
  if (types.size() > kTypesMax) {
    throw invalid_request("You may filter by at most 20 types.", "types");
  }
  if (type && !types.empty()) {
    throw invalid_request("You may only specify one of these parameters: type, types.", "type");
  }
  if (type) {
    types.push_back(*type);
  }
  const std::int64_t oldest = call.simulator.clock().now() - kRetentionSeconds;
  query.created_gte = std::max(query.created_gte.value_or(oldest), oldest);
  const auto filter = [&](const Json& event) {
    const auto wanted = [&](const std::string& candidate) {
      return type_matches(candidate, event.at("type").get_ref<const std::string&>());
    };
    const auto& id = event.at("id").get_ref<const std::string&>();
    return (types.empty() || std::any_of(types.begin(), types.end(), wanted)) &&
           (!delivered || *delivered == (call.simulator.dispatcher().pending_targets(id) == 0));
  };
  ListPage page = call.objects(kObject).list(query, filter, kNoun);
  for (Json& event : page.items) {
    event = current_event(call.simulator, std::move(event));
  }
  return list_object(std::move(page), "/v1/events");
}

}  // namespace

// In the version it was created in, whatever the request's is.
Json current_event(Simulator& simulator, Json event) {
  event["pending_webhooks"] = simulator.dispatcher().pending_targets(event.at("id").get<std::string>());
  const std::string version = event.at("api_version").get<std::string>();
  return event_at_version(std::move(event), version);
}

void add_event_routes(ApiRoutes& routes) {
  routes.add("GET", "/v1/events", list);
  routes.add("GET", "/v1/events/{id}", retrieve);
}

}  // namespace stripe_sim
