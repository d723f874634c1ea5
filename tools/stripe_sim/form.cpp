#include "stripe_sim/form.hpp"

#include <vector>

#include "stripe_sim/errors.hpp"

namespace stripe_sim {

namespace {

constexpr std::size_t kDepthMax = 8;
constexpr std::size_t kParametersMax = 2000;

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// "a[b][]" -> a, b, "". Nothing when the brackets do not match.
std::vector<std::string> key_segments(const std::string& key) {
  const std::size_t first = key.find('[');
  std::vector<std::string> segments{key.substr(0, first)};
  std::size_t at = first;
  while (at != std::string::npos && at < key.size()) {
    const std::size_t close = key.find(']', at);
    if (key[at] != '[' || close == std::string::npos) {
      throw invalid_request("Invalid parameter name: " + key, key);
    }
    segments.push_back(key.substr(at + 1, close - at - 1));
    at = close + 1;
  }
  if (segments.size() > kDepthMax) {
    throw invalid_request("Parameters may be nested at most " + std::to_string(kDepthMax) + " levels deep.", key);
  }
  return segments;
}

void insert(Json& tree, const std::string& key, std::string value) {
  const std::vector<std::string> segments = key_segments(key);
  Json* node = &tree;
  for (const std::string& segment : segments) {
    if (node->is_null()) {
      *node = Json::object();
    }
    if (!node->is_object()) {
      throw invalid_request("Invalid hash: '" + key + "' was given both as a value and as a hash.", segments.front());
    }
    node = &(*node)[segment.empty() ? std::to_string(node->size()) : segment];
  }
  if (node->is_object()) {
    throw invalid_request("Invalid hash: '" + key + "' was given both as a value and as a hash.", segments.front());
  }
  *node = std::move(value);
}

}  // namespace

std::string url_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

Json decode_form(std::string_view text) {
  Json tree = Json::object();
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (pair.empty()) {
      continue;
    }
    if (++count > kParametersMax) {
      throw invalid_request("A request may carry at most " + std::to_string(kParametersMax) + " parameters.");
    }
    const std::size_t equals = pair.find('=');
    std::string value = equals == std::string_view::npos ? std::string() : url_decode(pair.substr(equals + 1));
    insert(tree, url_decode(pair.substr(0, equals)), std::move(value));
  }
  return tree;
}

}  // namespace stripe_sim
