#include "http/resources/usage_event_body.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "domain/ulid.hpp"
#include "domain/usage_ports.hpp"
#include "http/error_body.hpp"
#include "http/json_body.hpp"
#include "http/json_scanner.hpp"
#include "http/utf8.hpp"

namespace flexsync::http {

namespace {

// Sizes in characters.
constexpr std::size_t kIdSizeMax = 255;  // of event_id, event_name, both customer ids, source
constexpr std::size_t kTimeSizeMax = 64;
constexpr std::size_t kPropertiesMax = 100;
constexpr std::size_t kPropertyKeySizeMax = 255;
constexpr std::size_t kPropertyValueSizeMax = 4096;
constexpr std::size_t kDetailsMax = 50;  // faults that one answer names

using Kind = JsonScanner::Kind;

class EventsReader {
 public:
  EventsReader(std::string_view body, int depth_max, Timestamp now)
      : body_(body), scanner_(body, depth_max), now_(now) {}

  void read_one();
  void read_many();
  Result<std::vector<UsageEvent>> take();

 private:
  bool opens(Kind kind, char bracket, const char* what);
  void read_list();
  void read_event(UsageEvent& event);
  void read_member(UsageEvent& event);
  void read_text(std::string& into, std::size_t size_max);
  void read_time(UsageEvent& event);
  void read_properties(UsageEvent& event);
  void read_property(std::string& value);
  void complete(UsageEvent& event);
  bool is_text(const std::string& text, std::size_t size_max);
  void wrong(std::string_view name, std::string why);

