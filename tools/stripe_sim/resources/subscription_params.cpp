#include "stripe_sim/resources/subscription_params.hpp"

#include "stripe_sim/errors.hpp"
#include "stripe_sim/resources/subscription_life.hpp"

namespace stripe_sim {

namespace {

constexpr std::int64_t kTrialDaysMax = 730;
constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kDaysUntilDueMax = 3'650;
constexpr std::int64_t kUnixSecondsMax = 253'402'300'799;  // the end of the year 9999

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

// `trial_settings[end_behavior][missing_payment_method]`
void apply_trial_settings(Params& params, Json& subscription) {
  const auto given = params.hash("trial_settings");
  if (!given || given->is_null()) {
    return;
  }
  Params settings(*given, "trial_settings");
  const Json behavior = settings.hash("end_behavior").value_or(Json());
  settings.finish();
  if (behavior.is_null()) {
    throw invalid_request("Missing required param: trial_settings[end_behavior].", "trial_settings[end_behavior]",
                          "parameter_missing");
  }
  Params fields(behavior, "trial_settings[end_behavior]");
  fields.refuse({"billing_cycle_anchor"});
  fields.required_text("missing_payment_method");
  subscription["trial_settings"]["end_behavior"]["missing_payment_method"] =
      *fields.one_of("missing_payment_method", {"cancel", "create_invoice", "pause"});
  fields.finish();
}

}  // namespace

std::int64_t read_future(Params& params, const std::string& key, std::int64_t now) {
  const std::int64_t moment = params.integer(key).value_or(0);
  if (moment <= now || moment > kUnixSecondsMax) {
    throw invalid_request("Invalid timestamp: must be an integer Unix timestamp in the future.", params.name(key));
  }
  return moment;
}

// A hash since 2026-10-28.endive, a word before.
bool read_restart(Params& params) {
  const Json* given = params.raw("billing_cycle_anchor");
  if (given == nullptr) {
    return false;
  }
  if (given->is_string()) {
    return params.one_of("billing_cycle_anchor", {"now", "unchanged"}) == "now";
  }
  Params fields(*given, "billing_cycle_anchor");
  fields.required_text("type");
  const auto type = fields.one_of("type", {"now", "unchanged"});
  fields.finish();
  return type == "now";
}

void read_billing_behavior(Params& params, ChangeTerms& terms) {
  terms.payment_behavior = params
                               .one_of("payment_behavior", {"allow_incomplete", "default_incomplete",
                                                            "error_if_incomplete", "pending_if_incomplete"})
                               .value_or(terms.payment_behavior);
  terms.proration_behavior = params.one_of("proration_behavior", {"always_invoice", "create_prorations", "none"})
                                 .value_or(terms.proration_behavior);
  params.ignore("off_session");
}

ChangeTerms read_terms(Params& params, std::int64_t now) {
  ChangeTerms terms;
  read_billing_behavior(params, terms);
  const auto trial_end = params.text("trial_end");
  terms.ends_trial = trial_end == "now";
  if (trial_end && !terms.ends_trial) {
    terms.trial_end = read_future(params, "trial_end", now);
    if (*terms.trial_end > now + kTrialDaysMax * kDaySeconds) {
      throw invalid_request("Invalid timestamp: can be no more than two years in the future.", "trial_end");
    }
  }
  return terms;
}

Cancellation read_cancellation(Params& params, std::int64_t now) {
  Cancellation wanted;
  wanted.at_period_end = params.boolean("cancel_at_period_end");
  const auto at = params.text("cancel_at");
  wanted.is_at_given = at.has_value();
  if (at == "min_period_end" || at == "max_period_end") {
    wanted.at_end_of = *at;
  } else if (at && !at->empty()) {
    wanted.at = read_future(params, "cancel_at", now);
  }
  if (wanted.at_period_end == true && wanted.is_at_given) {
    throw invalid_request("You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
                          "cancel_at");
  }
  return wanted;
}

void apply_cancellation(const Cancellation& wanted, Json& subscription, std::int64_t now) {
  bool is_at_period_end = subscription.at("cancel_at_period_end");
  Json cancel_at = subscription.at("cancel_at");
  if (wanted.at_period_end) {
    is_at_period_end = *wanted.at_period_end;
    cancel_at = is_at_period_end ? Json(first_period_end(subscription)) : Json();
  }
  if (wanted.is_at_given) {
    is_at_period_end = false;
    cancel_at = wanted.at ? Json(*wanted.at) : Json();
  }
  if (!wanted.at_end_of.empty()) {
    cancel_at = wanted.at_end_of == "min_period_end" ? first_period_end(subscription) : last_period_end(subscription);
  }
  if (is_at_period_end != subscription.at("cancel_at_period_end") || cancel_at != subscription.at("cancel_at")) {
    set_cancellation(subscription, is_at_period_end, cancel_at, now);
  }
}

void apply_cancellation_details(Params& params, Json& subscription) {
  const auto given = params.hash("cancellation_details");
  if (!given || given->is_null()) {
    return;
  }
  Params fields(*given, "cancellation_details");
  fields.refuse({"feedback_option"});
  Json& details = subscription["cancellation_details"];
  if (const auto comment = fields.text("comment")) {
    details["comment"] = or_null(*comment);
  }
  const auto feedback = fields.one_of("feedback", {"customer_service", "low_quality", "missing_features", "other",
                                                   "switched_service", "too_complex", "too_expensive", "unused"});
  if (feedback) {
    details["feedback"] = or_null(*feedback);
  }
  fields.finish();
}

void apply_details(Params& params, Json& subscription) {
  params.refuse({"add_invoice_items", "application_fee_percent", "automatic_tax", "backdate_start_date",
                 "billing_cycle_anchor_config", "billing_schedules", "billing_thresholds", "customer_account",
                 "default_tax_rates", "discounts", "invoice_settings", "on_behalf_of", "payment_settings",
                 "pending_invoice_item_interval", "transfer_data"});
  apply_metadata(params, subscription);
  for (const char* field : {"default_payment_method", "default_source", "description"}) {
    if (const auto value = params.text(field)) {
      subscription[field] = or_null(*value);
    }
  }
  const auto method = params.one_of("collection_method", {"charge_automatically", "send_invoice"});
  if (method && !method->empty()) {
    subscription["collection_method"] = *method;
  }
  const auto days = params.integer("days_until_due");
  if (days && (*days < 0 || *days > kDaysUntilDueMax)) {
    throw invalid_request("Invalid days_until_due: must be from 0 to 3650.", "days_until_due",
                          "parameter_invalid_integer");
  }
  const bool sends = subscription.at("collection_method") == "send_invoice";
  if (days && !sends) {
    throw invalid_request("You can only pass `days_until_due` if `collection_method` is `send_invoice`.",
                          "days_until_due");
  }
  if (sends && !days && subscription.at("days_until_due").is_null()) {
    throw invalid_request("You must pass `days_until_due` if `collection_method` is `send_invoice`.", "days_until_due",
                          "parameter_missing");
  }
  if (days || !sends) {
    subscription["days_until_due"] = days ? Json(*days) : Json();
  }
  apply_trial_settings(params, subscription);
}

void apply_pause_collection(Params& params, Json& subscription, std::int64_t now) {
  const auto given = params.hash("pause_collection");
  if (!given) {
    return;
  }
  if (given->is_null()) {
    subscription["pause_collection"] = nullptr;
    return;
  }
  Params fields(*given, "pause_collection");
  fields.required_text("behavior");
  const auto behavior = fields.one_of("behavior", {"keep_as_draft", "mark_uncollectible", "void"});
  const bool has_end = given->contains("resumes_at");
  subscription["pause_collection"] = {{"behavior", *behavior},
                                      {"resumes_at", has_end ? Json(read_future(fields, "resumes_at", now)) : Json()}};
  fields.finish();
}

}  // namespace stripe_sim
