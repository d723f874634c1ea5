#include "stripe/envelope.hpp"

#include <algorithm>
#include <cstdint>

#include "stripe/event_reader.hpp"
#include "stripe/text.hpp"

namespace flexsync::stripe {

Error event::invalid(const std::string& field, const std::string& why) {
  return Error{ErrorCode::validation_error, "webhook event: " + field + " " + why, {{field, why}}};
}

namespace {

// Ids and names that Stripe makes up: printable ASCII. Ids that its users make up (plans) may hold more.
bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// Turns what was read into an Envelope, or throws the Error (caught in parse_envelope: one exit for 20 checks).
class Builder {
 public:
  explicit Builder(const event::Reader& read) : read_(read) {}

  Envelope build() const {
    const auto object = required_text(event::kObject);
    if (object != "event" && object != "v2.core.event") {
      throw event::invalid("object", "must be \"event\" or \"v2.core.event\"");
    }
    Envelope envelope;
    envelope.thin = object == "v2.core.event";
    envelope.id = required_text(event::kId);
    envelope.type = required_text(event::kType);
    envelope.api_version = optional_text(event::kApiVersion);
    envelope.account = optional_text(event::kAccount);
    if (read_[event::kLivemode].kind == event::Kind::boolean) {
      envelope.livemode = read_[event::kLivemode].boolean;
    } else if (!is_nothing(event::kLivemode)) {
      throw wrong_kind(event::kLivemode, "true or false");
    }
    if (envelope.thin) {
      fill_thin(envelope);
    } else {
      fill_snapshot(envelope);
    }
    return envelope;
  }

 private:
  void fill_snapshot(Envelope& envelope) const {
    const auto& created = read_[event::kCreated];
    if (created.kind == event::Kind::absent) {
      throw missing(event::kCreated);
    }
    if (created.kind != event::Kind::integer && created.kind != event::Kind::number) {
      throw wrong_kind(event::kCreated, "a number (unix seconds)");
    }
    if (created.kind != event::Kind::integer || created.integer < 0 || created.integer > kUnixSecondsMax) {
      throw event::invalid("created", "must be unix seconds between 0 and " + std::to_string(kUnixSecondsMax));
    }
    envelope.created = from_unix_seconds(created.integer);
    if (read_[event::kDataObject].kind == event::Kind::absent &&
        (read_[event::kData].kind == event::Kind::object || is_nothing(event::kData))) {
      throw missing(event::kDataObject);
    }
    require_object(event::kData);
    require_object(event::kDataObject);
    envelope.object_type = optional_text(event::kDataObjectObject);
    envelope.object_id = optional_id(event::kDataObjectId);
    if (envelope.object_type == "price" || envelope.object_type == "plan") {
      const auto product =
          optional_id(read_[event::kDataObjectProduct].kind == event::Kind::object ? event::kDataObjectProductId
                                                                                   : event::kDataObjectProduct);
      if (!product.empty()) {
        envelope.object_type = "product";
        envelope.object_id = product;
      }
    }
  }

  void fill_thin(Envelope& envelope) const {
    const auto created = parse_rfc3339(required_text(event::kCreated));
    if (!created || created->time_since_epoch().count() < 0 || to_unix_seconds(*created) > kUnixSecondsMax) {
      throw event::invalid("created", "must be an RFC 3339 time, since it is a v2.core.event");
    }
    envelope.created = *created;
    if (const auto twin = optional_text(event::kSnapshotEvent); !twin.empty()) {
      envelope.id = twin;
    }
    if (const auto context = optional_text(event::kContext); envelope.account.empty() && is_account(context)) {
      envelope.account = context;
    }
    if (!is_nothing(event::kRelated)) {
      require_object(event::kRelated);
      envelope.object_type = optional_text(event::kRelatedType);
      envelope.object_id = optional_id(event::kRelatedId);
    }
  }

  static bool is_account(std::string_view context) {
    return context.starts_with("acct_") && context.find('/') == std::string_view::npos;
  }

  bool is_nothing(event::Field field) const {
    return read_[field].kind == event::Kind::absent || read_[field].kind == event::Kind::null;
  }

  static Error missing(event::Field field) { return event::invalid(event::kFields[field].path, "is missing"); }

  Error wrong_kind(event::Field field, const std::string& wanted) const {
    const auto* given = event::kKindNames[static_cast<std::size_t>(read_[field].kind)];
    return event::invalid(event::kFields[field].path, "must be " + wanted + ", not " + given);
  }

  void require_object(event::Field field) const {
    if (read_[field].kind != event::Kind::object) {
      throw wrong_kind(field, "an object");
    }
  }

  const std::string& text_of(event::Field field) const {
    const auto& value = read_[field];
    if (value.kind != event::Kind::string) {
      throw wrong_kind(field, "a string");
    }
    if (value.text.size() > kIdLengthMax) {
      throw event::invalid(event::kFields[field].path, "is longer than " + std::to_string(kIdLengthMax) + " bytes");
    }
    return value.text;
  }

  std::string required_text(event::Field field) const {
    if (read_[field].kind == event::Kind::absent) {
      throw missing(field);
    }
    const auto& text = text_of(field);
    if (text.empty() || !is_printable(text)) {
      throw event::invalid(event::kFields[field].path,
                           text.empty() ? "is empty" : "must be printable ASCII without spaces");
    }
    return text;
  }

  std::string optional_text(event::Field field) const {
    return is_nothing(field) || (read_[field].kind == event::Kind::string && read_[field].text.empty())
               ? std::string()
               : required_text(field);
  }

  std::string optional_id(event::Field field) const {
    if (is_nothing(field)) {
      return {};
    }
    const auto& text = text_of(field);
    if (has_control(text)) {
      throw event::invalid(event::kFields[field].path, "must not contain control characters");
    }
    return text;
  }

  const event::Reader& read_;
};

const char* mode_of(bool live) {
  return live ? "live" : "test";
}

}  // namespace

std::string wrong_mode(std::optional<bool> of_event, std::optional<bool> of_connection) {
  if (!of_event || !of_connection || *of_event == *of_connection) {
    return {};
  }
  return std::string("the event is of ") + mode_of(*of_event) + " mode, the connection is for " +
         mode_of(*of_connection) + " mode";
}

IncomingEvent incoming_event(Envelope envelope, std::string body) {
  IncomingEvent event;
  event.id = StripeEventId{std::move(envelope.id)};
  event.type = std::move(envelope.type);
  event.object_type = std::move(envelope.object_type);
  event.object_id = std::move(envelope.object_id);
  event.api_version = std::move(envelope.api_version);
  event.created = envelope.created;
  event.payload = std::move(body);
  return event;
}

Result<Envelope> parse_envelope(std::string_view body) {
  event::Reader reader;
  if (!nlohmann::json::sax_parse(body, &reader)) {
    return tl::unexpected(reader.failure());
  }
  try {
    return Builder(reader).build();
  } catch (const Error& error) {
    return tl::unexpected(error);
  }
}

}  // namespace flexsync::stripe
