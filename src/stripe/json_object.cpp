#include "stripe/json_object.hpp"

#include <utility>

#include "stripe/envelope.hpp"

namespace flexsync::stripe {

namespace {

using nlohmann::json;

Error invalid(const char* kind, const std::string& field, const std::string& why) {
  return Error{ErrorCode::validation_error, std::string("Stripe ") + kind + ": " + field + " " + why, {{field, why}}};
}

}  // namespace

JsonObject::JsonObject(const json& value, const char* kind, std::string path)
    : value_(&value), kind_(kind), path_(std::move(path)) {
  if (value.is_object()) {
    return;
  }
  if (path_.empty()) {
    refuse_path("body", "must be a JSON object");
  }
  refuse_kind(path_, "an object", value);
}

void JsonObject::refuse(const char* key, const std::string& why) const {
  refuse_path(path_of(key), why);
}

std::string JsonObject::text(const char* key) const {
  const auto* found = find(key);
  return found == nullptr ? std::string() : text_of(*found, key);
}

std::string JsonObject::required_text(const char* key) const {
  const auto& text = text_of(required(key), key);
  if (text.empty()) {
    refuse(key, "is empty");
  }
  return text;
}

void JsonObject::require_object_type(std::string_view wanted) const {
  if (text_of(required("object"), "object") != wanted) {
    refuse("object", "must be \"" + std::string(wanted) + "\"");
  }
}

StripeId JsonObject::required_id(const char* key) const {
  const auto& id = text_of(required(key), key);
  if (id.empty() || id.size() > kIdLengthMax) {
    refuse(key, "must have 1 to " + std::to_string(kIdLengthMax) + " characters");
  }
  return StripeId(id);
}

StripeId JsonObject::required_reference(const char* key) const {
  const auto& value = required(key);
  return value.is_object() ? JsonObject(value, kind_, path_of(key)).required_id() : required_id(key);
}

bool JsonObject::flag(const char* key, bool otherwise) const {
  const auto* found = find(key);
  if (found == nullptr) {
    return otherwise;
  }
  if (!found->is_boolean()) {
    refuse_kind(path_of(key), "true or false", *found);
  }
  return found->get<bool>();
}

std::optional<std::int64_t> JsonObject::whole(const char* key) const {
  const auto* found = find(key);
  if (found == nullptr) {
    return std::nullopt;
  }
  if (!found->is_number()) {
    refuse_kind(path_of(key), "a whole number", *found);
  }
  if (!found->is_number_integer() ||
      (found->is_number_unsigned() && !std::in_range<std::int64_t>(found->get<std::uint64_t>()))) {
    refuse(key, "must be a whole number within 64 bits");
  }
  return found->get<std::int64_t>();
}

int JsonObject::count(const char* key) const {
  const auto count = whole(key).value_or(1);
  if (count < 1 || !std::in_range<int>(count)) {
    refuse(key, "must be a whole number from 1 on");
  }
  return static_cast<int>(count);
}

std::optional<Decimal> JsonObject::decimal(const char* key) const {
  const auto* found = find(key);
  if (found == nullptr) {
    return std::nullopt;
  }
  auto number = Decimal::parse(text_of(*found, key));
  if (!number) {
    refuse(key, "must be a decimal number of at most " + std::to_string(Decimal::kDigitsMax) + " digits");
  }
  return number;
}

std::optional<Timestamp> JsonObject::time(const char* key) const {
  const auto seconds = whole(key);
  if (!seconds) {
    return std::nullopt;
  }
  if (*seconds < 0 || *seconds > kUnixSecondsMax) {
    refuse(key, "must be unix seconds between 0 and " + std::to_string(kUnixSecondsMax));
  }
  return from_unix_seconds(*seconds);
}

std::map<std::string, std::string> JsonObject::texts(const char* key) const {
  std::map<std::string, std::string> texts;
  if (const auto found = object(key)) {
    for (const auto& [name, value] : found->value_->items()) {
      text_of(name, std::string(key) + " (a key)");
      texts.emplace(name, found->text_of(value, name));
    }
  }
  return texts;
}

std::optional<JsonObject> JsonObject::object(const char* key) const {
  const auto* found = find(key);
  return found == nullptr ? std::nullopt : std::optional(JsonObject(*found, kind_, path_of(key)));
}

JsonObject JsonObject::required_object(const char* key) const {
  return {required(key), kind_, path_of(key)};
}

std::vector<JsonObject> JsonObject::objects(const char* key) const {
  std::vector<JsonObject> objects;
  const auto* found = find(key);
  if (found == nullptr) {
    return objects;
  }
  if (!found->is_array()) {
    refuse_kind(path_of(key), "an array", *found);
  }
  objects.reserve(found->size());
  for (const auto& value : *found) {
    objects.emplace_back(value, kind_, path_of(key) + "[" + std::to_string(objects.size()) + "]");
  }
  return objects;
}

const json* JsonObject::find(const char* key) const {
  const auto found = value_->find(key);
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

const json& JsonObject::required(const char* key) const {
  const auto found = value_->find(key);
  if (found == value_->end()) {
    refuse(key, "is missing");
  }
  return *found;
}

std::string JsonObject::path_of(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

void JsonObject::refuse_path(const std::string& path, const std::string& why) const {
  throw invalid(kind_, path, why);
}

void JsonObject::refuse_kind(const std::string& path, const char* wanted, const json& given) const {
  refuse_path(path, std::string("must be ") + wanted + ", not " + given.type_name());
}

const std::string& JsonObject::text_of(const json& value, const std::string& key) const {
  if (!value.is_string()) {
    refuse_kind(path_of(key), "a string", value);
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text.find('\0') != std::string::npos) {
    refuse_path(path_of(key), "must not contain the character U+0000, which PostgreSQL cannot store");
  }
  return text;
}

json parse_document(std::string_view text, const char* kind) {
  auto document = json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    throw invalid(kind, "body", "is not valid JSON");
  }
  return document;
}

std::string request_key(const JsonObject& event) {
  const auto* request = event.find("request");
  if (request == nullptr || !request->is_object()) {
    return {};
  }
  const auto key = request->find("idempotency_key");
  return key != request->end() && key->is_string() ? key->get<std::string>() : std::string();
}

void put(json& form, const char* key, const std::string& text) {
  if (!text.empty()) {
    form[key] = text;
  }
}

void put(json& form, const char* key, const StripeId& id) {
  put(form, key, id.str());
}

void put(json& form, const char* key, const std::map<std::string, std::string>& texts) {
  if (!texts.empty()) {
    form[key] = texts;
  }
}

void put(json& form, const char* key, const std::optional<Decimal>& decimal) {
  if (decimal) {
    form[key] = decimal->str();
  }
}

void put(json& form, const char* key, const std::optional<Timestamp>& time) {
  if (time) {
    form[key] = to_unix_seconds(*time);
  }
}

void put_flag(json& form, const char* key, bool flag, bool otherwise) {
  if (flag != otherwise) {
    form[key] = flag;
  }
}

void put_count(json& form, const char* key, int count) {
  if (count != 1) {
    form[key] = count;
  }
}

}  // namespace flexsync::stripe
