// Stripe's customer fields in our terms.
#pragma once

#include <string>

#include "domain/customer.hpp"
#include "stripe/customer.hpp"

namespace flexsync::sync {

// Our metadata key that names the Stripe customer.
inline constexpr const char* kStripeCustomerIdKey = "stripe_customer_id";

struct MappedFields {
  CustomerFields fields;
  std::string note;  // what was kept out, and why; empty when all was taken
};

// name falls back to e-mail, then the Stripe id. An invalid country is kept out and noted. Reserved metadata keys
// are left out. NUL characters, which PostgreSQL's text cannot hold, become U+FFFD.
MappedFields to_customer_fields(const stripe::CustomerState& state);

// Takes over what differs between `from` and `to`, leaves everything else of `fields` alone.
void apply_difference(const CustomerFields& from, const CustomerFields& to, CustomerFields& fields);

// external_id for a new customer: metadata.external_id, else metadata.flexprice_customer_id unless it is one of our
// ids, else the Stripe id.
std::string external_id_for(const stripe::CustomerState& state);

struct FieldChanges {
  std::string before;  // JSON objects with the fields that differ
  std::string after;
};
FieldChanges describe_change(const Customer* before, const Customer& after);

}  // namespace flexsync::sync
