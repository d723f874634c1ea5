#include "stripe_sim/params.hpp"

#include <algorithm>
#include <charconv>

#include "stripe_sim/errors.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kTextCharactersMax = 5000;
constexpr std::size_t kMetadataKeysMax = 50;
constexpr std::size_t kMetadataKeyCharactersMax = 40;
constexpr std::size_t kMetadataValueCharactersMax = 500;

// Stripe counts characters, not bytes.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::optional<std::int64_t> parse_integer(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

void check_metadata_entry(const std::string& key, const Json& value, const std::string& name) {
  if (!value.is_string()) {
    throw invalid_request("Invalid value for " + name + ": metadata values must be strings.", name);
  }
  if (characters(key) > kMetadataKeyCharactersMax) {
    throw invalid_request("Invalid metadata key: \"" + key + "\". Metadata keys can have at most 40 characters.", name);
  }
  if (key.find_first_of("[]") != std::string::npos) {
    throw invalid_request("Metadata keys may not contain square brackets.", name);
  }
  if (characters(value.get_ref<const std::string&>()) > kMetadataValueCharactersMax) {
    throw invalid_request("Metadata values can have at most 500 characters.", name);
  }
}

}  // namespace

const Json* Params::find(const std::string& key) {
  seen_.insert(key);
  const auto found = tree_.find(key);
  return found == tree_.end() ? nullptr : &*found;
}

std::optional<std::string> Params::text(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_string()) {
    throw invalid_request("Invalid string: " + value->dump(), name(key));
  }
  if (characters(value->get_ref<const std::string&>()) > kTextCharactersMax) {
    throw invalid_request("Invalid string: must be at most " + std::to_string(kTextCharactersMax) + " characters.",
                          name(key), "parameter_invalid_string_length");
  }
  return value->get<std::string>();
}

std::optional<std::int64_t> Params::integer(const std::string& key) {
  const auto given = text(key);
  if (!given) {
    return std::nullopt;
  }
  const auto value = parse_integer(*given);
  if (!value) {
    throw invalid_request("Invalid integer: " + *given, name(key), "parameter_invalid_integer");
  }
  return value;
}

std::optional<bool> Params::boolean(const std::string& key) {
  const auto given = text(key);
  if (!given) {
    return std::nullopt;
  }
  if (*given != "true" && *given != "false") {
    throw invalid_request("Invalid boolean: " + *given, name(key));
  }
  return *given == "true";
}

std::optional<std::string> Params::one_of(const std::string& key, std::initializer_list<std::string_view> words) {
  auto given = text(key);
  if (!given || given->empty() || std::find(words.begin(), words.end(), *given) != words.end()) {
    return given;
  }
  std::string all;
  for (const std::string_view word : words) {
    all += (all.empty() ? "" : word == *(words.end() - 1) ? ", or " : ", ") + std::string(word);
  }
  throw invalid_request("Invalid " + name(key) + ": must be one of " + all, name(key));
}

std::optional<std::vector<std::string>> Params::list(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (value->is_string() && value->get_ref<const std::string&>().empty()) {
    return std::vector<std::string>();
  }
  if (!value->is_object()) {
    throw invalid_request("Invalid array", name(key));
  }
  std::vector<std::pair<std::int64_t, std::string>> items;
  for (const auto& [index, item] : value->items()) {
    const auto position = parse_integer(index);
    if (!position || !item.is_string()) {
      throw invalid_request("Invalid array", name(key));
    }
    items.emplace_back(*position, item.get<std::string>());
  }
  std::sort(items.begin(), items.end());
  std::vector<std::string> values;
  values.reserve(items.size());
  for (auto& item : items) {
    values.push_back(std::move(item.second));
  }
  return values;
}

std::optional<Json> Params::hash(const std::string& key) {
  const Json* value = find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (value->is_object()) {
    return *value;
  }
  if (value->get_ref<const std::string&>().empty()) {
    return Json();
  }
  throw invalid_request("Invalid object", name(key));
}

std::string Params::required_text(const std::string& key) {
  auto given = text(key);
  if (!given) {
    throw invalid_request("Missing required param: " + name(key) + ".", name(key), "parameter_missing");
  }
  if (given->empty()) {
    throw invalid_request("You passed an empty string for '" + name(key) + "'.", name(key), "parameter_invalid_empty");
  }
  return *given;
}

void Params::refuse(std::initializer_list<const char*> keys) const {
  for (const char* key : keys) {
    if (tree_.contains(key)) {
      throw invalid_request("stripe-sim does not know the parameter '" + name(key) +
                                "' yet, though Stripe does: leave it out, or add it in tools/stripe_sim/resources/.",
                            name(key));
    }
  }
}

void Params::finish() const {
  std::vector<std::string> unknown;
  for (const auto& [key, value] : tree_.items()) {
    if (!seen_.contains(key)) {
      unknown.push_back(name(key));
    }
  }
  if (unknown.empty()) {
    return;
  }
  std::string message = unknown.size() == 1 ? "Received unknown parameter: " : "Received unknown parameters: ";
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    message += (i == 0 ? "" : ", ") + unknown[i];
  }
  throw invalid_request(message, unknown.front(), "parameter_unknown");
}

void apply_metadata(Params& params, Json& object) {
  const auto given = params.hash("metadata");
  Json& metadata = object["metadata"];
  if (metadata.is_null() || (given && given->is_null())) {
    metadata = Json::object();
  }
  if (!given || given->is_null()) {
    return;
  }
  for (const auto& [key, value] : given->items()) {
    check_metadata_entry(key, value, params.name("metadata") + "[" + key + "]");
    if (value.get_ref<const std::string&>().empty()) {
      metadata.erase(key);
    } else {
      metadata[key] = value;
    }
  }
  if (metadata.size() > kMetadataKeysMax) {
    throw invalid_request("Metadata may have at most 50 keys.", params.name("metadata"));
  }
}

}  // namespace stripe_sim
