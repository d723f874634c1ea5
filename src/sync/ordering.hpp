// Which of two states of a Stripe object is the newer one.
//
// Stripe promises no order, `created` has a resolution of one second, and event ids never order. So a state is known
// to be true during an interval (an event: the second of its `created`; a fetch: from Stripe's `Date` less the call's
// duration and a second, to `Date`). Outside that interval time decides; inside it only Stripe can: a tie.
// `previous_attributes` prove nothing: A 1->2, B 2->1, C 1->2 in one second, arriving A, C, B.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "domain/mapping.hpp"
#include "domain/time.hpp"
#include "sync/settings.hpp"

namespace flexsync::sync {

enum class Order : std::uint8_t { superseded, newer, tied };

constexpr Order order(const TrueInterval& shadow, Timestamp event_created) {
  if (event_created < shadow.from) {
    return Order::superseded;
  }
  return event_created > shadow.to ? Order::newer : Order::tied;
}

// When a fetched state was true, given what was known before: it is never older than that.
constexpr TrueInterval later(const TrueInterval& known, const TrueInterval& fetched) {
  return {std::max(known.from, fetched.from), std::max(known.to, fetched.to)};
}

// A state that has come by an event.
struct Arrival {
  Timestamp created;
  bool deleted = false;
  std::string state;          // canonical
  bool before_fetch = false;  // it was waiting when the shadow's state was asked for
  bool ended = false;         // deleted, and may change all the same: a subscription
};

enum class Verdict : std::uint8_t { take, take_deletion, unchanged, superseded, refetch };

struct Judgement {
  Verdict verdict = Verdict::take;
  std::string why;  // of superseded
};

// Deletion is final at any age, and what has ended comes before nothing but an ended state; what is older is
// superseded; what is equal is nothing to do; what is tied and differs, only Stripe can tell.
Judgement judge(const std::optional<StripeObject>& shadow, const Arrival& arrival, Ordering ordering);

}  // namespace flexsync::sync
