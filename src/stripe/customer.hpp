// Stripe's customer object as far as it is mirrored, from any API version since 2020.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync::stripe {

// The metadata keys that are ours, set on everything we create in Stripe.
inline constexpr std::string_view kMetadataCustomerId = "flexprice_customer_id";
inline constexpr std::string_view kMetadataEnvironment = "flexprice_environment";
inline constexpr std::string_view kMetadataExternalId = "external_id";

// Null and absent both read as "". The country is kept as Stripe has it; sync decides what is valid.
struct CustomerState {
  StripeId id;
  bool deleted = false;  // {"id", "object", "deleted": true}: nothing else is known then
  std::string name;
  std::string email;
  std::string phone;
  std::string line1;
  std::string line2;
  std::string city;
  std::string state;
  std::string postal_code;
  std::string country;
  std::map<std::string, std::string> metadata;

  friend bool operator==(const CustomerState&, const CustomerState&) = default;
};

// From `GET /v1/customers/{id}` or `data.object`. validation_error names the field and what is wrong with it.
Result<CustomerState> parse_customer(std::string_view object_json);

// A customer.* event: its type, time and the state it carries.
struct CustomerEvent {
  StripeEventId id;
  std::string type;
  Timestamp created;
  std::string idempotency_key;  // of the request that caused it (event.request); empty where there was none
  CustomerState state;          // `deleted` is set for customer.deleted, the last state beside it
};

Result<CustomerEvent> parse_customer_event(std::string_view payload);

// The shadow's canonical form: JSON, keys sorted, only what is mirrored; equal states give equal text.
std::string to_canonical(const CustomerState& state);
CustomerState from_canonical(const std::string& text);  // what to_canonical wrote; throws std::runtime_error else

}  // namespace flexsync::stripe
