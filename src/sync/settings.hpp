// The settings that decide what Stripe's events mean (configuration section `sync`).
#pragma once

#include <cstdint>

namespace flexsync::sync {

// `customer_deleted`: what Stripe's deletion does to our customer. The mapping ends in every case.
enum class CustomerDeleted : std::uint8_t { log, archive, remove };

// `ordering`: refetch makes every event a mere hint.
enum class Ordering : std::uint8_t { payload, refetch };

// `conflict`: whose value stands where Stripe changes a field that we have changed and not told it yet.
enum class FieldConflict : std::uint8_t { local, stripe };

// `plan_source`: whether a product, or each of its recurring prices, is a plan and its twin addon.
enum class PlanSource : std::uint8_t { product, price };

struct Settings {
  CustomerDeleted customer_deleted = CustomerDeleted::log;
  Ordering ordering = Ordering::payload;
  FieldConflict conflict = FieldConflict::local;
  PlanSource plan_source = PlanSource::product;
  // What a subscription does whose customer or plan is not here: it is made (from Stripe's object, or as an empty
  // shell), or the event is blocked until it appears.
  bool create_missing_customer = true;
  bool create_missing_plan = true;
  // Whether a customer of Stripe's that nobody knows or claims is ours of the same e-mail, where exactly one of those
  // that are not in Stripe yet has it.
  bool match_email = false;
};

}  // namespace flexsync::sync
