#include "sync/subscription_fields.hpp"

#include <string>

#include "sync/plan.hpp"
#include "sync/subscription.hpp"

namespace flexsync::sync {

namespace {

std::string text(const std::optional<Timestamp>& time) {
  return time ? to_rfc3339(*time) : std::string();
}

std::string text(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : std::string();
}

std::string text(bool flag) {
  return flag ? "true" : "false";
}

}  // namespace

SubscriptionTerms own_terms_of(const stripe::SubscriptionState& state) {
  SubscriptionTerms terms;
  terms.subscription_status = *subscription_status_of(state.status);
  terms.currency = state.currency;
  terms.start_date = state.start_date;
  terms.end_date = state.ended_at;
  terms.current_period_start = state.current_period_start;
  terms.current_period_end = state.current_period_end;
  terms.trial_start = state.trial_start;
  terms.trial_end = state.trial_end;
  terms.billing_anchor = state.billing_cycle_anchor;
  terms.cancel_at = state.cancel_at;
  terms.cancelled_at = state.canceled_at;
  terms.cancel_at_period_end = state.cancel_at_period_end;
  terms.collection_paused = state.collection_paused;
  terms.collection_method = state.collection_method;
  terms.metadata = open_metadata(state.metadata);
  return terms;
}

FieldMap field_map(const SubscriptionTerms& terms) {
  FieldMap fields{{"customer_id", terms.customer_id.str()},
                  {"plan_id", terms.plan_id.str()},
                  {"subscription_status", to_string(terms.subscription_status)},
                  {"currency", terms.currency},
                  {"billing_period", to_string(terms.billing_period)},
                  {"billing_period_count", std::to_string(terms.billing_period_count)},
                  {"plan_item_id", terms.plan_item_id.str()},
                  {"price_id", terms.price_id.str()},
                  {"quantity", text(terms.quantity)},
                  {"start_date", text(terms.start_date)},
                  {"end_date", text(terms.end_date)},
                  {"current_period_start", text(terms.current_period_start)},
                  {"current_period_end", text(terms.current_period_end)},
                  {"trial_start", text(terms.trial_start)},
                  {"trial_end", text(terms.trial_end)},
                  {"billing_anchor", text(terms.billing_anchor)},
                  {"cancel_at", text(terms.cancel_at)},
                  {"cancelled_at", text(terms.cancelled_at)},
                  {"cancel_at_period_end", text(terms.cancel_at_period_end)},
                  {"collection_paused", text(terms.collection_paused)},
                  {"collection_method", terms.collection_method}};
  for (const auto& addon : terms.addons) {
    fields["addons." + addon.item_id.str()] =
        addon.addon_id.str() + ", price " + addon.price_id.str() + ", quantity " + text(addon.quantity);
  }
  for (const auto& [key, value] : terms.metadata) {
    fields["metadata." + key] = value;
  }
  return fields;
}

}  // namespace flexsync::sync
