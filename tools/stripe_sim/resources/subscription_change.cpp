#include "stripe_sim/resources/subscription_change.hpp"

#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/resources/subscription_store.hpp"

namespace stripe_sim {

namespace {

constexpr std::int64_t kPendingUpdateSeconds = 23 * 3'600;

StripeError card_declined() {
  return StripeError(402, "card_error", "Your card was declined.", "card_declined").once_executing();
}

const Json& items_of(const Json& subscription) {
  return subscription.at("items").at("data");
}

// What of an item is paid for.
bool same_charges(const Json& before, const Json& after) {
  return std::equal(before.begin(), before.end(), after.begin(), after.end(), [](const Json& one, const Json& other) {
    return one.at("id") == other.at("id") && one.at("price").at("id") == other.at("price").at("id") &&
           one.value("quantity", Json()) == other.value("quantity", Json());
  });
}

// What a cycle costs; tiers are not reckoned, so any change of them costs more.
double cycle_amount(const Json& items) {
  double amount = 0;
  for (const Json& item : items) {
    const Json& decimal = item.at("price").at("unit_amount_decimal");
    if (item.contains("quantity") && !decimal.is_null()) {
      amount += item.at("quantity").get<double>() * std::stod(decimal.get<std::string>());
    }
  }
  return amount;
}

bool costs_more(const Json& before, const Json& after) {
  const auto is_tiered = [](const Json& item) { return item.at("price").at("billing_scheme") == "tiered"; };
  return std::any_of(after.begin(), after.end(), is_tiered) || cycle_amount(after) > cycle_amount(before);
}

// A monthly item that becomes a yearly one begins a new cycle.
bool changes_interval(const Json& before, const Json& after) {
  return std::any_of(after.begin(), after.end(), [&](const Json& item) {
    const auto old =
        std::find_if(before.begin(), before.end(), [&](const Json& other) { return other.at("id") == item.at("id"); });
    const Json& now = item.at("price").at("recurring");
    return old != before.end() && (old->at("price").at("recurring").at("interval") != now.at("interval") ||
                                   old->at("price").at("recurring").at("interval_count") != now.at("interval_count"));
  });
}

// The differences, kept on the subscription as it was until they are paid for.
Json with_pending_update(const Json& before, const Json& after, std::int64_t now) {
  const auto changed = [&](const char* field) {
    return before.at(field) == after.at(field) ? Json() : after.at(field);
  };
  const bool has_new_items = !same_charges(items_of(before), items_of(after));
  const std::int64_t period_end = first_period_end(before);
  Json pending = before;
  pending["pending_update"] = {{"billing_cycle_anchor", changed("billing_cycle_anchor")},
                               {"cancel_at_period_end", changed("cancel_at_period_end")},
                               {"discount", nullptr},
                               {"discounts", nullptr},
                               {"expires_at", std::min(now + kPendingUpdateSeconds, std::max(period_end, now + 1))},
                               {"metadata", changed("metadata")},
                               {"subscription_items", has_new_items ? items_of(after) : Json()},
                               {"trial_end", changed("trial_end")},
                               {"trial_from_plan", nullptr}};
  return pending;
}

void restart_cycle(Json& subscription, std::int64_t now) {
  if (subscription.at("status") == "trialing") {
    subscription["status"] = "active";
    subscription["trial_end"] = now;
  }
  start_cycle(subscription, now, now);
}

void check_anchor(const Json& subscription, std::int64_t anchor, std::int64_t now) {
  Json natural = subscription;
  start_cycle(natural, now, now);
  if (anchor > first_period_end(natural)) {
    throw invalid_request("billing_cycle_anchor cannot be later than the next natural billing date (" +
                              std::to_string(first_period_end(natural)) + ").",
                          "billing_cycle_anchor")
        .once_executing();
  }
}

}  // namespace

Json begin_subscription(ApiCall& call, Json subscription, const ChangeTerms& terms,
                        const std::optional<std::int64_t>& anchor, const Cancellation& cancellation) {
  const std::int64_t now = call.simulator.clock().now();
  const auto habits = call.account.subscription_ledger.habits(subscription.at("customer").get<std::string>());
  SubscriptionProgress progress;
  progress.changed_at = now;
  if (terms.trial_end) {
    start_trial(subscription, now, *terms.trial_end);
    subscription["billing_cycle_anchor"] = anchor.value_or(*terms.trial_end);
  } else {
    if (anchor) {
      check_anchor(subscription, *anchor, now);
    }
    start_cycle(subscription, anchor.value_or(now), now);
    const bool is_free_until_anchor = anchor && terms.proration_behavior == "none";
    if (subscription.at("collection_method") == "send_invoice") {
      request_payment(subscription, progress, now);
    } else if (must_pay(subscription) && !is_free_until_anchor) {
      const bool is_paid = terms.payment_behavior != "default_incomplete" && habits.succeed;
      if (!is_paid && terms.payment_behavior == "error_if_incomplete") {
        throw card_declined();
      }
      subscription["status"] = is_paid ? "active" : "incomplete";
    }
  }
  apply_cancellation(cancellation, subscription, now);
  const std::string id = subscription.at("id").get<std::string>();
  save_subscription(call.simulator, call.account, nullptr, std::move(subscription), progress, {}, call.origin);
  run_due_subscriptions(call.simulator);  // a short trial's end is announced at once
  return *call.objects("subscription").find(id);
}

Json change_subscription(ApiCall& call, const Json& before, Json after, const ChangeTerms& terms,
                         const Cancellation& cancellation) {
  const std::int64_t now = call.simulator.clock().now();
  const std::string id = before.at("id").get<std::string>();
  const auto habits = call.account.subscription_ledger.habits(before.at("customer").get<std::string>());
  SubscriptionProgress progress = call.account.subscription_ledger.progress(id);
  progress.changed_at = now;
  const bool has_new_items = !same_charges(items_of(before), items_of(after));
  const bool restarts = terms.ends_trial || terms.restarts_cycle || changes_interval(items_of(before), items_of(after));
  if (terms.trial_end) {
    start_trial(after, now, *terms.trial_end);
    progress.is_trial_end_announced = false;
    progress.payment_due.reset();
  } else if (restarts && (after.at("status") != "trialing" || terms.ends_trial || terms.restarts_cycle)) {
    restart_cycle(after, now);
  }
  fill_periods(after, now);
  apply_cancellation(cancellation, after, now);

  // A change that is cheaper leaves a credit; one that is not invoiced at once is paid for with the next cycle.
  const bool is_invoiced =
      terms.proration_behavior == "always_invoice" && has_new_items && costs_more(items_of(before), items_of(after));
  const bool is_billed = (restarts || is_invoiced) && after.at("status") != "trialing" &&
                         after.at("status") != "paused" && must_pay(after);
  const bool is_paid = !is_billed || (terms.payment_behavior != "default_incomplete" && habits.succeed);
  if (!is_paid && terms.payment_behavior == "error_if_incomplete") {
    throw card_declined();
  }
  if (!is_paid && terms.payment_behavior == "pending_if_incomplete") {
    after = with_pending_update(before, after, now);
  } else if (restarts || has_new_items || terms.trial_end) {
    after["pending_update"] = nullptr;
  }
  if (!is_paid && terms.payment_behavior != "pending_if_incomplete" && after.at("status") != "unpaid") {
    fail_payment(after, progress, habits, now);
  }
  // Stripe announces a trial's end also where it is ended at once.
  const bool has_ended_trial = before.at("status") == "trialing" && after.at("status") != "trialing";
  save_subscription(call.simulator, call.account, before, std::move(after), progress,
                    has_ended_trial ? "customer.subscription.trial_will_end" : "", call.origin);
  run_due_subscriptions(call.simulator);
  return *call.objects("subscription").find(id);
}

}  // namespace stripe_sim
