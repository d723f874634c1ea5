#include "stripe/event_page.hpp"

#include <nlohmann/json.hpp>

namespace flexsync::stripe {

namespace {

tl::unexpected<Error> refuse(const std::string& why) {
  return fail(ErrorCode::validation_error, "Stripe's list of events " + why);
}

// Where the string that begins here ends: behind its closing quote.
std::size_t end_of_string(std::string_view json, std::size_t begin) {
  auto at = begin + 1;
  while (json[at] != '"') {
    at += json[at] == '\\' ? 2 : 1;
  }
  return at + 1;
}

// The objects in the array `data` of the outermost object, each as its own text. A parsed document would have to be
// written anew, with other spacing and perhaps other numbers. The text is valid JSON.
std::vector<std::string_view> texts_of_data(std::string_view json) {
  constexpr int in_array = 2;  // brackets open around an element
  std::vector<std::string_view> texts;
  std::string_view key;
  bool in_data = false;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      const auto end = end_of_string(json, at);
      key = depth == 1 ? json.substr(at, end - at) : key;
      at = end - 1;
    } else if (c == '{' || c == '[') {
      in_data = in_data || (depth == 1 && c == '[' && key == R"("data")");
      begin = depth == in_array ? at : begin;
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
      if (in_data && depth == in_array) {
        texts.push_back(json.substr(begin, at + 1 - begin));
      } else if (in_data && depth < in_array) {
        return texts;
      }
    }
  }
  return texts;
}

}  // namespace

Result<EventPage> parse_event_page(std::string_view json) {
  const auto document = nlohmann::json::parse(json, nullptr, false);
  if (!document.is_object() || !document.contains("data") || !document["data"].is_array() ||
      !document.contains("has_more") || !document["has_more"].is_boolean()) {
    return refuse("has no data or has_more");
  }
  const auto& data = document["data"];
  EventPage page;
  page.has_more = document["has_more"].get<bool>();
  for (const auto text : texts_of_data(json)) {
    if (auto envelope = parse_envelope(text)) {
      page.events.push_back({*std::move(envelope), std::string(text)});
    } else {
      page.unreadable.push_back(std::move(envelope.error()));
    }
  }
  if (page.events.size() + page.unreadable.size() != data.size()) {
    return refuse("holds what is no object");
  }
  if (!data.empty()) {
    const auto id = data.back().find("id");
    if (id == data.back().end() || !id->is_string() || id->get_ref<const std::string&>().empty()) {
      return refuse("ends with an event that has no id");
    }
    page.last_id = id->get<std::string>();
  }
  if (page.has_more && data.empty()) {
    return refuse("is empty and says that there is more");
  }
  return page;
}

}  // namespace flexsync::stripe
