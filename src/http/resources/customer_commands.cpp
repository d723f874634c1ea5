// Writing customers: POST, PUT and DELETE on /v1/customers, and POST /v1/customers/{id}/sync-to-stripe. The answer
// leaves when the change and what follows from it for Stripe are durable; with `Prefer: wait`, when Stripe has
// answered.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "domain/ulid.hpp"
#include "http/deferred.hpp"
#include "http/json_body.hpp"
#include "http/prefer.hpp"
#include "http/resources/customer_body.hpp"
#include "http/resources/resources.hpp"
#include "http/resources/shapes.hpp"

namespace flexsync::http {

namespace {

struct Limits {
  int depth_max = 0;
  std::chrono::milliseconds wait_max;
};

CustomerCommand command_for(const RequestContext& context, CustomerId id, const Limits& limits, Details& details) {
  CustomerCommand command;
  command.scope = context.principal.scope;
  command.customer_id = std::move(id);
  command.wait = wanted_wait(context.request, context.query, limits.wait_max, details);
  command.by = context.principal;
  return command;
}

void execute(Ports ports, const RequestContext& context, ExchangePtr exchange, CustomerCommand command,
             std::function<Response(const CustomerReply&)> render) {
  const bool waits = command.wait.has_value();
  auto reply = answering<CustomerReply>(std::move(exchange), context.request.request_id,
                                        [waits, render = std::move(render)](const CustomerReply& done) {
                                          auto response = render(done);
                                          if (waits) {
                                            response.headers.emplace_back("Preference-Applied", "wait");
                                          }
                                          return response;
                                        });
  ports.customer_commands.execute(std::move(command), std::move(reply));
}

std::function<Response(const CustomerReply&)> showing(int status, const Scope& scope) {
  return
      [status, scope](const CustomerReply& done) { return json_response(status, customer_json(scope, done.customer)); };
}

void create(Ports ports, const Limits& limits, const RequestContext& context, ExchangePtr exchange) {
  const auto body = parse_json_object(context.request.body, limits.depth_max);
  if (!body) {
    exchange->reply(body.error());
    return;
  }
  Details details;
  auto id = new_id<CustomerId>(prefix::kCustomer, ports.clock.now());
  auto command = command_for(context, std::move(id), limits, details);
  command.action = read_new_customer(*body, details);
  if (!details.empty()) {
    exchange->reply(validation_failed(std::move(details)));
    return;
  }
  auto render = showing(201, command.scope);
  execute(ports, context, std::move(exchange), std::move(command), std::move(render));
}

// A client that sends back the metadata it has read sends our keys, too. They are looked at only then.
Result<void> settle_reserved(Ports ports, const Scope& scope, const CustomerId& id, UpdateCustomer& update,
                             Details& details) {
  if (!update.metadata || std::none_of(update.metadata->begin(), update.metadata->end(),
                                       [](const auto& entry) { return is_reserved_metadata(entry.first); })) {
    return {};
  }
  const auto stored = ports.queries.customer(scope, id);
  if (!stored) {
    return tl::unexpected(stored.error());
  }
  take_reserved_out(*update.metadata, stored->fields.metadata, details);
  return {};
}

void update(Ports ports, const Limits& limits, const RequestContext& context, CustomerId id, ExchangePtr exchange) {
  const auto body = parse_json_object(context.request.body, limits.depth_max);
  if (!body) {
    exchange->reply(body.error());
    return;
  }
  Details details;
  auto command = command_for(context, std::move(id), limits, details);
  auto wanted = read_customer_update(*body, details);
  if (const auto settled = settle_reserved(ports, command.scope, command.customer_id, wanted, details); !settled) {
    exchange->reply(settled.error());
    return;
  }
  if (!details.empty()) {
    exchange->reply(validation_failed(std::move(details)));
    return;
  }
  command.action = std::move(wanted);
  auto render = showing(200, command.scope);
  execute(ports, context, std::move(exchange), std::move(command), std::move(render));
}

// PUT /v1/customers?id=… or ?external_customer_id=…
Result<CustomerId> named_by_query(Ports ports, const RequestContext& context) {
  const auto id = context.query.text("id");
  const auto external_id = context.query.text("external_customer_id");
  if (id.empty() == external_id.empty()) {
    return tl::unexpected(validation_failed({{"id", "one of id and external_customer_id is required in the query"}}));
  }
  if (!id.empty()) {
    return CustomerId(id);
  }
  const auto customer = ports.queries.customer_by_external_id(context.principal.scope, external_id);
  return customer ? Result<CustomerId>(customer->id) : tl::unexpected(customer.error());
}

void remove(Ports ports, const Limits& limits, const RequestContext& context, ExchangePtr exchange) {
  Details details;
  auto command = command_for(context, CustomerId(context.path.at("id")), limits, details);
  const auto cleanup = context.query.text("provider_cleanup");
  if (!cleanup.empty() && cleanup != "true" && cleanup != "false") {
    details.emplace("provider_cleanup", "must be true or false");
  }
  if (!details.empty()) {
    exchange->reply(validation_failed(std::move(details)));
    return;
  }
  command.action = DeleteCustomer{cleanup == "true"};
  execute(ports, context, std::move(exchange), std::move(command), [](const CustomerReply&) { return no_content(); });
}

Response synced(const Scope& scope, bool waited, const CustomerReply& done) {
  if (waited && done.intent && done.intent->state == IntentState::refused) {
    return error_response(Error{ErrorCode::invalid_operation,
                                "Stripe refused the customer: " + done.intent->error_message,
                                {{"stripe", done.intent->error_message}, {"intent_id", done.intent->id.str()}}});
  }
  if (done.mapping) {
    return json_response(200, mapping_json(scope, *done.mapping));
  }
  return json_response(202, {{"status", "pending"},
                             {"customer_id", done.customer.id.str()},
                             {"intent", done.intent ? intent_json(scope, *done.intent) : nlohmann::json()}});
}

void sync_to_stripe(Ports ports, const Limits& limits, const RequestContext& context, ExchangePtr exchange) {
  Details details;
  auto command = command_for(context, CustomerId(context.path.at("id")), limits, details);
  if (!details.empty()) {
    exchange->reply(validation_failed(std::move(details)));
    return;
  }
  command.action = SyncCustomerToStripe{};
  auto render = [scope = command.scope, waited = command.wait.has_value()](const CustomerReply& done) {
    return synced(scope, waited, done);
  };
  execute(ports, context, std::move(exchange), std::move(command), std::move(render));
}

}  // namespace

void add_customer_commands(Router& router, const ServerConfig& config, Ports ports) {
  const Limits limits{config.json_depth_max, std::chrono::milliseconds(config.wait_max_ms)};
  const auto access = Access::environment;
  router.post("/v1/customers", access, config.body_size_max,
              [ports, limits](const RequestContext& context, ExchangePtr exchange) {
                create(ports, limits, context, std::move(exchange));
              });
  router.put("/v1/customers", access, config.body_size_max,
             [ports, limits](const RequestContext& context, ExchangePtr exchange) {
               auto id = named_by_query(ports, context);
               if (!id) {
                 exchange->reply(id.error());
                 return;
               }
               update(ports, limits, context, std::move(*id), std::move(exchange));
             });
  router.put("/v1/customers/{id}", access, config.body_size_max,
             [ports, limits](const RequestContext& context, ExchangePtr exchange) {
               update(ports, limits, context, CustomerId(context.path.at("id")), std::move(exchange));
             });
  router.del("/v1/customers/{id}", access, [ports, limits](const RequestContext& context, ExchangePtr exchange) {
    remove(ports, limits, context, std::move(exchange));
  });
  router.post("/v1/customers/{id}/sync-to-stripe", access, config.body_size_max,
              [ports, limits](const RequestContext& context, ExchangePtr exchange) {
                sync_to_stripe(ports, limits, context, std::move(exchange));
              });
}

}  // namespace flexsync::http
