// A Stripe customer's state takes effect on ours: the part that webhooks, fetches and our own writes have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/change_set.hpp"
#include "stripe/customer.hpp"

namespace flexsync::sync {

// Setting `sync.customer_deleted`: what Stripe's deletion does to our customer. The mapping ends in every case.
enum class CustomerDeleted : std::uint8_t { log, archive, remove };

// Setting `sync.ordering`: refetch makes every event a mere hint.
enum class Ordering : std::uint8_t { payload, refetch };

// Setting `sync.conflict`: whose value stands where Stripe changes a field that we have changed and not told it yet.
enum class FieldConflict : std::uint8_t { local, stripe };

struct CustomerSettings {
  CustomerDeleted customer_deleted = CustomerDeleted::log;
  Ordering ordering = Ordering::payload;
  FieldConflict conflict = FieldConflict::local;
};

// What is stored of one customer and of the Stripe object at hand.
using CustomerSnapshot = EntitySnapshot;

// Where a state comes from, and how that is recorded.
struct StateOrigin {
  Scope scope;
  std::int64_t epoch = 0;
  CustomerId customer_id;
  Timestamp now;
  std::string request_id;
  std::string actor;         // of audit rows: "stripe:evt_…", "outbox:intent_…", "api_key:secret_…"
  std::string updated_by;    // of the customer's row
  Metadata mapping_created;  // of a new mapping: how it came about
  Metadata mapping_touched;  // of every mapping that is written
};

inline constexpr const char* kCustomerEntity = "customer";
inline constexpr const char* kStripeProvider = "stripe";

ChangeSet change_of(const StateOrigin& origin);
AuditEntry audit_of(const StateOrigin& origin, std::string action, std::string before, std::string after);

// Customer, mapping, shadow and audit, each where it differs; true when our side changed at all. Fields with an
// unsettled local change keep the local value, or (FieldConflict::stripe) lose it: `change.intents` has those that
// are superseded, `new_intents` what is left of them. Intents named in `change.intents` already do not count.
bool take_state(const StateOrigin& origin, const CustomerSnapshot& snapshot, const CustomerSettings& settings,
                const stripe::CustomerState& state, const TrueInterval& true_during, ChangeSet& change);

// `change` ends intents that Stripe was told before the state that is known of it: what it has in their fields stands,
// even where it changed them in the meantime, when the local value was still kept.
void take_told(const StateOrigin& origin, const CustomerSnapshot& snapshot, ChangeSet& change);

// Deletion in Stripe is final at any age: a tombstone for the Stripe id, the mapping ends, the setting decides about
// ours. `state` is the last one known, which is taken over first: whatever came or will come late, all orders end
// alike. Intents that wait have nobody left to tell: superseded.
void take_deletion(const StateOrigin& origin, const CustomerSnapshot& snapshot, const CustomerSettings& settings,
                   stripe::CustomerState state, Timestamp at, ChangeSet& change);

// Writes the customer's row and its audit row when anything differs from `snapshot`'s; false when nothing does.
bool write_customer(const StateOrigin& origin, const CustomerSnapshot& snapshot, Customer customer, ChangeSet& change);

// The mapping ends, with its audit row.
void end_mapping(const StateOrigin& origin, Mapping mapping, ChangeSet& change);

// A tombstone, or the advanced shadow.
StripeObject next_shadow(const StateOrigin& origin, const CustomerSnapshot& snapshot,
                         const stripe::CustomerState& state, const TrueInterval& true_during);

// True when our customer was deleted here: nothing of Stripe's revives it. (While its deletion still waits to be told
// to Stripe, it is mapped all the same, for that deletion needs the Stripe id.)
bool is_gone(const CustomerSnapshot& snapshot);
bool is_done_with(const CustomerSnapshot& snapshot);

}  // namespace flexsync::sync