  std::string_view body_;
  JsonScanner scanner_;
  Timestamp now_;
  std::vector<UsageEvent> events_;
  Details details_;
  bool listed_ = false;  // events have a place in a list, which faults name
  std::string name_;     // of the member at hand
  std::string key_;      // of the property at hand
  std::string text_;
};

void EventsReader::wrong(std::string_view name, std::string why) {
  if (details_.size() < kDetailsMax) {
    auto place = listed_ ? "events[" + std::to_string(events_.size() - 1) + "]." : std::string();
    details_.emplace(place.append(name), std::move(why));
  }
}

bool EventsReader::opens(Kind kind, char bracket, const char* what) {
  if (scanner_.next() != kind) {
    if (!scanner_.broken()) {
      details_.emplace("body", what);
      scanner_.skip();
    }
    return false;
  }
  scanner_.open(bracket);
  return true;
}

void EventsReader::read_one() {
  if (opens(Kind::object, '{', "must be a JSON object")) {
    read_event(events_.emplace_back());
  }
}

void EventsReader::read_many() {
  if (!opens(Kind::object, '{', "must be a JSON object")) {
    return;
  }
  bool found = false;
  while (scanner_.next_member(name_)) {
    if (name_ == "events" && !found && scanner_.next() == Kind::array) {
      found = true;
      read_list();
    } else {
      scanner_.skip();
    }
  }
  if (events_.empty()) {
    details_.emplace("events", "must be an array of 1 to " + std::to_string(kUsageEventsPerCall) + " events");
  }
}

void EventsReader::read_list() {
  std::size_t count = 0;
  for (scanner_.open('['); scanner_.next_element();) {
    if (++count > kUsageEventsPerCall) {
      details_.emplace("events", "must not hold more than " + std::to_string(kUsageEventsPerCall) + " events");
      scanner_.skip();
      continue;
    }
    auto& event = events_.emplace_back();
    listed_ = true;
    if (scanner_.next() == Kind::object) {
      scanner_.open('{');
      read_event(event);
    } else {
      details_.emplace("events[" + std::to_string(count - 1) + "]", "must be an object");
      scanner_.skip();
    }
  }
  listed_ = false;
}

// The brace has been taken.
void EventsReader::read_event(UsageEvent& event) {
  event.timestamp = now_;
  event.received = now_;
  while (scanner_.next_member(name_)) {
    read_member(event);
  }
  if (!scanner_.broken()) {
    complete(event);
  }
}

void EventsReader::read_member(UsageEvent& event) {
  if (name_ == "event_name") {
    read_text(event.event_name, kIdSizeMax);
  } else if (name_ == "external_customer_id") {
    read_text(event.external_customer_id, kIdSizeMax);
  } else if (name_ == "properties") {
    read_properties(event);
  } else if (name_ == "timestamp") {
    read_time(event);
  } else if (name_ == "event_id") {
    read_text(text_, kIdSizeMax);
    event.id = UsageEventId(text_);
  } else if (name_ == "customer_id") {
    read_text(text_, kIdSizeMax);
    event.customer_id = CustomerId(text_);
  } else if (name_ == "source") {
    read_text(event.source, kIdSizeMax);
  } else {
    scanner_.skip();
  }
}

bool EventsReader::is_text(const std::string& text, std::size_t size_max) {
  if (text.size() > size_max && length_of(text) > size_max) {
    wrong(name_, "must not be longer than " + std::to_string(size_max) + " characters");
    return false;
  }
  if (text.find('\0') != std::string::npos) {
    wrong(name_, "must not hold a NUL character");
    return false;
  }
  return true;
}

void EventsReader::read_text(std::string& into, std::size_t size_max) {
  into.clear();
  const auto kind = scanner_.next();
  if (kind != Kind::string) {
    if (kind != Kind::null && kind != Kind::broken) {
      wrong(name_, "must be a string");
    }
    scanner_.skip();
    return;
  }
  scanner_.read_string(into);
  if (!is_text(into, size_max)) {
    into.clear();
  }
}

void EventsReader::read_time(UsageEvent& event) {
  read_text(text_, kTimeSizeMax);
  if (text_.empty()) {
    return;
  }
  if (const auto time = parse_rfc3339(text_)) {
    event.timestamp = *time;
  } else {
    wrong(name_, "must be an RFC 3339 time such as 2026-01-31T00:00:00Z");
  }
}

void EventsReader::read_properties(UsageEvent& event) {
  const auto kind = scanner_.next();
  if (kind != Kind::object) {
    if (kind != Kind::null && kind != Kind::broken) {
      wrong(name_, "must be an object");
    }
    scanner_.skip();
    return;
  }
  for (scanner_.open('{'); scanner_.next_member(key_);) {
    if (key_.empty() || length_of(key_) > kPropertyKeySizeMax || key_.find('\0') != std::string::npos) {
      wrong("properties", "has a key that is empty, longer than " + std::to_string(kPropertyKeySizeMax) +
                              " characters, or holds a NUL character");
      scanner_.skip();
    } else if (scanner_.next() == Kind::null) {
      scanner_.skip();  // as good as absent
    } else {
      name_ = "properties." + key_;
      read_property(event.properties[key_]);
    }
    if (event.properties.size() > kPropertiesMax) {
      wrong("properties", "must not have more than " + std::to_string(kPropertiesMax) + " entries");
      event.properties.erase(key_);
    }
  }
}

void EventsReader::read_property(std::string& value) {
  switch (scanner_.next()) {
    case Kind::string:
      scanner_.read_string(value);
      break;
    case Kind::number:
      value = scanner_.read_number();
      break;
    case Kind::boolean:
      value = scanner_.read_boolean() ? "true" : "false";
      break;
    default:
      wrong(name_, "must be a string, a number or a boolean, not an object or an array");
      scanner_.skip();
      return;
  }
  is_text(value, kPropertyValueSizeMax);
}

void EventsReader::complete(UsageEvent& event) {
  if (event.event_name.empty()) {
    wrong("event_name", "is required");  // keeps an entry that says more
  }
  if (event.external_customer_id.empty() && event.customer_id.empty()) {
    wrong("external_customer_id", "is required, unless customer_id is there");
  }
  if (event.id.empty()) {
    event.id = new_id<UsageEventId>(prefix::kUsageEvent, now_);
  }
}

Result<std::vector<UsageEvent>> EventsReader::take() {
  if (!scanner_.at_end()) {
    return tl::unexpected(not_json(body_, scanner_.place() + 1));
  }
  if (!details_.empty()) {
    return tl::unexpected(validation_failed(std::move(details_)));
  }
  return std::move(events_);
}

}  // namespace

Result<std::vector<UsageEvent>> read_usage_event(std::string_view body, int depth_max, Timestamp now) {
  EventsReader reader(body, depth_max, now);
  reader.read_one();
  return reader.take();
}

Result<std::vector<UsageEvent>> read_usage_events(std::string_view body, int depth_max, Timestamp now) {
  EventsReader reader(body, depth_max, now);
  reader.read_many();
  return reader.take();
}

}  // namespace flexsync::http
