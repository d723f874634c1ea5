// A change set: all that one event or command changes, committed in one transaction or not at all.
//
// It carries what it was decided on: the owner's epoch and the row versions (each row's version is the one read
// plus one). Where the store has moved on meanwhile, the whole set is refused and decided again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/entity.hpp"
#include "domain/inbox.hpp"

namespace flexsync {

// Who changed what: before and after hold only the fields that differ, as JSON objects.
struct AuditEntry {
  std::string entity_type;
  std::string entity_id;
  std::string action;  // "create", "update", "delete", "map", "unmap"
  std::string actor;   // "stripe:evt_…", "api_key:secret_…", "admin"
  std::string before;
  std::string after;
  std::string request_id;
  Timestamp at;

  friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

// The end of one inbox row: at most one per row, which is what makes an effect happen once.
struct InboxSettlement {
  std::int64_t seq = 0;
  StripeEventId event_id;
  InboxOutcome outcome = InboxOutcome::applied;
  std::string reason;  // why it was superseded, ignored, parked …
  bool was_parked = false;
  Timestamp at;

  friend bool operator==(const InboxSettlement&, const InboxSettlement&) = default;
};

// Goes with a settlement of outcome `parked`.
struct ParkedEvent {
  ParkedState state = ParkedState::retrying;
  int attempts = 0;
  Timestamp next_attempt_at;  // for `retrying` and `blocked`
  std::string error_code;
  std::string error_message;
  ObjectKey blocked_on{};  // of `blocked`: the customer or product (price) that is missing; it wakes when that appears
  ObjectKey object{};      // what the event is about, where its inbox row names another: a price (the row: its product)

  friend bool operator==(const ParkedEvent&, const ParkedEvent&) = default;
};

struct ChangeSet {
  Scope scope;
  std::int64_t epoch = 0;
  std::optional<Customer> customer;
  std::optional<Plan> plan;
  std::optional<Addon> addon;
  std::optional<Price> price;
  std::optional<Subscription> subscription;  // with its addons
  std::optional<Mapping> mapping;
  std::optional<Mapping> addon_mapping;
  std::optional<StripeObject> stripe_object;  // newer than parked events of the object: those are superseded with it
  std::optional<StripeObject> product;        // beside a price: the shell of a product that has not come yet
  std::vector<AuditEntry> audit;
  std::optional<InboxSettlement> settlement;
  std::optional<ParkedEvent> parked;
  std::vector<Intent> new_intents;  // to be told to Stripe; the store gives them their seq
  std::vector<Intent> intents;      // what became of stored ones; one that is not `ready` any more: stale_version

  friend bool operator==(const ChangeSet&, const ChangeSet&) = default;
};

// What the store said to a change set.
enum class ChangeResult : std::uint8_t {
  committed,
  already_settled,  // its inbox row was finished before: nothing to do
  stale_version,    // a row has moved on: load and decide again
  stale_epoch,      // another supervisor owns the tenant now: stop
  conflict,         // a uniqueness rule refused it: deciding again gives the same
  rejected,         // another rule of the database refused it: a fault of ours
  unavailable,      // the store cannot be reached: try the same again
};

struct ChangeReply {
  ChangeResult result = ChangeResult::committed;
  std::string message;                      // for `conflict` and `rejected`: which rule
  std::vector<std::int64_t> intent_seqs{};  // of new_intents, in their order, when committed
};

}  // namespace flexsync
