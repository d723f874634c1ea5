// /v1/subscriptions/{id}/pause and /resume: the status, which is not the same as a paused collection of payments.
#include "stripe_sim/errors.hpp"
#include "stripe_sim/resources/subscription_params.hpp"
#include "stripe_sim/resources/subscription_store.hpp"

namespace stripe_sim {

namespace {

Json suspend(ApiCall& call) {
  Params& params = call.params;
  const std::int64_t now = call.simulator.clock().now();
  const auto expand = read_expand(params, expandable_in_subscription());
  const Json before = find_subscription(call, call.id());
  params.one_of("type", {"subscription"});
  params.one_of("invoicing_behavior", {"invoice", "pending_invoice_item"});
  params.ignore("bill_for");  // what is invoiced for it; invoices are not simulated
  params.finish();
  if (has_ended(before) || before.at("status") == "incomplete" || before.at("status") == "paused") {
    throw invalid_request(
        "This subscription cannot be paused because it is " + before.at("status").get<std::string>() + ".", "id")
        .once_executing();
  }
  Json after = before;
  SubscriptionProgress progress;
  progress.changed_at = now;
  const std::string event = pause(after, "pause_requested", now);
  return shown_subscription(
      call, save_subscription(call.simulator, call.account, before, std::move(after), progress, event, call.origin),
      expand);
}

Json resume(ApiCall& call) {
  Params& params = call.params;
  const std::int64_t now = call.simulator.clock().now();
  const auto expand = read_expand(params, expandable_in_subscription());
  const Json before = find_subscription(call, call.id());
  const bool is_unchanged = params.raw("billing_cycle_anchor") != nullptr && !read_restart(params);
  params.one_of("payment_behavior", {"resume_on_payment_attempt", "resume_on_payment_success"});
  params.one_of("proration_behavior", {"always_invoice", "create_prorations", "none"});
  params.ignore("proration_date");
  params.finish();
  if (before.at("status") != "paused") {
    throw invalid_request("This subscription cannot be resumed because it is not paused.", "id").once_executing();
  }
  const auto habits = call.account.subscription_ledger.habits(before.at("customer").get<std::string>());
  if (must_pay(before) && !habits.succeed) {
    return shown_subscription(call, before, expand);  // paused until its invoice is paid
  }
  Json after = before;
  after["status"] = "active";
  after.erase("status_details");
  start_cycle(after, is_unchanged ? before.at("billing_cycle_anchor").get<std::int64_t>() : now, now);
  SubscriptionProgress progress;
  progress.changed_at = now;
  const Json resumed = save_subscription(call.simulator, call.account, before, std::move(after), progress,
                                         "customer.subscription.resumed", call.origin);
  return shown_subscription(call, resumed, expand);
}

}  // namespace

void add_subscription_pause_routes(ApiRoutes& routes) {
  routes.add("POST", "/v1/subscriptions/{id}/pause", suspend);
  routes.add("POST", "/v1/subscriptions/{id}/resume", resume);
}

}  // namespace stripe_sim
