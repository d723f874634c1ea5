#include "store/array.hpp"

#include <array>
#include <charconv>

namespace flexsync::store {

void ArrayLiteral::add(std::string_view text) {
  if (text_.size() > 1) {
    text_ += ',';
  }
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
    }
    text_ += c;
  }
  text_ += '"';
}

void ArrayLiteral::add(std::int64_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  add_bare({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void ArrayLiteral::add(Timestamp time) {
  add(to_unix_micros(time));
}

void ArrayLiteral::add(const std::optional<Timestamp>& time) {
  if (time) {
    add(*time);
  } else {
    add_bare("NULL");
  }
}

void ArrayLiteral::add(const std::optional<std::int64_t>& number) {
  if (number) {
    add(*number);
  } else {
    add_bare("NULL");
  }
}

void ArrayLiteral::add(const std::optional<Decimal>& number) {
  add_bare(number ? number->str() : "NULL");
}

void ArrayLiteral::add(const std::optional<std::string>& text) {
  if (text) {
    add(*text);
  } else {
    add_bare("NULL");
  }
}

void ArrayLiteral::add_bare(std::string_view text) {
  if (text_.size() > 1) {
    text_ += ',';
  }
  text_ += text;
}

std::string ArrayLiteral::take() {
  text_ += '}';
  return std::move(text_);
}

std::string text_array(const std::vector<std::string>& items) {
  ArrayLiteral literal;
  for (const auto& item : items) {
    literal.add(item);
  }
  return literal.take();
}

}  // namespace flexsync::store
