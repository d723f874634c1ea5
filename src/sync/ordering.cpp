#include "sync/ordering.hpp"

namespace flexsync::sync {

Judgement judge(const std::optional<StripeObject>& shadow, const Arrival& arrival, Ordering ordering) {
  const bool is_gone = shadow && shadow->deleted;
  if (arrival.deleted && !(arrival.ended && is_gone)) {
    return {is_gone && shadow->state == arrival.state ? Verdict::unchanged : Verdict::take_deletion, {}};
  }
  if (is_gone && !arrival.ended) {
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
