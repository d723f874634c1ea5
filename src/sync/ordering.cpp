#include "sync/ordering.hpp"

namespace flexsync::sync {

Judgement judge(const std::optional<StripeObject>& shadow, const Arrival& arrival, Ordering ordering) {
  if (arrival.deleted) {
    return {shadow && shadow->deleted && shadow->state == arrival.state ? Verdict::unchanged : Verdict::take_deletion,
            {}};
  }
  if (shadow && shadow->deleted) {
    return {Verdict::superseded, "the " + shadow->object_type + " was deleted in Stripe"};
  }
  if (arrival.before_fetch && shadow) {
    return {Verdict::superseded, "the state was fetched from Stripe after this event had come"};
  }
  if (ordering == Ordering::refetch) {
    return {Verdict::refetch, {}};
  }
  if (!shadow) {
    return {Verdict::take, {}};
  }
  switch (order(shadow->true_during, arrival.created)) {
    case Order::superseded:
      return {Verdict::superseded, "a state of " + to_rfc3339(shadow->true_during.from) + " or later is known"};
    case Order::newer:
      return {Verdict::take, {}};
    case Order::tied:
      break;
  }
  return {arrival.state == shadow->state ? Verdict::unchanged : Verdict::refetch, {}};
}

}  // namespace flexsync::sync
