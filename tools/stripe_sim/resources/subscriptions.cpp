// /v1/subscriptions: https://docs.stripe.com/api/subscriptions
#include <algorithm>

#include "stripe_sim/errors.hpp"
#include "stripe_sim/listing.hpp"
#include "stripe_sim/resources/subscription_change.hpp"
#include "stripe_sim/resources/subscription_store.hpp"

namespace stripe_sim {

namespace {

constexpr const char* kObject = "subscription";
constexpr const char* kUrl = "/v1/subscriptions";
constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kTrialDaysMax = 730;

void apply_billing_mode(Params& params, Json& subscription) {
  const auto given = params.hash("billing_mode");
  if (!given || given->is_null()) {
    return;
  }
  Params fields(*given, "billing_mode");
  fields.refuse({"flexible"});
  fields.required_text("type");
  if (fields.one_of("type", {"classic", "flexible"}) == "classic") {
    subscription["billing_mode"] = {{"flexible", nullptr}, {"type", "classic"}};
  }
  fields.finish();
}

// trial_period_days, or those of the plans with trial_from_plan.
void add_trial_days(const std::optional<std::int64_t>& days, bool is_from_plan, const Json& subscription,
                    ChangeTerms& terms) {
  std::int64_t longest = days.value_or(0);
  for (const Json& item : subscription.at("items").at("data")) {
    const Json& plan_days = item.at("plan").at("trial_period_days");
    if (is_from_plan && !days && !plan_days.is_null()) {
      longest = std::max(longest, plan_days.get<std::int64_t>());
    }
  }
  if (longest > 0 && !terms.trial_end && !terms.ends_trial) {
    terms.trial_end = subscription.at("created").get<std::int64_t>() + longest * kDaySeconds;
  }
}

void check_trial(const std::optional<std::int64_t>& days, bool is_from_plan, const ChangeTerms& terms) {
  if (days && (*days < 1 || *days > kTrialDaysMax)) {
    throw invalid_request("This value must be from 1 to 730.", "trial_period_days", "parameter_invalid_integer");
  }
  if ((terms.trial_end || terms.ends_trial) && (days || is_from_plan)) {
    throw invalid_request("You may only specify one of these parameters: trial_end, " +
                              std::string(days ? "trial_period_days." : "trial_from_plan."),
                          days ? "trial_period_days" : "trial_from_plan");
  }
}

Json create(ApiCall& call) {
  Params& params = call.params;
  const std::int64_t now = call.simulator.clock().now();
  const auto expand = read_expand(params, expandable_in_subscription());
  Json subscription = blank_subscription(call, params.required_text("customer"));
  ChangeTerms terms = read_terms(params, now);
  if (terms.payment_behavior == "pending_if_incomplete") {
    throw invalid_request("`pending_if_incomplete` is only for updates of a subscription.", "payment_behavior");
  }
  apply_details(params, subscription);
  apply_billing_mode(params, subscription);
  const auto days = params.integer("trial_period_days");
  const bool is_from_plan = params.boolean("trial_from_plan").value_or(false);
  check_trial(days, is_from_plan, terms);
  const Cancellation cancellation = read_cancellation(params, now);
  const auto anchor = params.text("billing_cycle_anchor")
                          ? std::optional(read_future(params, "billing_cycle_anchor", now))
                          : std::nullopt;
  if (const auto currency = params.text("currency")) {
    subscription["currency"] = *currency;
  }
  const auto changes = read_item_changes(params);
  params.finish();
  if (changes.empty()) {
    throw invalid_request("Missing required param: items.", "items", "parameter_missing");
  }
  live_object(call, "customer", "customer", subscription.at("customer").get<std::string>(), "customer");
  apply_item_changes(call, changes, subscription);
  add_trial_days(days, is_from_plan, subscription, terms);
  return shown_subscription(call, begin_subscription(call, std::move(subscription), terms, anchor, cancellation),
                            expand);
}

// Throws StripeError for what a subscription in this status does not take, or not with this payment_behavior.
void check_update(Params& params, const Json& before, const ChangeTerms& terms) {
  const auto refuse_others = [&](std::initializer_list<const char*> keys, const std::string& message) {
    for (const char* key : keys) {
      if (params.raw(key) != nullptr) {
        throw invalid_request(message, key).once_executing();
      }
    }
  };
  if (has_ended(before)) {
    refuse_others({"billing_cycle_anchor", "cancel_at", "cancel_at_period_end", "collection_method", "days_until_due",
                   "default_payment_method", "default_source", "description", "items", "pause_collection", "trial_end",
                   "trial_settings"},
                  "A canceled subscription can only update its cancellation_details and metadata.");
  }
  if (before.at("status") == "incomplete") {
    refuse_others({"billing_cycle_anchor", "cancel_at", "cancel_at_period_end", "collection_method", "days_until_due",
                   "items", "pause_collection", "trial_end", "trial_settings"},
                  "An incomplete subscription can only update its metadata and default payment source.");
  }
  if (terms.payment_behavior == "pending_if_incomplete") {
    refuse_others({"cancel_at", "cancellation_details", "collection_method", "days_until_due", "default_payment_method",
                   "default_source", "description", "pause_collection", "trial_settings"},
                  "This parameter cannot be passed when `payment_behavior` is `pending_if_incomplete`.");
  }
}

Json update(ApiCall& call) {
  Params& params = call.params;
  const std::int64_t now = call.simulator.clock().now();
  const auto expand = read_expand(params, expandable_in_subscription());
  const Json before = find_subscription(call, call.id());
  ChangeTerms terms = read_terms(params, now);
  check_update(params, before, terms);
  Json after = before;
  terms.restarts_cycle = read_restart(params);
  apply_details(params, after);
  apply_cancellation_details(params, after);
  apply_pause_collection(params, after, now);
  const Cancellation cancellation = read_cancellation(params, now);
  const auto changes = read_item_changes(params);
  params.ignore("proration_date");
  params.ignore("trial_from_plan");
  params.finish();
  if (!changes.empty()) {
    apply_item_changes(call, changes, after);
  }
  return shown_subscription(call, change_subscription(call, before, std::move(after), terms, cancellation), expand);
}

Json retrieve(ApiCall& call) {
  const auto expand = read_expand(call.params, expandable_in_subscription());
  call.params.finish();
  return shown_subscription(call, find_subscription(call, call.id()), expand);
}

Json remove(ApiCall& call) {
  Params& params = call.params;
  const auto expand = read_expand(params, expandable_in_subscription());
  const Json before = find_subscription(call, call.id());
  Json after = before;
  apply_cancellation_details(params, after);
  params.boolean("invoice_now");
  params.boolean("prorate");
  params.finish();
  if (has_ended(before)) {
    throw no_such(kObject, call.id());
  }
  const std::int64_t now = call.simulator.clock().now();
  after["canceled_at"] = now;
  cancel(after, now, "cancellation_requested");
  return shown_subscription(
      call, save_subscription(call.simulator, call.account, before, std::move(after), {}, {}, call.origin), expand);
}

bool status_matches(const Json& subscription, const std::string& wanted) {
  const Json& status = subscription.at("status");
  if (wanted == "all") {
    return true;
  }
  if (wanted == "ended") {
    return has_ended(subscription);
  }
  return wanted.empty() ? status != "canceled" : status == wanted;
}

Json list(ApiCall& call) {
  Params& params = call.params;
  params.refuse({"automatic_tax", "current_period_end", "current_period_start", "customer_account", "test_clock"});
  const ListQuery query = read_list_query(params, expandable_in_subscription());
  const auto customer = params.text("customer");
  const auto method = params.one_of("collection_method", {"charge_automatically", "send_invoice"});
  const auto price = params.text("price");
  const auto plan = params.text("plan");
  const std::string status = params
                                 .one_of("status", {"active", "all", "canceled", "ended", "incomplete",
                                                    "incomplete_expired", "past_due", "paused", "trialing", "unpaid"})
                                 .value_or("");
  params.finish();
  const auto filter = [&](const Json& subscription) {
    const Json& items = subscription.at("items").at("data");
    const auto has = [&items](const std::string& id) {
      return std::any_of(items.begin(), items.end(), [&](const Json& item) { return item.at("price").at("id") == id; });
    };
    return (!customer || subscription.at("customer") == *customer) && status_matches(subscription, status) &&
           (!method || subscription.at("collection_method") == *method) && (!price || has(*price)) &&
           (!plan || has(*plan));
  };
  ListPage page = call.objects(kObject).list(query, filter, kObject);
  for (Json& subscription : page.items) {
    subscription = shown_subscription(call, subscription, query.expand);
  }
  return list_object(std::move(page), kUrl);
}

}  // namespace

void add_subscription_routes(ApiRoutes& routes) {
  routes.add("POST", kUrl, create);
  routes.add("GET", kUrl, list);
  routes.add("POST", "/v1/subscriptions/{id}", update);
  routes.add("GET", "/v1/subscriptions/{id}", retrieve);
  routes.add("DELETE", "/v1/subscriptions/{id}", remove);
}

}  // namespace stripe_sim
