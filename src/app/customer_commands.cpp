#include "app/customer_commands.hpp"

#include <nlohmann/json.hpp>

namespace flexsync::app {

bool pushes_customers(const std::string& sync_config) {
  const auto config = nlohmann::json::parse(sync_config, nullptr, false);
  const auto customer = config.is_object() ? config.find("customer") : config.end();
  if (!config.is_object() || customer == config.end() || !customer->is_object()) {
    return false;
  }
  const auto outbound = customer->find("outbound");
  return outbound != customer->end() && outbound->is_boolean() && outbound->get<bool>();
}

void EngineCustomerCommands::execute(CustomerCommand command, std::function<void(Result<CustomerReply>)> reply) {
  const auto scope = command.scope;
  connections_.find(scope, [&engine = engine_, command = std::move(command),
                            reply = std::move(reply)](const Result<store::ConnectionCache::Endpoint>& endpoint) {
    auto wanted = command;
    const bool asked_to_push = std::holds_alternative<SyncCustomerToStripe>(wanted.action);
    if (endpoint) {
      wanted.push = asked_to_push || pushes_customers((*endpoint)->sync_config);
    } else if (endpoint.error().code != ErrorCode::not_found) {
      reply(tl::unexpected(endpoint.error()));
      return;
    } else if (asked_to_push) {
      reply(fail(ErrorCode::invalid_operation,
                 "this environment has no Stripe connection: create one with POST /v1/connections"));
      return;
    }
    engine.execute(std::move(wanted), reply);
  });
}

}  // namespace flexsync::app
