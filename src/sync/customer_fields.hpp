// Stripe's customer fields in our terms.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "domain/customer.hpp"
#include "stripe/customer.hpp"

namespace flexsync::sync {

// Our metadata key that names the Stripe customer.
inline constexpr const char* kStripeCustomerIdKey = "stripe_customer_id";

// Before the name of a metadata key, as a field's name.
inline constexpr std::string_view kMetadataPrefix = "metadata.";

struct MappedFields {
  CustomerFields fields;
  std::string note;  // what was kept out, and why; empty when all was taken
};

// name falls back to e-mail, then the Stripe id. An invalid country is kept out and noted. Reserved metadata keys
// are left out. NUL characters, which PostgreSQL's text cannot hold, become U+FFFD.
MappedFields to_customer_fields(const stripe::CustomerState& state);

// Takes over what differs between `from` and `to`, leaves everything else of `fields` alone.
void apply_difference(const CustomerFields& from, const CustomerFields& to, CustomerFields& fields);

// The names of what differs: "name", "address_city", "metadata.tier".
std::vector<std::string> changed_fields(const CustomerFields& from, const CustomerFields& to);

// Takes over the fields of these names.
void copy_fields(const std::vector<std::string>& names, const CustomerFields& from, CustomerFields& to);

// The value of a field, by its name; empty when it has none.
std::string field_value(const CustomerFields& fields, const std::string& name);

// external_id for a new customer: metadata.external_id, else metadata.flexprice_customer_id unless it is one of our
// ids, else the Stripe id.
std::string external_id_for(const stripe::CustomerState& state);

// All of it by name, as an audit row shows it.
std::map<std::string, std::string> field_map(const Customer& customer);

}  // namespace flexsync::sync
