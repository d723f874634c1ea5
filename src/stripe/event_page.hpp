// A page of Stripe's list of events: what webhooks would have delivered, each rendered as it was when it was made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/error.hpp"
#include "stripe/envelope.hpp"

namespace flexsync::stripe {

struct ListedEvent {
  Envelope envelope;
  std::string json;  // the event's own text, byte for byte as it stands in the page
};

struct EventPage {
  std::vector<ListedEvent> events;  // newest first, as Stripe lists them
  std::vector<Error> unreadable;    // of events that a webhook's body could not be either: each says why
  std::string last_id;              // where the next page starts; empty in an empty page
  bool has_more = false;
};

// validation_error for what is no list, or a list that does not say how it goes on.
Result<EventPage> parse_event_page(std::string_view json);

}  // namespace flexsync::stripe
