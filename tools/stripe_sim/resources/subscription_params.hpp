// What requests about subscriptions may carry, read into the object or into what is still to be decided with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

// How a change is to be paid for, and whether the cycle starts anew.
struct ChangeTerms {
  std::string payment_behavior = "allow_incomplete";
  std::string proration_behavior = "create_prorations";
  std::optional<std::int64_t> trial_end;
  bool ends_trial = false;      // trial_end=now
  bool restarts_cycle = false;  // billing_cycle_anchor[type]=now
};

// Nothing: not given.
struct Cancellation {
  std::optional<bool> at_period_end;
  bool is_at_given = false;
  std::optional<std::int64_t> at;  // with is_at_given, nothing: never
  std::string at_end_of;           // min_period_end or max_period_end, known once the periods are
};

// One entry of items[], or the parameters of a request about one item.
struct ItemChange {
  std::string where;  // "items[0]", or empty
  std::optional<std::string> id;
  std::optional<std::string> price;
  std::optional<std::int64_t> quantity;
  std::optional<Json> metadata;  // as given
  bool is_removed = false;
};

// payment_behavior, proration_behavior, trial_end and what comes with them.
ChangeTerms read_terms(Params& params, std::int64_t now);
bool read_restart(Params& params);
void read_billing_behavior(Params& params, ChangeTerms& terms);
std::int64_t read_future(Params& params, const std::string& key, std::int64_t now);

Cancellation read_cancellation(Params& params, std::int64_t now);
void apply_cancellation(const Cancellation& wanted, Json& subscription, std::int64_t now);
void apply_cancellation_details(Params& params, Json& subscription);

// The parameters that only change the object: metadata, description, collection and payment methods.
void apply_details(Params& params, Json& subscription);
void apply_pause_collection(Params& params, Json& subscription, std::int64_t now);

ItemChange read_item_change(Params& fields);
std::vector<ItemChange> read_item_changes(Params& params);

// Makes the changes; new items have no period yet. Throws StripeError, the subscription then half changed.
void apply_item_changes(ApiCall& call, const std::vector<ItemChange>& changes, Json& subscription);

}  // namespace stripe_sim
