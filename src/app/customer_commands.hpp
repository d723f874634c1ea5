// The port of customer commands: what http asks, given to the customer's actor, with what the connection says of it.
#pragma once

#include "actors/engine.hpp"
#include "domain/commands.hpp"
#include "store/connection_cache.hpp"

namespace flexsync::app {

class EngineCustomerCommands final : public CustomerCommands {
 public:
  EngineCustomerCommands(actors::Engine& engine, store::ConnectionCache& connections)
      : engine_(engine), connections_(connections) {}

  void execute(CustomerCommand command, std::function<void(Result<CustomerReply>)> reply) override;

 private:
  actors::Engine& engine_;
  store::ConnectionCache& connections_;
};

// FlexPrice's sync_config: {"customer": {"inbound": …, "outbound": …}, …}; what is not there is off.
bool pushes_customers(const std::string& sync_config);

}  // namespace flexsync::app
