// A subscription before anything is said about it.
#include "stripe_sim/resources/subscription_store.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kIdCharacters = 24;

Json invoice_settings() {
  return {{"account_tax_ids", nullptr},
          {"custom_fields", nullptr},
          {"description", nullptr},
          {"footer", nullptr},
          {"issuer", {{"type", "self"}}}};
}

Json no_items(const std::string& id) {
  return {{"object", "list"},
          {"data", Json::array()},
          {"has_more", false},
          {"total_count", 0},
          {"url", "/v1/subscription_items?subscription=" + id}};
}

}  // namespace

Json blank_subscription(ApiCall& call, const std::string& customer) {
  const std::int64_t now = call.simulator.clock().now();
  const std::string id = call.simulator.ids().mint("sub_", kIdCharacters);
  Json subscription{
      {"id", id},
      {"object", "subscription"},
      {"automatic_tax", {{"disabled_reason", nullptr}, {"enabled", false}, {"liability", nullptr}}},
      {"billing_cycle_anchor", now},
      {"billing_mode",
       {{"flexible", {{"proration_discounts", "included"}}}, {"type", "flexible"}, {"updated_at", now}}},
      {"billing_schedules", Json::array()},
      {"cancel_at_period_end", false},
      {"cancellation_details",
       {{"comment", nullptr}, {"feedback", nullptr}, {"feedback_option", nullptr}, {"reason", nullptr}}},
      {"collection_method", "charge_automatically"},
      {"created", now},
      {"customer", customer},
      {"default_tax_rates", Json::array()},
      {"discounts", Json::array()},
      {"invoice_settings", invoice_settings()},
      {"items", no_items(id)},
      {"livemode", call.account.livemode},
      {"managed_payments", {{"enabled", false}}},
      {"metadata", Json::object()},
      {"payment_settings",
       {{"payment_method_options", nullptr},
        {"payment_method_types", nullptr},
        {"save_default_payment_method", "off"}}},
      {"start_date", now},
      {"status", "active"},
      {"trial_settings",
       {{"end_behavior", {{"billing_cycle_anchor", nullptr}, {"missing_payment_method", "create_invoice"}}}}}};
  for (const char* field : {"application",
                            "application_fee_percent",
                            "billing_cycle_anchor_config",
                            "billing_thresholds",
                            "cancel_at",
                            "canceled_at",
                            "currency",
                            "customer_account",
                            "days_until_due",
                            "default_payment_method",
                            "default_source",
                            "description",
                            "ended_at",
                            "latest_invoice",
                            "next_pending_invoice_item_invoice",
                            "on_behalf_of",
                            "pause_collection",
                            "pending_invoice_item_interval",
                            "pending_setup_intent",
                            "pending_update",
                            "schedule",
                            "test_clock",
                            "transfer_data",
                            "trial_end",
                            "trial_start"}) {
    subscription[field] = nullptr;
  }
  return subscription;
}

}  // namespace stripe_sim
