// GET /v1/outbox: what is still to be told to Stripe, and why it is not there yet.
#include <nlohmann/json.hpp>
#include <utility>

#include "http/error_body.hpp"
#include "http/resources/render.hpp"
#include "http/resources/resources.hpp"
#include "http/resources/shapes.hpp"

namespace flexsync::http {

namespace {

bool is_state(const std::string& text) {
  for (const auto state : {IntentState::ready, IntentState::settled, IntentState::refused, IntentState::superseded}) {
    if (text == to_string(state)) {
      return true;
    }
  }
  return false;
}

Response list(Ports ports, const RequestContext& context) {
  Details details;
  IntentFilter filter;
  filter.list = context.query.list_options(details);
  filter.entity_id = context.query.text("entity_id");
  filter.state = context.query.text("state");
  if (!filter.state.empty() && !is_state(filter.state)) {
    details.emplace("state", "must be ready, settled, refused or superseded");
  }
  if (!details.empty()) {
    return error_response(validation_failed(std::move(details)));
  }
  const auto& scope = context.principal.scope;
  const auto page = ports.queries.intents(scope, filter);
  if (!page) {
    return error_response(page.error());
  }
  auto items = nlohmann::json::array();
  for (const auto& intent : page->items) {
    items.push_back(intent_json(scope, intent));
  }
  return list_response(std::move(items), page->total, filter.list);
}

}  // namespace

void add_outbox(Router& router, Ports ports) {
  router.get("/v1/outbox", Access::environment,
             [ports](const RequestContext& context) { return list(ports, context); });
}

}  // namespace flexsync::http
