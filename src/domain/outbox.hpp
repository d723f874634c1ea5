// The outbox: what is to be told to Stripe, durable before the first byte is sent, repeated unchanged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/ids.hpp"
#include "domain/time.hpp"

namespace flexsync {

enum class IntentOperation : std::uint8_t { create_customer, update_customer, delete_customer };

std::string to_string(IntentOperation operation);
IntentOperation parse_intent_operation(const std::string& text);  // throws std::invalid_argument: rows are checked

enum class IntentState : std::uint8_t {
  ready,       // to be sent, again from next_attempt_at on
  settled,     // Stripe has it
  refused,     // Stripe does not take it: for a person; a redrive makes a new intent
  superseded,  // something newer made it needless before it was sent
};

std::string to_string(IntentState state);
IntentState parse_intent_state(const std::string& text);

// One request to Stripe. Of one entity one is in flight, in the order of seq.
struct Intent {
  std::int64_t seq = 0;  // 0: not stored yet
  IntentId id;
  std::string entity_type;  // "customer"
  std::string entity_id;
  IntentOperation operation = IntentOperation::update_customer;
  std::string body;                 // form-encoded, as it is sent; the path follows from operation and mapping
  std::string idempotency_key;      // replaced, durably, where the old one can no longer prove anything
  std::vector<std::string> fields;  // what it changes, in our terms: "name", "metadata.tier": a conflict is about these
  IntentState state = IntentState::ready;
  int attempts = 0;
  Timestamp next_attempt_at;
  bool look_first = false;  // its outcome is unknown and its key proves nothing any more: Stripe is searched before
  std::string error_code;
  std::string error_message;
  std::string request_id;  // of the API call that made it
  Timestamp keyed_at;      // when the key was first written: Stripe may forget it after 24 h
  Timestamp created_at;
  std::optional<Timestamp> settled_at;

  friend bool operator==(const Intent&, const Intent&) = default;
};

}  // namespace flexsync
