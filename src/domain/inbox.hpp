// The inbox: every webhook that was answered 200, and what became of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync {

// A verified webhook on its way into the store.
struct IncomingEvent {
  Scope scope;
  StripeEventId id;
  std::string type;         // "customer.updated"
  std::string object_type;  // "customer": half of the entity key
  std::string object_id;    // "cus_…" (prices: their product): the other half; empty when the event is about nothing
  std::string api_version;
  Timestamp created;  // Stripe's `created`
  Timestamp received;
  std::string request_id;
  std::string ignored;  // why it is stored but not acted upon; empty: it is
  std::string payload;  // the body, byte for byte
};

// What became of an event. `parked` is the only one that can change later.
enum class InboxOutcome : std::uint8_t {
  applied,     // it changed something
  unchanged,   // it said what we knew
  superseded,  // something newer is known
  ignored,     // stored, not acted upon; the reason stands beside it
  deferred,    // a type whose effect comes later; it is replayed then
  parked,      // failed, blocked or dead: see parked_events
  discarded,   // a person gave it up
};

std::string to_string(InboxOutcome outcome);

enum class ParkedState : std::uint8_t { retrying, blocked, dead, redriven };

std::string to_string(ParkedState state);

// The states that an event is shown in: `pending` while nothing became of it, else its outcome; a parked one shows its
// ParkedState, and `parked` means all of those.
inline constexpr std::array<std::string_view, 12> kEventStates = {"pending",  "applied",  "unchanged", "superseded",
                                                                  "ignored",  "deferred", "parked",    "discarded",
                                                                  "retrying", "blocked",  "dead",      "redriven"};

bool is_event_state(std::string_view text);

// "pending, applied, …": for whoever named another.
std::string event_states();

// What a person can do about an event that failed with this code, in a sentence.
std::string_view advice_for(std::string_view error_code);

}  // namespace flexsync
