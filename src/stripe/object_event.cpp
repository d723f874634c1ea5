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

// Whose event it is; nullptr for the types that are no object events.
const ObjectType* type_of_event(std::string_view type) {
  const auto [family, change] = split(type);
  const auto* found = std::find_if(kObjectTypes.begin(), kObjectTypes.end(),
                                   [family = family](const auto& object) { return object.family == family; });
  if (found == kObjectTypes.end()) {
    return nullptr;
  }
  const bool known =
      found->name == "subscription" ? contains(kSubscriptionChanges, change) : contains(kChanges, change);
  return known ? found : nullptr;
}

ObjectEvent read_event(const JsonObject& head) {
  head.require_object_type("event");
  const auto type = head.required_text("type");
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
    std::visit([](auto& state) { state.deleted = true; }, read.state);
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
  return type_of_event(type) != nullptr;
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

ObjectKey key_of(const ObjectState& state) {
  return std::visit([](const auto& one) { return key_of_state(one); }, state);
}

bool is_deleted(const ObjectState& state) {
  return std::visit([](const auto& one) { return one.deleted; }, state);
}

std::string to_canonical(const ObjectState& state) {
  return std::visit([](const auto& one) { return to_canonical(one); }, state);
}

const std::map<std::string, std::string>& metadata_of(const ObjectState& state) {
  return std::visit(
      [](const auto& one) -> const auto& { return one.metadata; }, state);
}

}  // namespace flexsync::stripe
