// Columns of a set-based statement: one array literal per column, passed to unnest().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/decimal.hpp"
#include "domain/time.hpp"

namespace flexsync::store {

// Builds '{"a","b",…}', the text form of a PostgreSQL array, element by element.
class ArrayLiteral {
 public:
  void add(std::string_view text);
  void add(std::int64_t number);
  void add(bool flag) { add_bare(flag ? "t" : "f"); }
  void add(const char* text) { add(std::string_view(text)); }
  void add(const std::string& text) { add(std::string_view(text)); }
  void add(Timestamp time);  // as microseconds since 1970; the statement turns it into a timestamptz
  void add(const std::optional<Timestamp>& time);  // nothing: NULL
  void add(const std::optional<std::int64_t>& number);
  void add(const std::optional<Decimal>& number);
  void add(const std::optional<std::string>& text);

  // The literal; the builder is spent.
  std::string take();

 private:
  void add_bare(std::string_view text);

  std::string text_ = "{";
};

// '{"a","b",…}' of them all.
std::string text_array(const std::vector<std::string>& items);

}  // namespace flexsync::store
