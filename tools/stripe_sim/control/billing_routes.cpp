// Control routes about what pays for subscriptions, which /v1 cannot say.
#include "stripe_sim/control/control.hpp"
#include "stripe_sim/errors.hpp"
#include "stripe_sim/json_fields.hpp"
#include "stripe_sim/resources/subscription_store.hpp"

namespace stripe_sim {

namespace {

// The account that has the object. Throws StripeError.
Account& account_with(ControlCall& call, const std::string& kind) {
  const std::string& id = call.arguments.front();
  for (auto& [key, account] : call.simulator.accounts()) {
    const auto store = account.objects.find(kind);
    if (store != account.objects.end() && store->second.find_text(id) && !store->second.is_deleted(id)) {
      return account;
    }
  }
  throw no_such(kind, id);
}

// What was open of the customer's is paid now. Answers the subscriptions that this changed.
Json settle_all(Simulator& simulator, Account& account, const std::string& customer) {
  Json settled = Json::array();
  const std::int64_t now = simulator.clock().now();
  for (const Json& before : subscriptions_of(account, customer)) {
    const std::string id = before.at("id").get<std::string>();
    SubscriptionProgress progress = account.subscription_ledger.progress(id);
    Json after = before;
    const std::string event = settle(after, progress, now);
    if (after == before) {
      continue;
    }
    progress.changed_at = now;
    save_subscription(simulator, account, before, std::move(after), progress, event, {});
    settled.push_back(id);
  }
  return settled;
}

Json set_payments(ControlCall& call) {
  JsonFields fields(call.body, "body");
  const std::lock_guard lock(call.simulator.mutex());
  Account& account = account_with(call, "customer");
  const std::string& customer = call.arguments.front();
  run_due_subscriptions(call.simulator);
  PaymentHabits habits = account.subscription_ledger.habits(customer);
  habits.succeed = fields.boolean("succeed", habits.succeed);
  habits.has_payment_method = fields.boolean("payment_method", habits.has_payment_method);
  habits.after_last_try = fields.text("after_last_try", habits.after_last_try);
  fields.finish();
  if (habits.after_last_try != "canceled" && habits.after_last_try != "unpaid" && habits.after_last_try != "past_due") {
    throw invalid_request("body.after_last_try must be canceled, unpaid or past_due.", "after_last_try");
  }
  account.subscription_ledger.set_habits(customer, habits);
  const Json settled = habits.succeed ? settle_all(call.simulator, account, customer) : Json::array();
  return {{"id", customer},
          {"succeed", habits.succeed},
          {"payment_method", habits.has_payment_method},
          {"after_last_try", habits.after_last_try},
          {"settled", settled}};
}

// Where Stripe would get to by ways that are not simulated: a dispute, a charge back, a hand in the dashboard.
Json set_status(ControlCall& call) {
  JsonFields fields(call.body, "body");
  const std::string status = fields.text("status", "");
  fields.finish();
  if (status != "active" && status != "past_due" && status != "unpaid" && status != "canceled") {
    throw invalid_request("body.status must be active, past_due, unpaid or canceled, not '" + status + "'.", "status");
  }
  const std::lock_guard lock(call.simulator.mutex());
  Account& account = account_with(call, "subscription");
  run_due_subscriptions(call.simulator);
  const Json before = *account.objects["subscription"].find(call.arguments.front());
  if (has_ended(before)) {
    throw invalid_request("The subscription has ended already.", "id");
  }
  const std::int64_t now = call.simulator.clock().now();
  Json after = before;
  after.erase("status_details");
  after["status"] = status;
  if (status == "canceled") {
    cancel(after, now, "payment_failed");
  }
  const bool is_trial = before.at("status") == "trialing";
  if (is_trial) {
    after["trial_end"] = now;
  }
  if (status != "canceled" && (is_trial || before.at("status") == "paused")) {
    start_cycle(after, now, now);
  }
  SubscriptionProgress progress;  // no try is due any more: the status stays until it is changed or a period ends
  progress.changed_at = now;
  return save_subscription(call.simulator, account, before, std::move(after), progress, {}, {});
}

}  // namespace

void add_billing_control_routes(ControlRoutes& routes) {
  add_immediate(routes, "POST", "/_sim/api/customers/{id}/payments", set_payments);
  add_immediate(routes, "POST", "/_sim/api/subscriptions/{id}/status", set_status);
}

}  // namespace stripe_sim
