// An event about a mirrored object: its type, its time, and the whole state it carries, or, as a hint, only the
// object's name.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "domain/entity.hpp"
#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/time.hpp"
#include "stripe/customer.hpp"
#include "stripe/price.hpp"
#include "stripe/product.hpp"
#include "stripe/subscription.hpp"

namespace flexsync::stripe {

using ObjectState = std::variant<CustomerState, ProductState, PriceState, SubscriptionState>;

struct ObjectEvent {
  StripeEventId id;
  std::string type;
  Timestamp created;
  std::string idempotency_key;  // of the request that caused it (event.request); empty where there was none
  ObjectState state;            // `deleted` is set for the deletion types, the last state beside it
  bool hint = false;            // the state is but the object's ids: what it is like, Stripe is to be asked
};

// What the comparison with Stripe makes of an object that differs: an event of our own, a hint. `data.object` is
// {id, object}, of a price with its `product`, of a customer with its `email` and what its `metadata` claims it to be,
// of what Stripe lists no more with `deleted`.
inline constexpr std::string_view kReconcileEvent = "flexsync.reconcile";

// True for the types that carry the whole state of an object we mirror: customer.created|updated|deleted, product.*,
// price.* and plan.* of these, customer.subscription.* (created, updated, deleted, paused, resumed, trial_will_end,
// pending_update_applied, pending_update_expired). True, too, for the hints: thin events of these types ("v1." before
// them), and kReconcileEvent.
bool is_object_event(std::string_view type);

// An event of these types. validation_error names the field and what is wrong with it.
Result<ObjectEvent> parse_object_event(std::string_view payload);

// An object as Stripe answers it: by the type in its key. A legacy plan is read as a price.
Result<ObjectState> parse_object(const std::string& object_type, std::string_view object_json);

// An object of which nothing is known but its ids; `product` is a price's. The type is a mirrored one.
ObjectState bare_object(const ObjectKey& key, const StripeId& product);

// What to_canonical() wrote of an object of this type.
ObjectState object_from_canonical(const std::string& object_type, const std::string& text);

ObjectKey key_of(const ObjectState& state);  // {"customer", cus_…}, {"product", …}, {"price", …}, {"subscription", …}
bool is_deleted(const ObjectState& state);
bool is_ended(const ObjectState& state);  // a subscription that was deleted: Stripe still has it, and lets it change
std::string to_canonical(const ObjectState& state);
const std::map<std::string, std::string>& metadata_of(const ObjectState& state);

}  // namespace flexsync::stripe
