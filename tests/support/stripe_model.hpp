// One customer as a small model of Stripe keeps it: fields, metadata, a clock of which only whole seconds show, and
// the events it emitted, each with the whole state at that moment.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "stripe/customer.hpp"

namespace flexsync::test {

// What happened to the customer, in order; `second` is when.
struct StripeOperation {
  std::int64_t second = 0;
  stripe::CustomerEvent event;
};

// Creation, updates that often come back to an earlier state and often fall in one second, perhaps a deletion.
// metadata.external_id is the same throughout: it is read on creation only, so which event comes first would show.
std::vector<StripeOperation> random_history(std::mt19937_64& random, const std::string& customer_id, int events);

// GET /v1/customers/{id} after this operation: of a deleted customer only the id is left.
stripe::CustomerState current_state(const StripeOperation& last);

std::string to_object_json(const stripe::CustomerState& state);
std::string to_event_json(const stripe::CustomerEvent& event);
std::string describe(const std::vector<StripeOperation>& history);

}  // namespace flexsync::test
