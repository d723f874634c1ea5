#include "http/json_body.hpp"

#include <climits>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/utf8.hpp"

namespace flexsync::http {

namespace {

// The place where the parser stopped, as people count: line and column from 1.
std::string place_of(std::string_view text, std::size_t byte) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i + 1 < byte && i < text.size(); ++i) {
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n' ? 1 : 0;
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace

bool nests_deeper_than(std::string_view json, int max) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > max) {
        return true;
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

Error not_json(std::string_view body, std::size_t byte) {
  return Error{ErrorCode::validation_error, "The body is not valid JSON: it breaks at " + place_of(body, byte), {}};
}

Result<nlohmann::json> parse_json_object(std::string_view body, int depth_max) {
  if (nests_deeper_than(body, depth_max)) {
    return fail(ErrorCode::validation_error,
                "The body nests deeper than " + std::to_string(depth_max) + " levels of JSON");
  }
  try {
    auto value = nlohmann::json::parse(body);
    if (!value.is_object()) {
      return fail(ErrorCode::validation_error, "The body must be a JSON object");
    }
    return value;
  } catch (const nlohmann::json::parse_error& error) {
    return tl::unexpected(not_json(body, error.byte));
  } catch (const nlohmann::json::exception&) {  // a number out of range
    return fail(ErrorCode::validation_error, "The body is not valid JSON: a number is out of range");
  }
}

FieldReader::FieldReader(const nlohmann::json& object, Details& details, std::string prefix)
    : object_(object), details_(details), prefix_(std::move(prefix)) {}

const nlohmann::json* FieldReader::find(std::string_view name) const {
  const auto it = object_.find(name);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

void FieldReader::wrong(std::string_view name, std::string why) const {
  details_.emplace(prefix_ + std::string(name), std::move(why));
}

bool FieldReader::is_text(std::string_view name, const nlohmann::json& value, std::size_t size_max) const {
  if (!value.is_string()) {
    wrong(name, "must be a string");
    return false;
  }
  const auto& text = value.get_ref<const std::string&>();
  if (length_of(text) > size_max) {
    wrong(name, "must not be longer than " + std::to_string(size_max) + " characters");
    return false;
  }
  if (text.find('\0') != std::string::npos) {
    wrong(name, "must not hold a NUL character");
    return false;
  }
  return true;
}

std::string FieldReader::text(std::string_view name, std::size_t size_max) const {
  const auto* value = find(name);
  return value != nullptr && is_text(name, *value, size_max) ? value->get<std::string>() : std::string();
}

std::string FieldReader::required_text(std::string_view name, std::size_t size_max) const {
  auto value = text(name, size_max);
  if (value.empty()) {
    wrong(name, "is required");  // keeps an entry that says more
  }
  return value;
}

std::vector<std::string> FieldReader::texts(std::string_view name, std::size_t count_max, std::size_t size_max) const {
  std::vector<std::string> all;
  const auto* value = find(name);
  if (value == nullptr) {
    return all;
  }
  if (!value->is_array() || value->size() > count_max) {
    wrong(name, "must be an array of at most " + std::to_string(count_max) + " strings");
    return all;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    const auto& item = (*value)[i];
    if (is_text(std::string(name) + "[" + std::to_string(i) + "]", item, size_max)) {
      all.push_back(item.get<std::string>());
    }
  }
  return all;
}

bool FieldReader::boolean(std::string_view name, bool fallback) const {
  return optional_boolean(name).value_or(fallback);
}

std::optional<bool> FieldReader::optional_boolean(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_boolean()) {
    wrong(name, "must be true or false");
    return std::nullopt;
  }
  return value->get<bool>();
}

std::optional<int> FieldReader::number(std::string_view name, int min, int max) const {
  const auto* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  // A larger unsigned number would turn negative on its way to int64_t.
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT_MAX));
  if (!fits || value->get<std::int64_t>() < min || value->get<std::int64_t>() > max) {
    wrong(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }
  return value->get<int>();
}

std::optional<Timestamp> FieldReader::time(std::string_view name) const {
  const auto value = text(name, 64);
  if (value.empty()) {
    return std::nullopt;
  }
  auto time = parse_rfc3339(value);
  if (!time) {
    wrong(name, "must be an RFC 3339 time such as 2026-01-31T00:00:00Z");
  }
  return time;
}

Metadata FieldReader::metadata(std::string_view name, const MetadataLimits& limits) const {
  Metadata all;
  const auto* value = object(name);
  if (value == nullptr) {
    return all;
  }
  if (value->size() > limits.entries_max) {
    wrong(name, "must not have more than " + std::to_string(limits.entries_max) + " entries");
    return all;
  }
  for (const auto& [key, item] : value->items()) {
    const auto field = std::string(name) + "." + key;
    if (key.empty() || length_of(key) > limits.key_size_max || key.find('\0') != std::string::npos) {
      wrong(name, "has a key that is empty, longer than " + std::to_string(limits.key_size_max) +
                      " characters, or holds a NUL character");
    } else if (item.is_boolean() || item.is_number()) {
      all.emplace(key, item.dump());
    } else if (is_text(field, item, limits.value_size_max)) {
      all.emplace(key, item.get<std::string>());
    }
  }
  return all;
}

bool FieldReader::has(std::string_view name) const {
  return find(name) != nullptr;
}

const nlohmann::json* FieldReader::array(std::string_view name, std::size_t count_max) const {
  const auto* value = find(name);
  if (value != nullptr && (!value->is_array() || value->size() > count_max)) {
    wrong(name, "must be an array of at most " + std::to_string(count_max) + " elements");
    return nullptr;
  }
  return value;
}

const nlohmann::json* FieldReader::object(std::string_view name) const {
  const auto* value = find(name);
  if (value != nullptr && !value->is_object()) {
    wrong(name, "must be an object");
    return nullptr;
  }
  return value;
}

}  // namespace flexsync::http
