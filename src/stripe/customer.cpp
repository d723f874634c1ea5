#include "stripe/customer.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "stripe/envelope.hpp"

namespace flexsync::stripe {

namespace {

using nlohmann::json;

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

// Thrown inside, returned outside: each of the many fields may be the wrong one.
Error invalid(const std::string& field, const std::string& why) {
  return Error{ErrorCode::validation_error, "Stripe customer: " + field + " " + why, {{field, why}}};
}

const std::string& text_of(const json& value, const std::string& field) {
  if (!value.is_string()) {
    throw invalid(field, std::string("must be a string, not ") + value.type_name());
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text.find('\0') != std::string::npos) {
    throw invalid(field, "must not contain the character U+0000, which PostgreSQL cannot store");
  }
  return text;
}

template <std::size_t N>
void read_texts(const json& from, const std::string& path, const std::array<TextField, N>& fields,
                CustomerState& state) {
  for (const auto& field : fields) {
    const auto found = from.find(field.key);
    if (found != from.end() && !found->is_null()) {
      state.*(field.member) = text_of(*found, path + field.key);
    }
  }
}

// Null and absent read alike; anything else must be an object.
const json* optional_object(const json& from, const char* key, const std::string& path) {
  const auto found = from.find(key);
  if (found == from.end() || found->is_null()) {
    return nullptr;
  }
  if (!found->is_object()) {
    throw invalid(path + key, std::string("must be an object, not ") + found->type_name());
  }
  return &*found;
}

const json& required(const json& from, const char* key, const std::string& path) {
  const auto found = from.find(key);
  if (found == from.end()) {
    throw invalid(path + key, "is missing");
  }
  return *found;
}

bool read_deleted(const json& object, const std::string& path) {
  const auto found = object.find("deleted");
  if (found == object.end() || found->is_null()) {
    return false;
  }
  if (!found->is_boolean()) {
    throw invalid(path + "deleted", std::string("must be true or false, not ") + found->type_name());
  }
  return found->get<bool>();
}

CustomerState read_customer(const json& object, const std::string& path) {
  if (!object.is_object()) {
    throw invalid(path.empty() ? "body" : path.substr(0, path.size() - 1), "must be a JSON object");
  }
  if (text_of(required(object, "object", path), path + "object") != "customer") {
    throw invalid(path + "object", "must be \"customer\"");
  }
  CustomerState state;
  const auto& id = text_of(required(object, "id", path), path + "id");
  if (id.empty() || id.size() > kIdLengthMax) {
    throw invalid(path + "id", "must have 1 to " + std::to_string(kIdLengthMax) + " characters");
  }
  state.id = StripeId(id);
  state.deleted = read_deleted(object, path);
  read_texts(object, path, kOwnFields, state);
  if (const auto* address = optional_object(object, "address", path)) {
    read_texts(*address, path + "address.", kAddressFields, state);
  }
  if (const auto* metadata = optional_object(object, "metadata", path)) {
    for (const auto& [key, value] : metadata->items()) {
      text_of(key, path + "metadata (a key)");
      state.metadata.emplace(key, text_of(value, path + "metadata." + key));
    }
  }
  return state;
}

// event.request is {id, idempotency_key}, before 2017-05-25 an id alone, and null for what Stripe did by itself.
std::string request_key(const json& event) {
  const auto request = event.find("request");
  if (request == event.end() || !request->is_object()) {
    return {};
  }
  const auto key = request->find("idempotency_key");
  return key != request->end() && key->is_string() ? key->get<std::string>() : std::string();
}

json parse_document(std::string_view text) {
  auto document = json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    throw invalid("body", "is not valid JSON");
  }
  return document;
}

}  // namespace

Result<CustomerState> parse_customer(std::string_view object_json) {
  try {
    return read_customer(parse_document(object_json), "");
  } catch (const Error& error) {
    return tl::unexpected(error);
  }
}

Result<CustomerEvent> parse_customer_event(std::string_view payload) {
  const auto envelope = parse_envelope(payload);
  if (!envelope) {
    return tl::unexpected(envelope.error());
  }
  try {
    if (envelope->thin) {
      throw invalid("object", "must be \"event\": a v2.core.event carries no customer");
    }
    if (std::find(kTypes.begin(), kTypes.end(), envelope->type) == kTypes.end()) {
      throw invalid("type", "must be customer.created, customer.updated or customer.deleted");
    }
    const auto document = parse_document(payload);
    CustomerEvent event{StripeEventId(envelope->id), envelope->type, envelope->created, request_key(document),
                        read_customer(document["data"]["object"], "data.object.")};
    event.state.deleted = event.state.deleted || event.type == kDeletedType;
    return event;
  } catch (const Error& error) {
    return tl::unexpected(error);
  }
}

std::string to_canonical(const CustomerState& state) {
  // Empty fields are left out, so a field that is mirrored one day does not change every stored shadow.
  json form = {{"id", state.id.str()}};
  if (state.deleted) {
    form["deleted"] = true;
  }
  const auto put = [&](const auto& fields) {
    for (const auto& field : fields) {
      if (!(state.*(field.member)).empty()) {
        form[field.key] = state.*(field.member);
      }
    }
  };
  put(kOwnFields);
  put(kAddressFields);
  if (!state.metadata.empty()) {
    form["metadata"] = state.metadata;
  }
  return form.dump();
}

CustomerState from_canonical(const std::string& text) {
  try {
    const auto form = json::parse(text);
    CustomerState state;
    state.id = StripeId(form.at("id").get<std::string>());
    state.deleted = form.value("deleted", false);
    read_texts(form, "", kOwnFields, state);
    read_texts(form, "", kAddressFields, state);
    if (form.contains("metadata")) {
      state.metadata = form["metadata"].get<std::map<std::string, std::string>>();
    }
    return state;
  } catch (const json::exception& error) {
    throw std::runtime_error(std::string("a stored customer state cannot be read: ") + error.what());
  } catch (const Error& error) {
    throw std::runtime_error("a stored customer state cannot be read: " + error.message);
  }
}

}  // namespace flexsync::stripe
