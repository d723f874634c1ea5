// Every route, by resource. Each function adds the routes of the file that bears its name.
#pragma once

#include <atomic>

#include "http/router.hpp"
#include "http/server.hpp"

namespace flexsync::http {

Router public_routes(const ServerConfig& config, Ports ports);
Router admin_routes(Ports ports, const std::atomic<bool>& draining);

void add_webhooks(Router& router, const ServerConfig& config, Ports ports);
void add_tenants(Router& router, const ServerConfig& config, Ports ports);
void add_environments(Router& router, const ServerConfig& config, Ports ports);
void add_api_keys(Router& router, const ServerConfig& config, Ports ports);
void add_connections(Router& router, const ServerConfig& config, Ports ports);
void add_customers(Router& router, const ServerConfig& config, Ports ports);
void add_customer_commands(Router& router, const ServerConfig& config, Ports ports);
void add_plans(Router& router, Ports ports);
void add_addons(Router& router, Ports ports);
void add_subscriptions(Router& router, Ports ports);
void add_mappings(Router& router, Ports ports);
void add_webhook_events(Router& router, const ServerConfig& config, Ports ports);
void add_dead_letters(Router& router, const ServerConfig& config, Ports ports);
void add_outbox(Router& router, Ports ports);
void add_usage_events(Router& router, const ServerConfig& config, Ports ports);
void add_meters(Router& router, const ServerConfig& config, Ports ports);
void add_meter_mappings(Router& router, const ServerConfig& config, Ports ports);
void add_usage_sync(Router& router, const ServerConfig& config, Ports ports);
void add_health(Router& router, Ports ports, const std::atomic<bool>& draining);

}  // namespace flexsync::http
