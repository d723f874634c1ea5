// The inbox: every webhook that was answered 200, and what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

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

}  // namespace flexsync
