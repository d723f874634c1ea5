// The query string, decoded, and what the API reads from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/error.hpp"
#include "domain/ports.hpp"
#include "http/error_body.hpp"

namespace flexsync::http {

// %XX, and '+' as a space where `plus_is_space`. Nothing when an escape is broken, names a NUL or the
// whole is not UTF-8: no text of ours may hold that.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// Parameters by name. What is wrong with one goes into `details`, so that the client learns all of it at once.
class Query {
 public:
  static Result<Query> parse(std::string_view text);

  // The first value, or "".
  std::string text(std::string_view name) const;
  std::string required_text(std::string_view name, Details& details) const;

  // All values, repeated (a=1&a=2) or separated by commas (a=1,2).
  std::vector<std::string> list(std::string_view name) const;

  int number(std::string_view name, int fallback, int min, int max, Details& details) const;
  std::optional<Timestamp> time(std::string_view name, Details& details) const;

  // limit, offset, order, sort, start_time, end_time.
  ListOptions list_options(Details& details) const;

  // Where a parameter that is not understood must not be passed over, since the answer would be about too much: any
  // but these and those of list_options is wrong.
  void allow_only(const std::vector<std::string_view>& names, Details& details) const;

 private:
  const std::string* find(std::string_view name) const;

  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace flexsync::http
