// A request's JSON body, read field by field: unknown fields are ignored as FlexPrice does, what is wrong with a
// known one is told by its name, all of it at once.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/customer.hpp"
#include "domain/error.hpp"
#include "http/error_body.hpp"

namespace flexsync::http {

// True when brackets nest deeper than `max`. A scan without a stack of its own: the parser and the printer recurse,
// so depth is refused before they see it.
bool nests_deeper_than(std::string_view json, int max);

// "The body is not valid JSON: it breaks at line 2, column 7"; `byte` counts from 1.
Error not_json(std::string_view body, std::size_t byte);

// A JSON object, or validation_error naming what is wrong and where.
Result<nlohmann::json> parse_json_object(std::string_view body, int depth_max);

// Sizes in characters, as Stripe and FlexPrice count them.
struct MetadataLimits {
  std::size_t entries_max = 100;
  std::size_t key_size_max = 255;
  std::size_t value_size_max = 4096;
};

// Reads the fields of one object. `prefix` is put before names in details: "encrypted_secret_data.".
class FieldReader {
 public:
  FieldReader(const nlohmann::json& object, Details& details, std::string prefix = {});

  // "" when absent or null (and, when required, an entry in the details). Sizes are in characters.
  std::string text(std::string_view name, std::size_t size_max) const;
  std::string required_text(std::string_view name, std::size_t size_max) const;
  std::vector<std::string> texts(std::string_view name, std::size_t count_max, std::size_t size_max) const;
  bool boolean(std::string_view name, bool fallback) const;
  std::optional<bool> optional_boolean(std::string_view name) const;
  std::optional<int> number(std::string_view name, int min, int max) const;
  std::optional<Timestamp> time(std::string_view name) const;
  Metadata metadata(std::string_view name,
                    const MetadataLimits& limits = {}) const;  // numbers and booleans become their text

  // The object at `name`; null when absent, null, or not an object (then with an entry in the details).
  const nlohmann::json* object(std::string_view name) const;

  // The same for an array of at most `count_max` elements.
  const nlohmann::json* array(std::string_view name, std::size_t count_max) const;

  // Present, and not null.
  bool has(std::string_view name) const;

  void wrong(std::string_view name, std::string why) const;

 private:
  const nlohmann::json* find(std::string_view name) const;
  bool is_text(std::string_view name, const nlohmann::json& value, std::size_t size_max) const;

  const nlohmann::json& object_;
  Details& details_;
  std::string prefix_;
};

}  // namespace flexsync::http
