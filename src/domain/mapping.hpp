// Which object of ours is which object of Stripe's (FlexPrice: entity integration mapping), and the shadow:
// the last state seen from Stripe, and when that state was true.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "domain/customer.hpp"
#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync {

// One live mapping per entity and per Stripe id; the database has a unique index on both sides.
struct Mapping {
  MappingId id;
  std::string entity_type;         // "customer"
  std::string entity_id;           // cust_…
  std::string provider_type;       // "stripe"
  std::string provider_entity_id;  // cus_…
  Metadata metadata;  // sync_direction, created_via, webhook_event, webhook_id, last_webhook_event, last_webhook_id…
  Status status = Status::published;  // deleted: the mapping has ended
  Timestamp created_at;
  Timestamp updated_at;

  friend bool operator==(const Mapping&, const Mapping&) = default;
};

// When a state was true in Stripe: an event's `created`, or for a fetch Stripe's `Date` less the call's duration
// and a second, up to `Date`.
struct TrueInterval {
  Timestamp from;
  Timestamp to;

  friend bool operator==(const TrueInterval&, const TrueInterval&) = default;
};

// The shadow of one mirrored Stripe object.
struct StripeObject {
  std::string object_type;  // "customer"
  StripeId stripe_id;
  std::string entity_id;  // the local object it is mirrored into
  std::string state;      // the fields we mirror, canonical JSON
  TrueInterval true_during;
  bool deleted = false;          // the tombstone: deletion is final
  bool needs_reconcile = false;  // Stripe could not be asked when two states were tied
  std::int64_t version = 0;      // rises by one with every write; 0 = not stored yet

  friend bool operator==(const StripeObject&, const StripeObject&) = default;
};

// What is known of an object that Stripe has.
struct KnownObject {
  std::optional<StripeObject> shadow;
  bool waits = false;  // an event about the object is parked: it will be seen to, by itself or by a person
};

// One that Stripe may have no more.
struct MirroredObject {
  StripeObject shadow;
  bool waits = false;
};

}  // namespace flexsync
