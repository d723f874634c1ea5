// What intake needs to know of an event, read in one pass over the body without building a document.
//
// Snapshot events (object "event") and thin events (object "v2.core.event") come at the same address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/error.hpp"
#include "domain/inbox.hpp"
#include "domain/time.hpp"

namespace flexsync::stripe {

inline constexpr int kJsonDepthMax = 64;
inline constexpr std::size_t kIdLengthMax = 255;               // Stripe's own limit for ids
inline constexpr std::int64_t kUnixSecondsMax = 253402300799;  // the end of the year 9999

struct Envelope {
  std::string id;  // of a thin event with `snapshot_event`: that one, so that the twins are one
  bool thin = false;
  std::string type;
  std::string api_version;
  Timestamp created;
  std::string account;  // acct_…, empty when absent; a thin event's may stand in its `context`
  std::optional<bool> livemode;
  std::string object_type;  // of what the event concerns: data.object.object, or related_object.type; for prices and
                            // legacy plans "product", so that both halves of the key are the product's
  std::string object_id;    // its id; may be empty
};

// The rules: valid JSON, an object, not deeper than kJsonDepthMax; `object` is "event" or "v2.core.event"; `id`,
// `type` and `created` present and well formed; a snapshot has `data.object`. validation_error names field and reason.
Result<Envelope> parse_envelope(std::string_view body);

// Why an event is stored and takes no effect at a connection of this mode; empty where it does. Unknown modes agree.
std::string wrong_mode(std::optional<bool> of_event, std::optional<bool> of_connection);

// The event as it is stored: what the envelope says, and the body it was read from. Who received it, when, and whether
// it takes effect is the caller's to say.
IncomingEvent incoming_event(Envelope envelope, std::string body);

}  // namespace flexsync::stripe
