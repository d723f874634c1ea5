// One call to Stripe as a caller describes it; the stripe_client actor adds key, limits, retries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync::stripe {

// Who goes first when the bucket is nearly empty.
enum class Lane : std::uint8_t { interactive, sync, usage, bulk };
inline constexpr std::size_t kLanes = 4;

// The one endpoint with limits of its own.
inline constexpr std::string_view kMeterEvents = "POST billing/meter_events";

struct Call {
  Lane lane = Lane::sync;
  std::string method = "GET";   // GET, POST, DELETE
  std::string path;             // "/v1/customers/cus_…", with its query, every part percent-encoded
  std::string endpoint;         // what Stripe limits by: "POST customers", "GET customers"
  std::string body;             // form-encoded, byte for byte what is sent (also when it is sent again)
  std::string idempotency_key;  // of every POST; <= 255 characters

  friend bool operator==(const Call&, const Call&) = default;
};

// The requests of this server. Ids are percent-encoded; an empty id is std::invalid_argument (it would ask for the
// list). A body is form-encoded, keys in a fixed order: equal contents give equal bytes.
Call retrieve(const std::string& object_type, const StripeId& id);  // "customer", "product", "price", "billing.meter" …
// The items of one subscription: all of them, for it has 20 at most and a page holds 100.
Call list_subscription_items(const StripeId& subscription);
Call create_customer(std::string body, std::string idempotency_key);
Call update_customer(const StripeId& id, std::string body, std::string idempotency_key);
Call delete_customer(const StripeId& id);
// Customers created since then, newest first, a page (100) at a time; `starting_after` empty: the first page.
Call list_customers(Timestamp created_since, const std::string& starting_after);
// All objects of a mirrored type ("customer", "product", "price", "subscription"), of whatever status, newest first, a
// page (100) at a time. Nobody waits for it.
Call list_objects(const std::string& object_type, const std::string& starting_after);
// Events of these types (at most kEventTypesPerListMax) made since then, and before then where it is named; newest
// first, a page (100) at a time. Whole seconds. Nobody waits for it.
Call list_events(std::span<const std::string_view> types, Timestamp since, std::optional<Timestamp> before,
                 const std::string& starting_after);
Call create_meter_event(std::string body, std::string identifier);  // the identifier is the idempotency key, too
Call meter_summaries(const StripeId& meter, const StripeId& customer, Timestamp from, Timestamp to,
                     const std::string& starting_after);

}  // namespace flexsync::stripe
