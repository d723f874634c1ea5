#include "http/resources/resources.hpp"

namespace flexsync::http {

Router public_routes(const ServerConfig& config, Ports ports) {
  Router router(ports.metrics);
  add_webhooks(router, config, ports);
  add_tenants(router, config, ports);
  add_environments(router, config, ports);
  add_api_keys(router, config, ports);
  add_connections(router, config, ports);
  add_customers(router, config, ports);
  add_customer_commands(router, config, ports);
  add_plans(router, ports);
  add_addons(router, ports);
  add_subscriptions(router, ports);
  add_mappings(router, ports);
  add_webhook_events(router, config, ports);
  add_dead_letters(router, config, ports);
  add_outbox(router, ports);
  add_usage_events(router, config, ports);
  add_meters(router, config, ports);
  add_meter_mappings(router, config, ports);
  add_usage_sync(router, config, ports);
  return router;
}

Router admin_routes(Ports ports, const std::atomic<bool>& draining) {
  Router router(ports.metrics);
  add_health(router, ports, draining);
  return router;
}

}  // namespace flexsync::http
