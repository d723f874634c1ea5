// A Stripe customer's state takes effect on ours: the part that webhooks, fetches and our own writes have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/change_set.hpp"
#include "stripe/customer.hpp"
#include "sync/origin.hpp"
#include "sync/settings.hpp"

namespace flexsync::sync {

using CustomerSnapshot = EntitySnapshot;

inline constexpr const char* kCustomerEntity = "customer";

// Customer, mapping, shadow and audit, each where it differs; true when our side changed at all. Fields with an
// unsettled local change keep the local value, or (FieldConflict::stripe) lose it: `change.intents` has those that
// are superseded, `new_intents` what is left of them. Intents named in `change.intents` already do not count.
bool take_state(const StateOrigin& origin, const CustomerSnapshot& snapshot, const Settings& settings,
                const stripe::CustomerState& state, const TrueInterval& true_during, ChangeSet& change);

// `change` ends intents that Stripe was told before the state that is known of it: what it has in their fields stands,
// even where it changed them in the meantime, when the local value was still kept.
void take_told(const StateOrigin& origin, const CustomerSnapshot& snapshot, ChangeSet& change);

// Deletion in Stripe is final at any age: a tombstone for the Stripe id, the mapping ends, the setting decides about
// ours. `state` is the last one known, which is taken over first: whatever came or will come late, all orders end
// alike. Intents that wait have nobody left to tell: superseded.
void take_deletion(const StateOrigin& origin, const CustomerSnapshot& snapshot, const Settings& settings,
                   stripe::CustomerState state, Timestamp at, ChangeSet& change);

// Writes the customer's row and its audit row when anything differs from `snapshot`'s; false when nothing does.
bool write_customer(const StateOrigin& origin, const CustomerSnapshot& snapshot, Customer customer, ChangeSet& change);

// The mapping ends, with its audit row.
void end_mapping(const StateOrigin& origin, Mapping mapping, ChangeSet& change);

// A tombstone, or the advanced shadow.
StripeObject next_shadow(const StateOrigin& origin, const CustomerSnapshot& snapshot,
                         const stripe::CustomerState& state, const TrueInterval& true_during);

// What Stripe was last seen to have: of a shell, which was made before anything was known, its id alone.
stripe::CustomerState last_state(const StripeObject& shadow);
// The fields of that; where there is no Stripe object, none.
CustomerFields known_fields(const CustomerSnapshot& snapshot);

// True when our customer was deleted here: nothing of Stripe's revives it. (While its deletion still waits to be told
// to Stripe, it is mapped all the same, for that deletion needs the Stripe id.)
bool is_gone(const CustomerSnapshot& snapshot);
bool is_done_with(const CustomerSnapshot& snapshot);

}  // namespace flexsync::sync
