#include "http/message.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>

namespace flexsync::http {

namespace {

constexpr std::size_t kRequestIdSizeMax = 128;

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_all_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

Response json_response(int status, const nlohmann::json& body) {
  Response response;
  response.status = status;
  // `replace`: text from a row that is not UTF-8 shows as U+FFFD instead of failing the whole answer.
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

bool is_valid_request_id(std::string_view text) {
  return !text.empty() && text.size() <= kRequestIdSizeMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool is_valid_traceparent(std::string_view text) {
  return text.size() == 55 && text.starts_with("00-") && text[35] == '-' && text[52] == '-' &&
         is_lower_hex(text.substr(3, 32)) && !is_all_zero(text.substr(3, 32)) && is_lower_hex(text.substr(36, 16)) &&
         !is_all_zero(text.substr(36, 16)) && is_lower_hex(text.substr(53, 2));
}

}  // namespace flexsync::http
