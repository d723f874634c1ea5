// One customer as a small model of Stripe keeps it: fields, metadata, a clock of which only whole seconds show, and
// the events it emitted, each with the whole state at that moment.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "stripe/object_event.hpp"

namespace flexsync::test {

// An ObjectEvent whose state is known to be a customer's.
struct CustomerEvent {
  StripeEventId id;
  std::string type;
  Timestamp created;
  std::string idempotency_key;
  stripe::CustomerState state;

  operator stripe::ObjectEvent() const { return {id, type, created, idempotency_key, state}; }  // NOLINT: it is one
};

// What happened to the customer, in order; `second` is when.
struct StripeOperation {
  std::int64_t second = 0;
  CustomerEvent event;
};

// Creation, updates that often come back to an earlier state and often fall in one second, perhaps a deletion.
// metadata.external_id is the same throughout: it is read on creation only, so which event comes first would show.
std::vector<StripeOperation> random_history(std::mt19937_64& random, const std::string& customer_id, int events);

// GET /v1/customers/{id} after this operation: of a deleted customer only the id is left.
stripe::CustomerState current_state(const StripeOperation& last);

std::string to_object_json(const stripe::CustomerState& state);
std::string to_event_json(const CustomerEvent& event);
std::string describe(const std::vector<StripeOperation>& history);

}  // namespace flexsync::test
