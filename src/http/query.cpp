#include "http/query.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

#include "http/utf8.hpp"

namespace flexsync::http {

namespace {

constexpr int kLimitMax = 1000;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) {
      return std::nullopt;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_utf8(out)) {
    return std::nullopt;
  }
  return out;
}

Result<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) {
      continue;
    }
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) {
      return tl::unexpected(
          validation_failed({{std::string(pair.substr(0, equals)), "is not percent-encoded UTF-8 text"}}));
    }
    query.values_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

const std::string* Query::find(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

std::string Query::text(std::string_view name) const {
  const auto* value = find(name);
  return value != nullptr ? *value : std::string();
}

std::string Query::required_text(std::string_view name, Details& details) const {
  auto value = text(name);
  if (value.empty()) {
    details.emplace(name, "is required");
  }
  return value;
}

std::vector<std::string> Query::list(std::string_view name) const {
  std::vector<std::string> all;
  for (const auto& [key, value] : values_) {
    if (key != name) {
      continue;
    }
    for (std::size_t start = 0; start <= value.size();) {
      const auto end = std::min(value.find(',', start), value.size());
      if (end > start) {
        all.push_back(value.substr(start, end - start));
      }
      start = end + 1;
    }
  }
  return all;
}

int Query::number(std::string_view name, int fallback, int min, int max, Details& details) const {
  const auto* value = find(name);
  if (value == nullptr) {
    return fallback;
  }
  int number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc{} || stop != end || number < min || number > max) {
    details.emplace(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return fallback;
  }
  return number;
}

std::optional<Timestamp> Query::time(std::string_view name, Details& details) const {
  const auto* value = find(name);
  if (value == nullptr || value->empty()) {
    return std::nullopt;
  }
  auto time = parse_rfc3339(*value);
  if (!time) {
    details.emplace(name, "must be an RFC 3339 time such as 2026-01-31T00:00:00Z ('+' in an offset as %2B)");
  }
  return time;
}

ListOptions Query::list_options(Details& details) const {
  ListOptions list;
  list.limit = number("limit", list.limit, 1, kLimitMax, details);
  // Room for offset + limit, which the answer's pagination shows.
  list.offset = number("offset", 0, 0, std::numeric_limits<int>::max() - kLimitMax, details);
  const auto order = text("order");
  if (!order.empty() && order != "asc" && order != "desc") {
    details.emplace("order", "must be asc or desc");
  }
  list.ascending = order == "asc";
  const auto sort = text("sort");
  if (!sort.empty() && sort != "created_at") {
    details.emplace("sort", "must be created_at");
  }
  list.start_time = time("start_time", details);
  list.end_time = time("end_time", details);
  if (list.start_time && list.end_time && *list.end_time < *list.start_time) {
    details.emplace("end_time", "must not be before start_time");
  }
  return list;
}

void Query::allow_only(const std::vector<std::string_view>& names, Details& details) const {
  std::vector<std::string_view> allowed = names;
  allowed.insert(allowed.end(), {"limit", "offset", "order", "sort", "start_time", "end_time"});
  std::string all;
  for (const auto name : allowed) {
    all.append(all.empty() ? "" : ", ").append(name);
  }
  for (const auto& [name, value] : values_) {
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      details.emplace(name, "is not taken here; these are: " + all);
    }
  }
}

}  // namespace flexsync::http
