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

// A JSON object, or validation_error naming what is wrong and where.
Result<nlohmann::json> parse_json_object(std::string_view body, int depth_max);

// Reads the fields of one object. `prefix` is put before names in details: "encrypted_secret_data.".
class FieldReader {
 public:
  FieldReader(const nlohmann::json& object, Details& details, std::string prefix = {});

  // "" when absent or null (and, when required, an entry in the details).
  std::string text(std::string_view name, std::size_t size_max) const;
  std::string required_text(std::string_view name, std::size_t size_max) const;
  std::vector<std::string> texts(std::string_view name, std::size_t count_max, std::size_t size_max) const;
  bool boolean(std::string_view name, bool fallback) const;
  std::optional<Timestamp> time(std::string_view name) const;
  Metadata metadata(std::string_view name) const;  // numbers and booleans become their text

  // The object at `name`; null when absent, null, or not an object (then with an entry in the details).
  const nlohmann::json* object(std::string_view name) const;

  void wrong(std::string_view name, std::string why) const;

 private:
  const nlohmann::json* find(std::string_view name) const;
  bool is_text(std::string_view name, const nlohmann::json& value, std::size_t size_max) const;

  const nlohmann::json& object_;
  Details& details_;
  std::string prefix_;
};

}  // namespace flexsync::http
