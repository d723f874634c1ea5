#include "stripe/object_event.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "stripe/json_object.hpp"
#include "stripe/object_readers.hpp"

namespace flexsync::stripe {

namespace {

constexpr std::string_view kDeleted = "deleted";
constexpr std::array<std::string_view, 3> kChanges = {"created", "updated", kDeleted};
constexpr std::array<std::string_view, 8> kSubscriptionChanges = {"created",
                                                                  "updated",
                                                                  kDeleted,
                                                                  "paused",
                                                                  "resumed",
                                                                  "trial_will_end",
                                                                  "pending_update_applied",
                                                                  "pending_update_expired"};

struct ObjectType {
  std::string_view name;    // as the object says itself
  std::string_view family;  // of its events: customer.subscription.updated
  const char* kind;         // in messages
  ObjectState (*read)(const JsonObject&);
};

template <auto read>
ObjectState read_as(const JsonObject& object) {
  return read(object);
}

constexpr std::array kObjectTypes = {
    ObjectType{"customer", "customer", "customer", read_as<read_customer>},
    ObjectType{"product", "product", "product", read_as<read_product>},
    ObjectType{"price", "price", "price", read_as<read_price>},
    ObjectType{"plan", "plan", "price", read_as<read_price>},
    ObjectType{"subscription", "customer.subscription", "subscription", read_as<read_subscription>},
};

// "customer.subscription.updated" -> "customer.subscription" and "updated".
std::pair<std::string_view, std::string_view> split(std::string_view type) {
  const auto point = type.rfind('.');
  return point == std::string_view::npos ? std::pair(type, std::string_view())
                                         : std::pair(type.substr(0, point), type.substr(point + 1));
}

template <class Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::string_view kThinPrefix = "v1.";

// A thin twin is called as its snapshot, with this before it.
std::string_view without_thin_prefix(std::string_view type) {
  return type.starts_with(kThinPrefix) ? type.substr(kThinPrefix.size()) : type;
}

// Whose event it is; nullptr for the types that are no object events.
const ObjectType* type_of_event(std::string_view type) {
  const auto [family, change] = split(without_thin_prefix(type));
  const auto* found = std::find_if(kObjectTypes.begin(), kObjectTypes.end(),
                                   [family = family](const auto& object) { return object.family == family; });
  if (found == kObjectTypes.end()) {
    return nullptr;
  }
  const bool known =
      found->name == "subscription" ? contains(kSubscriptionChanges, change) : contains(kChanges, change);
  return known ? found : nullptr;
}

const ObjectType& mirrored_type(const JsonObject& object, const char* key) {
  const auto name = object.required_text(key);
  const auto* found =
      std::find_if(kObjectTypes.begin(), kObjectTypes.end(), [&](const auto& type) { return type.name == name; });
  if (found == kObjectTypes.end()) {
    object.refuse(key, "is \"" + name + "\", which is not mirrored");
  }
  return *found;
}

void mark_deleted(ObjectState& state) {
  if (auto* subscription = std::get_if<SubscriptionState>(&state)) {
    mark_ended(*subscription);
  } else {
    std::visit([](auto& object) { object.deleted = true; }, state);
  }
}

// A v2.core.event.
ObjectEvent read_thin_event(const JsonObject& head) {
  const auto event = head.as("event");
  const auto type = event.required_text("type");
  const auto created = parse_rfc3339(event.required_text("created"));
  if (!created) {
    event.refuse("created", "must be an RFC 3339 time");
  }
  const auto object = event.required_object("related_object");
  ObjectEvent read{StripeEventId(event.required_id().str()),
                   type,
                   *created,
                   {},
                   bare_object({mirrored_type(object, "type").kind, object.required_id()}, {}),
                   true};
  if (split(type).second == kDeleted) {
    mark_deleted(read.state);
  }
  return read;
}

ObjectEvent read_reconcile_event(const JsonObject& head) {
  const auto event = head.as("event");
  const auto created = event.time("created");
  if (!created) {
    event.refuse("created", "is missing");
  }
  const auto object = event.required_object("data").required_object("object");
  ObjectEvent read{
      StripeEventId(event.required_id().str()),
      std::string(kReconcileEvent),
      *created,
      {},
      bare_object({mirrored_type(object, "object").kind, object.required_id()}, StripeId(object.text("product"))),
      true};
  if (auto* customer = std::get_if<CustomerState>(&read.state)) {
    customer->metadata = object.texts("metadata");
    customer->email = object.text("email");
  }
  if (object.flag("deleted", false)) {
    mark_deleted(read.state);
  }
  return read;
}

ObjectEvent read_event(const JsonObject& head) {
  if (head.text("object") == "v2.core.event") {
    return read_thin_event(head);
  }
  head.require_object_type("event");
  const auto type = head.required_text("type");
  if (type == kReconcileEvent) {
    return read_reconcile_event(head);
  }
  const auto* object_type = type_of_event(type);
  if (object_type == nullptr) {
    head.refuse("type", "is none of those that carry the whole state of a mirrored object");
  }
  const auto created = head.time("created");
  if (!created) {
    head.refuse("created", "is missing");
  }
  const auto event = head.as(object_type->kind);
  ObjectEvent read{StripeEventId(event.required_id().str()), type, *created, request_key(event),
                   object_type->read(event.required_object("data").required_object("object"))};
  if (split(type).second == kDeleted) {
    mark_deleted(read.state);
  }
  return read;
}

ObjectKey key_of_state(const CustomerState& state) {
  return {"customer", state.id};
}
ObjectKey key_of_state(const ProductState& state) {
  return {"product", state.id};
}
ObjectKey key_of_state(const PriceState& state) {
  return {"price", state.id};
}
ObjectKey key_of_state(const SubscriptionState& state) {
  return {"subscription", state.id};
}

}  // namespace

bool is_object_event(std::string_view type) {
  return type == kReconcileEvent || type_of_event(type) != nullptr;
}

Result<ObjectEvent> parse_object_event(std::string_view payload) {
  return read_outside(payload, "event", read_event);
}

Result<ObjectState> parse_object(const std::string& object_type, std::string_view object_json) {
  for (const auto& type : kObjectTypes) {
    if (type.name == object_type) {
      return read_outside(object_json, type.kind, type.read);
    }
  }
  const auto why = "is \"" + object_type + "\", which is not mirrored";
  return fail(ErrorCode::validation_error, "Stripe object: object " + why, {{"object", why}});
}

ObjectState bare_object(const ObjectKey& key, const StripeId& product) {
  const auto named = [&](auto state) -> ObjectState {
    state.id = key.id;
    return state;
  };
  if (key.type == "customer") {
    return named(CustomerState{});
  }
  if (key.type == "product") {
    return named(ProductState{});
  }
  if (key.type == "price") {
    PriceState price;
    price.product = product;
    return named(std::move(price));
  }
  return named(SubscriptionState{});
}

ObjectState object_from_canonical(const std::string& object_type, const std::string& text) {
  if (object_type == "customer") {
    return from_canonical(text);
  }
  if (object_type == "product") {
    return product_from_canonical(text);
  }
  if (object_type == "price") {
    return price_from_canonical(text);
  }
  return subscription_from_canonical(text);
}

ObjectKey key_of(const ObjectState& state) {
  return std::visit([](const auto& one) { return key_of_state(one); }, state);
}

bool is_deleted(const ObjectState& state) {
  return std::visit([](const auto& one) { return one.deleted; }, state);
}

bool is_ended(const ObjectState& state) {
  return std::holds_alternative<SubscriptionState>(state) && is_deleted(state);
}

std::string to_canonical(const ObjectState& state) {
  return std::visit([](const auto& one) { return to_canonical(one); }, state);
}

const std::map<std::string, std::string>& metadata_of(const ObjectState& state) {
  return std::visit(
      [](const auto& one) -> const auto& { return one.metadata; }, state);
}

}  // namespace flexsync::stripe
