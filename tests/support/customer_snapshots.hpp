// What is stored of one customer, for the tests of the pure decisions: made by hand, moved on by change sets.
#pragma once

#include <string>
#include <vector>

#include "sync/customer_state.hpp"

namespace flexsync::test {

inline const Scope kOwner{TenantId("tenant_1"), EnvironmentId("env_1")};
inline const CustomerId kCustomer("cust_01ARZ3NDEKTSV4RRFFQ69G5FAV");
inline const StripeId kStripe("cus_1");
inline constexpr std::int64_t kSecond = 1'790'000'000;

inline Timestamp at(std::int64_t second) {
  return from_unix_seconds(kSecond + second);
}

// Ada, ada@example.com, as Stripe has her and as we do.
stripe::CustomerState ada_in_stripe();
stripe::CustomerState renamed(stripe::CustomerState state, const std::string& name);

// Ours alone, nothing known of Stripe.
EntitySnapshot only_ours();
// Mapped to kStripe, whose state was `state` at that second; ours is the same.
EntitySnapshot mapped(const stripe::CustomerState& state, std::int64_t second);

// With this intent waiting (and given the next seq).
EntitySnapshot with(EntitySnapshot snapshot, Intent intent);
// After this change set was committed: versions rise, intents that end are gone, new ones have their seq.
EntitySnapshot after(const ChangeSet& change, EntitySnapshot snapshot);

// The names of the audit rows, in order.
std::vector<std::string> audited(const ChangeSet& change);

}  // namespace flexsync::test
