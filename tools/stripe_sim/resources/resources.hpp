// The resources of /v1: one file each, registered here and listed in Api's constructor.
#pragma once

#include "stripe_sim/api.hpp"

namespace stripe_sim {

void add_account_routes(ApiRoutes& routes);
void add_customer_routes(ApiRoutes& routes);
void add_event_routes(ApiRoutes& routes);
void add_meter_event_routes(ApiRoutes& routes);
void add_meter_event_summary_routes(ApiRoutes& routes);
void add_meter_routes(ApiRoutes& routes);
void add_plan_routes(ApiRoutes& routes);
void add_price_routes(ApiRoutes& routes);
void add_product_routes(ApiRoutes& routes);
void add_subscription_item_routes(ApiRoutes& routes);
void add_subscription_pause_routes(ApiRoutes& routes);
void add_subscription_routes(ApiRoutes& routes);
void add_webhook_endpoint_routes(ApiRoutes& routes);

// A customer as Stripe makes it when nothing is given; the control API's bulk route starts from it, too.
Json default_customer(Simulator& simulator, const Account& account);

// An event as it is read now: pending_webhooks counts down while deliveries succeed.
Json current_event(Simulator& simulator, Json event);

// The object to be changed; one that was deleted is gone for good. Throws StripeError.
Json live_object(ApiCall& call, const std::string& object_name, const std::string& noun, const std::string& id,
                 const std::string& param = "id");

// The active meter of an event name, or null.
Json active_meter(ApiCall& call, const std::string& event_name);
Formula formula_of(const Json& meter);

// A product read from parameters, and the same one stored and announced. Reading throws StripeError and changes
// nothing.
Json read_product(ApiCall& call, Params& params);
void add_product(ApiCall& call, const Json& product);

// Everything that became due on any subscription since it was last asked, in the order of its moments.
void run_due_subscriptions(Simulator& simulator);

// A deleted customer's subscriptions end with it.
void cancel_subscriptions_of(ApiCall& call, const std::string& customer_id);

}  // namespace stripe_sim
