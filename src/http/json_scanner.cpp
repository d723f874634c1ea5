#include "http/json_scanner.hpp"

#include <algorithm>

#include "http/utf8.hpp"

namespace flexsync::http {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

void JsonScanner::fail() {
  broken_ = true;
  at_ = std::min(at_, text_.size());
}

void JsonScanner::skip_space() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
    ++at_;
  }
}

JsonScanner::Kind JsonScanner::next() {
  skip_space();
  if (broken_ || at_ == text_.size()) {
    fail();
    return Kind::broken;
  }
  switch (text_[at_]) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    default:
      if (text_[at_] == '-' || is_digit(text_[at_])) {
        return Kind::number;
      }
      fail();
      return Kind::broken;
  }
}

bool JsonScanner::take(char wanted) {
  skip_space();
  if (broken_ || at_ == text_.size() || text_[at_] != wanted) {
    fail();
    return false;
  }
  ++at_;
  return true;
}

void JsonScanner::open(char bracket) {
  if (take(bracket) && ++depth_ > depth_max_) {
    fail();
  }
  first_ = true;
}

// False at the closing bracket, which is taken.
bool JsonScanner::take_separator(char end) {
  skip_space();
  if (!broken_ && at_ < text_.size() && text_[at_] == end) {
    ++at_;
    --depth_;
    first_ = false;
    return false;
  }
  const bool is_first = first_;
  first_ = false;
  return is_first ? !broken_ : take(',');
}

bool JsonScanner::next_member(std::string& name) {
  if (!take_separator('}')) {
    return false;
  }
  if (next() != Kind::string) {
    fail();
    return false;
  }
  read_string(name);
  return take(':');
}

bool JsonScanner::next_element() {
  return take_separator(']') && next() != Kind::broken;
}

void JsonScanner::read_string(std::string& into) {
  into.clear();
  ++at_;  // the quote
  const auto start = into.size();
  bool is_ascii = true;
  while (at_ < text_.size()) {
    const auto from = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
           static_cast<unsigned char>(text_[at_]) >= 0x20) {
      is_ascii = is_ascii && static_cast<unsigned char>(text_[at_]) < 0x80;
      ++at_;
    }
    into.append(text_.substr(from, at_ - from));
    if (at_ == text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) {
      break;
    }
    if (text_[at_] == '"') {
      ++at_;
      if (!is_ascii && !is_utf8(std::string_view(into).substr(start))) {
        fail();
      }
      return;
    }
    read_escape(into);
    if (broken_) {
      return;
    }
  }
  fail();
}

bool JsonScanner::read_hex(std::uint32_t& code) {
  code = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    const int digit = is_digit(c)            ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) {
      fail();
      return false;
    }
    code = code * 16 + static_cast<std::uint32_t>(digit);
  }
  return true;
}

void JsonScanner::read_escape(std::string& into) {
  ++at_;  // the backslash
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  static constexpr std::string_view kNames = "\"\\/bfnrt";
  static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  if (const auto known = kNames.find(c); c != '\0' && known != std::string_view::npos) {
    into += kMeant[known];
    ++at_;
    return;
  }
  ++at_;
  std::uint32_t code = 0;
  if (c != 'u' || !read_hex(code)) {
    fail();
    return;
  }
  if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
    at_ += 2;
    std::uint32_t low = 0;
    if (!read_hex(low) || low < 0xDC00 || low > 0xDFFF) {
      fail();
      return;
    }
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  if (code >= 0xD800 && code <= 0xDFFF) {  // half a character
    fail();
    return;
  }
  append_utf8(into, code);
}

std::size_t JsonScanner::digits() {
  const auto from = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) {
    ++at_;
  }
  return at_ - from;
}

std::string_view JsonScanner::read_number() {
  const auto from = at_;
  at_ += text_[at_] == '-' ? 1 : 0;
  const auto whole = at_;
  const auto count = digits();
  if (count == 0 || (count > 1 && text_[whole] == '0')) {
    fail();
  }
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    if (digits() == 0) {
      fail();
    }
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    at_ += at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-') ? 1 : 0;
    if (digits() == 0) {
      fail();
    }
  }
  return text_.substr(from, at_ - from);
}

void JsonScanner::take_word(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) {
    fail();
    return;
  }
  at_ += word.size();
}

bool JsonScanner::read_boolean() {
  const bool value = text_[at_] == 't';
  take_word(value ? "true" : "false");
  return value;
}

void JsonScanner::skip() {
  switch (next()) {
    case Kind::object:
      for (open('{'); next_member(unused_);) {
        skip();
      }
      return;
    case Kind::array:
      for (open('['); next_element();) {
        skip();
      }
      return;
    case Kind::string:
      read_string(unused_);
      return;
    case Kind::number:
      read_number();
      return;
    case Kind::boolean:
      read_boolean();
      return;
    case Kind::null:
      take_word("null");
      return;
    case Kind::broken:
      return;
  }
}

bool JsonScanner::at_end() {
  skip_space();
  return !broken_ && at_ == text_.size();
}

}  // namespace flexsync::http
