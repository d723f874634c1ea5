#include "stripe/customer.hpp"

#include <algorithm>
#include <array>

#include "stripe/envelope.hpp"
#include "stripe/json_object.hpp"
#include "stripe/object_readers.hpp"

namespace flexsync::stripe {

namespace {

using nlohmann::json;

constexpr const char* kKind = "customer";
constexpr const char* kDeletedType = "customer.deleted";
constexpr std::array<std::string_view, 3> kTypes = {"customer.created", "customer.updated", kDeletedType};

struct TextField {
  const char* key;
  std::string CustomerState::*member;
};

constexpr std::array kOwnFields = {
    TextField{"name", &CustomerState::name},
    TextField{"email", &CustomerState::email},
    TextField{"phone", &CustomerState::phone},
};

constexpr std::array kAddressFields = {
    TextField{"line1", &CustomerState::line1},
    TextField{"line2", &CustomerState::line2},
    TextField{"city", &CustomerState::city},
    TextField{"state", &CustomerState::state},
    TextField{"postal_code", &CustomerState::postal_code},
    TextField{"country", &CustomerState::country},
};

template <std::size_t N>
void read_texts(const JsonObject& from, const std::array<TextField, N>& fields, CustomerState& state) {
  for (const auto& field : fields) {
    state.*(field.member) = from.text(field.key);
  }
}

}  // namespace

CustomerState read_customer(const JsonObject& object) {
  object.require_object_type("customer");
  CustomerState state;
  state.id = object.required_id();
  state.deleted = object.flag("deleted", false);
  read_texts(object, kOwnFields, state);
  if (const auto address = object.object("address")) {
    read_texts(*address, kAddressFields, state);
  }
  state.metadata = object.texts("metadata");
  return state;
}

Result<CustomerState> parse_customer(std::string_view object_json) {
  return read_outside(object_json, kKind, read_customer);
}

Result<CustomerEvent> parse_customer_event(std::string_view payload) {
  const auto envelope = parse_envelope(payload);
  if (!envelope) {
    return tl::unexpected(envelope.error());
  }
  const auto refused = [](const std::string& field, const std::string& why) {
    return fail(ErrorCode::validation_error, "Stripe customer: " + field + " " + why, {{field, why}});
  };
  if (envelope->thin) {
    return refused("object", "must be \"event\": a v2.core.event carries no customer");
  }
  if (std::find(kTypes.begin(), kTypes.end(), envelope->type) == kTypes.end()) {
    return refused("type", "must be customer.created, customer.updated or customer.deleted");
  }
  return read_outside(payload, kKind, [&](const JsonObject& event) {
    CustomerEvent read{StripeEventId(envelope->id), envelope->type, envelope->created, request_key(event),
                       read_customer(event.required_object("data").required_object("object"))};
    read.state.deleted = read.state.deleted || read.type == kDeletedType;
    return read;
  });
}

std::string to_canonical(const CustomerState& state) {
  json form = {{"id", state.id.str()}};
  put_flag(form, "deleted", state.deleted, false);
  for (const auto& field : kOwnFields) {
    put(form, field.key, state.*(field.member));
  }
  for (const auto& field : kAddressFields) {
    put(form, field.key, state.*(field.member));
  }
  put(form, "metadata", state.metadata);
  return form.dump();
}

CustomerState from_canonical(const std::string& text) {
  return read_stored(text, kKind, [](const JsonObject& form) {
    CustomerState state;
    state.id = form.required_id();
    state.deleted = form.flag("deleted", false);
    read_texts(form, kOwnFields, state);
    read_texts(form, kAddressFields, state);
    state.metadata = form.texts("metadata");
    return state;
  });
}

}  // namespace flexsync::stripe
