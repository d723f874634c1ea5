// The resources of /v1: one file each, registered here and listed in Api's constructor.
#pragma once

#include "stripe_sim/api.hpp"

namespace stripe_sim {

void add_account_routes(ApiRoutes& routes);
void add_customer_routes(ApiRoutes& routes);
void add_event_routes(ApiRoutes& routes);
void add_webhook_endpoint_routes(ApiRoutes& routes);

// A customer as Stripe makes it when nothing is given; the control API's bulk route starts from it, too.
Json default_customer(Simulator& simulator, const Account& account);

// An event as it is read now: pending_webhooks counts down while deliveries succeed.
Json current_event(Simulator& simulator, Json event);

}  // namespace stripe_sim
