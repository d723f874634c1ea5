#include "http/resources/subscription_json.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/resources/render.hpp"

namespace flexsync::http {

namespace {

// What FlexPrice's subscriptions and line items have and Stripe's have not, or what only `expand` shows.
constexpr std::array kNotOfSubscriptions = {"active_pause_id",
                                            "auto_invoice_threshold",
                                            "checkout_session",
                                            "commitment_amount",
                                            "commitment_duration",
                                            "coupon_associations",
                                            "credit_grants",
                                            "customer",
                                            "customer_timezone",
                                            "enable_true_up",
                                            "entitlements",
                                            "gateway_payment_method_id",
                                            "latest_invoice",
                                            "lookup_key",
                                            "overage_factor",
                                            "parent_subscription_id",
                                            "pauses",
                                            "payment_behavior",
                                            "payment_terms",
                                            "phases",
                                            "plan",
                                            "proration_behavior",
                                            "synced_price_sequence",
                                            "timezone"};

constexpr std::array kNotOfLineItems = {"addon_association_id",
                                        "commitment_amount",
                                        "commitment_duration",
                                        "commitment_overage_factor",
                                        "commitment_quantity",
                                        "commitment_time_buckets",
                                        "commitment_true_up_enabled",
                                        "commitment_type",
                                        "commitment_windowed",
                                        "display_name",
                                        "meter",
                                        "meter_display_name",
                                        "meter_id",
                                        "plan_display_name",
                                        "price",
                                        "price_unit",
                                        "price_unit_id",
                                        "subscription_phase_id",
                                        "trial_period"};

// Items and associations have no record of their own: they are written with their subscription.
void put_record(nlohmann::json& record, const Scope& scope, const Subscription& subscription) {
  record["status"] = to_string(subscription.status);
  record["created_at"] = to_rfc3339(subscription.created_at);
  record["updated_at"] = to_rfc3339(subscription.updated_at);
  record["created_by"] = subscription.created_by;
  record["updated_by"] = subscription.updated_by;
  put_scope(record, scope);
}

// What the plan's item and an addon's have in common. Only a metered price has no quantity.
nlohmann::json line_item(const Scope& scope, const Subscription& subscription, const StripeId& item,
                         const StripeId& price, const std::optional<std::int64_t>& quantity) {
  const auto& terms = subscription.terms;
  nlohmann::json record;
  for (const auto* name : kNotOfLineItems) {
    record[name] = nullptr;
  }
  record["id"] = item.str();
  record["subscription_id"] = subscription.id.str();
  record["customer_id"] = terms.customer_id.str();
  record["price_id"] = price.str();
  record["price_type"] = quantity ? "FIXED" : "USAGE";
  record["invoice_cadence"] = quantity ? "ADVANCE" : "ARREAR";
  record["quantity"] = quantity ? nlohmann::json(std::to_string(*quantity)) : nlohmann::json();
  record["currency"] = terms.currency;
  record["metadata"] = nlohmann::json::object();
  put_time(record, "end_date", terms.end_date);
  put_record(record, scope, subscription);
  return record;
}

nlohmann::json plan_item(const Scope& scope, const Subscription& subscription) {
  const auto& terms = subscription.terms;
  auto record = line_item(scope, subscription, terms.plan_item_id, terms.price_id, terms.quantity);
  record["entity_type"] = "plan";
  record["entity_id"] = terms.plan_id.str();
  record["billing_period"] = to_string(terms.billing_period);
  record["billing_period_count"] = terms.billing_period_count;
  put_time(record, "start_date", terms.start_date);
  return record;
}

// Its period is its price's, which need not be the plan's.
nlohmann::json addon_item(const Scope& scope, const Subscription& subscription, const SubscriptionAddon& attached) {
  auto record = line_item(scope, subscription, attached.item_id, attached.price_id, attached.quantity);
  record["entity_type"] = "addon";
  record["entity_id"] = attached.addon_id.str();
  record["addon_association_id"] = attached.item_id.str();
  record["billing_period"] = nullptr;
  record["billing_period_count"] = nullptr;
  record["start_date"] = to_rfc3339(attached.start_date);
  return record;
}

nlohmann::json line_items(const Scope& scope, const Subscription& subscription) {
  auto items = nlohmann::json::array();
  if (!subscription.terms.plan_item_id.empty()) {
    items.push_back(plan_item(scope, subscription));
  }
  for (const auto& attached : subscription.terms.addons) {
    items.push_back(addon_item(scope, subscription, attached));
  }
  return items;
}

void put_times(nlohmann::json& record, const SubscriptionTerms& terms) {
  put_time(record, "start_date", terms.start_date);
  put_time(record, "end_date", terms.end_date);
  put_time(record, "current_period_start", terms.current_period_start);
  put_time(record, "current_period_end", terms.current_period_end);
  put_time(record, "trial_start", terms.trial_start);
  put_time(record, "trial_end", terms.trial_end);
  put_time(record, "billing_anchor", terms.billing_anchor);
  put_time(record, "cancel_at", terms.cancel_at);
  put_time(record, "cancelled_at", terms.cancelled_at);
}

}  // namespace

nlohmann::json subscription_json(const Scope& scope, const Subscription& subscription) {
  const auto& terms = subscription.terms;
  nlohmann::json record;
  for (const auto* name : kNotOfSubscriptions) {
    record[name] = nullptr;
  }
  record["id"] = subscription.id.str();
  record["customer_id"] = terms.customer_id.str();
  record["invoicing_customer_id"] = terms.customer_id.str();
  record["plan_id"] = terms.plan_id.str();
  record["subscription_status"] = to_string(terms.subscription_status);
  record["subscription_type"] = "standalone";
  record["pause_status"] = terms.collection_paused ? "active" : "none";
  record["currency"] = terms.currency;
  record["billing_cadence"] = "RECURRING";
  record["billing_cycle"] = "anniversary";
  record["billing_period"] = to_string(terms.billing_period);
  record["billing_period_count"] = terms.billing_period_count;
  record["cancel_at_period_end"] = terms.cancel_at_period_end;
  record["collection_method"] = terms.collection_method;
  record["metadata"] = nlohmann::json(terms.metadata);
  record["line_items"] = line_items(scope, subscription);
  record["version"] = subscription.version;
  put_times(record, terms);
  put_record(record, scope, subscription);
  return record;
}

nlohmann::json addon_association_json(const Scope& scope, const Subscription& subscription,
                                      const SubscriptionAddon& attached) {
  const auto& terms = subscription.terms;
  nlohmann::json record = {{"id", attached.item_id.str()},
                           {"addon_id", attached.addon_id.str()},
                           {"addon_status", has_ended(terms.subscription_status) ? "cancelled" : "active"},
                           {"entity_type", "subscription"},
                           {"entity_id", subscription.id.str()},
                           {"start_date", to_rfc3339(attached.start_date)},
                           {"cancellation_reason", nullptr},
                           {"metadata", nlohmann::json::object()},
                           {"addon", nullptr},
                           {"subscription", nullptr}};
  put_time(record, "end_date", terms.end_date);
  put_time(record, "cancelled_at", has_ended(terms.subscription_status) ? terms.cancelled_at : std::nullopt);
  put_record(record, scope, subscription);
  return record;
}

}  // namespace flexsync::http
