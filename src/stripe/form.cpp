#include "stripe/form.hpp"

namespace flexsync::stripe {

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
    if (plain) {
      result += c;
    } else {
      result.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return result;
}

std::string encode_form(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string body;
  for (const auto& [key, value] : fields) {
    body += body.empty() ? "" : "&";
    body += key;
    body += '=';
    body += percent_encoded(value);
  }
  return body;
}

std::string bracketed(std::string_view outer, std::string_view inner) {
  return std::string(outer) + "[" + percent_encoded(inner) + "]";
}

}  // namespace flexsync::stripe
