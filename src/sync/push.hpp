// Telling Stripe: what to do with an intent now, and what Stripe's answer means for our customer. Pure decisions.
//
// The hard case is an unknown outcome. Within 24 hours the same key and bytes are sent again, and Stripe answers what
// it answered first. But a stored 5xx is all that such a key will ever say, and after 24 hours Stripe may have
// forgotten it: then a creation is searched for by our metadata, among what was created since the intent (Stripe's
// Search is only eventually consistent), and only where it is not there it is sent under a new, durable key. Updates
// and deletions may be carried out twice without harm: they just get the new key.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "domain/change_set.hpp"
#include "stripe/call.hpp"
#include "stripe/customer.hpp"
#include "stripe/outcome.hpp"
#include "sync/customer_state.hpp"
#include "sync/failure.hpp"

namespace flexsync::sync {

// Stripe keeps keys for at least 24 h (https://docs.stripe.com/api/idempotent_requests); clocks differ, calls last.
inline constexpr std::chrono::hours kKeyLife{23};
// What was created since the intent, less this: clocks differ.
inline constexpr std::chrono::minutes kLookBack{5};

struct KeySpent {};       // the key proves nothing any more, and nothing was carried out: a new one
struct AlreadyMapped {};  // a creation whose customer Stripe has already, by other ways
struct NoCounterpart {};  // an update or a deletion of what is in Stripe no more
struct NotAsked {         // Stripe may not be asked now: the intent waits as it did, and says why
  std::string code;
  std::string reason;
};

// What became of an intent.
using PushResult = std::variant<stripe::Answered, stripe::NotFound, stripe::Refused, stripe::Unknown, KeySpent,
                                AlreadyMapped, NoCounterpart, NotAsked>;

struct LookFirst {
  Timestamp created_since;
};
// To do now: call Stripe, search it, or nothing more because the result is known already.
using PushStep = std::variant<stripe::Call, LookFirst, PushResult>;

// `mapped`: the Stripe id of the entity's live mapping, empty where there is none.
PushStep next_step(const Intent& intent, const StripeId& mapped, stripe::Lane lane, Timestamp now);

// The customer of a page of Stripe's that is this intent's doing.
bool is_made_by(const stripe::CustomerState& listed, const Intent& intent, const Scope& scope);

struct PushTask {
  Scope scope;
  std::int64_t epoch = 0;
  CustomerId customer_id;
  Intent intent;
  StripeId stripe_id;  // of the mapping, or of Stripe's answer
  PushResult result;
  Timestamp now;
};

struct AskAgain {};  // the answer's state is not sure to be the latest: fetch it, then decide_pushed_fetched
using PushDecision = std::variant<ChangeSet, AskAgain>;

PushDecision decide_pushed(const PushTask& task, const CustomerSnapshot& snapshot, const Settings& settings,
                           const RetryPolicy& retry);

// After AskAgain: the object as Stripe has it now.
ChangeSet decide_pushed_fetched(const PushTask& task, const CustomerSnapshot& snapshot, const Settings& settings,
                                const stripe::CustomerState& fetched, const TrueInterval& true_during);

// After AskAgain that Stripe could not answer now: the intent is sent once more, for Stripe replays what it said.
ChangeSet decide_pushed_unconfirmed(const PushTask& task, const CustomerSnapshot& snapshot, const std::string& why,
                                    const RetryPolicy& retry);

// After AskAgain that Stripe cannot answer: what is at hand stands until reconcile.
ChangeSet decide_pushed_unanswered(const PushTask& task, const CustomerSnapshot& snapshot, const Settings& settings);

// The database refused what Stripe's answer means (its id is mapped to another customer): for a person.
ChangeSet decide_push_conflict(const PushTask& task, const CustomerSnapshot& snapshot, const std::string& why);

}  // namespace flexsync::sync
