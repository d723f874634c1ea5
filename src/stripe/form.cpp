#include "stripe/form.hpp"

namespace flexsync::stripe {

namespace {

std::string encoded(std::string_view text, std::string_view plain_marks) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       plain_marks.find(c) != std::string_view::npos;
    if (plain) {
      result += c;
    } else {
      result.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return result;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  return encoded(text, "-_");
}

std::string encode_form(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string body;
  for (const auto& [key, value] : fields) {
    body += body.empty() ? "" : "&";
    body += key;
    body += '=';
    body += encoded(value, "-_.~");  // RFC 3986: unreserved
  }
  return body;
}

std::string bracketed(std::string_view outer, std::string_view inner) {
  return std::string(outer) + "[" + percent_encoded(inner) + "]";
}

}  // namespace flexsync::stripe
