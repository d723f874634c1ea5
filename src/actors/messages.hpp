// The values that travel between actors. In-process only; large ones behind a shared pointer to const.
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/pending.hpp"
#include "domain/change_set.hpp"
#include "domain/commands.hpp"
#include "domain/error.hpp"
#include "domain/secret.hpp"
#include "store/catch_up_cursors.hpp"
#include "store/inbox_source.hpp"
#include "store/outbox_source.hpp"
#include "store/reconcile_source.hpp"
#include "store/snapshot_loader.hpp"
#include "store/usage_ledger.hpp"
#include "stripe/call.hpp"
#include "stripe/object_event.hpp"
#include "stripe/outcome.hpp"
#include "stripe/transport.hpp"
#include "sync/decision.hpp"
#include "sync/push.hpp"

namespace flexsync::actors {

// An event on its way to its entity's actor.
struct RoutedEvent {
  stripe::ObjectEvent event;
  std::int64_t seq = 0;
  std::string request_id;
  bool was_parked = false;
  int attempts = 0;
  bool fresh = false;                  // the store knows neither the entity nor the Stripe object: nothing to load
  std::optional<Timestamp> parked_at;  // where it was, the first time
};
using RoutedEventPtr = std::shared_ptr<const RoutedEvent>;

// An API command on its way to the customer's actor, and a call to Stripe that somebody outside the actors makes.
using PendingCommand = Pending<CustomerCommand, Result<CustomerReply>>;
using PendingCommandPtr = std::shared_ptr<PendingCommand>;
using PendingCall = Pending<stripe::Call, stripe::CallOutcome>;
using PendingCallPtr = std::shared_ptr<PendingCall>;

// A customer, product or price of Stripe's that a subscription needs here: answered with our id of it. not_found: it is
// not here, and was not to be made.
struct ParentQuestion {
  sync::Parent parent;
  bool create = true;
};
using ParentAnswer = Result<std::string>;
inline constexpr auto kStripeIsSilent = ErrorCode::service_unavailable;  // of a failure: it is waited for Stripe
using PendingParent = Pending<ParentQuestion, ParentAnswer>;
using PendingParentPtr = std::shared_ptr<PendingParent>;
struct RoutedParent {
  PendingParentPtr asked;
  std::shared_ptr<const stripe::CallOutcome> looked_up;  // what Stripe says of it, where it was asked already
};
using RoutedParentPtr = std::shared_ptr<const RoutedParent>;
struct FoundParent {
  ObjectKey object;
  ParentAnswer answer;
};
using ParentAnswerPtr = std::shared_ptr<const FoundParent>;

// What became of an intent, on its way to the customer's actor.
struct Push {
  Intent intent;
  StripeId stripe_id;  // of the mapping, or of Stripe's answer; empty where there is none
  sync::PushResult result;
};
using PushPtr = std::shared_ptr<const Push>;

using StoredEntityPtr = std::shared_ptr<const Result<EntitySnapshot>>;
using StripeCallPtr = std::shared_ptr<const stripe::Call>;
using CallOutcomePtr = std::shared_ptr<const stripe::CallOutcome>;
using KeyPtr = std::shared_ptr<const Result<Secret>>;
using HttpResultPtr = std::shared_ptr<const stripe::HttpResult>;
using OwnershipPtr = std::shared_ptr<const Result<store::Ownership>>;
using FoundPtr = std::shared_ptr<const Result<store::FoundEntities>>;
using ScopesPtr = std::shared_ptr<const Result<std::vector<Scope>>>;
using ChangeReplyPtr = std::shared_ptr<const ChangeReply>;
using OutboxPagePtr = std::shared_ptr<Result<store::OutboxPage>>;
using ClosedPtr = std::shared_ptr<const Result<store::Closed>>;
using CountPtr = std::shared_ptr<const Result<std::int64_t>>;
using UsageBatchesPtr = std::shared_ptr<Result<std::vector<UsageBatch>>>;
using BookedPtr = std::shared_ptr<const Result<void>>;
using BegunPtr = std::shared_ptr<const Result<std::optional<store::CatchUpCursor>>>;
using MovedPtr = std::shared_ptr<const Result<bool>>;
using BasisPtr = std::shared_ptr<const Result<std::optional<store::ReconcileBasis>>>;
using KnownObjectsPtr = std::shared_ptr<const Result<std::map<StripeId, KnownObject>>>;
using MirrorPagePtr = std::shared_ptr<const Result<std::vector<MirroredObject>>>;
using InboxPagePtr = std::shared_ptr<Result<std::vector<store::InboxRow>>>;

}  // namespace flexsync::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::RoutedEventPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::PendingCommandPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::PendingCallPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::PushPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::OutboxPagePtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::StoredEntityPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::PendingParentPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::RoutedParentPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::ParentAnswerPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::FoundPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::StripeCallPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::CallOutcomePtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::KeyPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::HttpResultPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::OwnershipPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::ScopesPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::ChangeReplyPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::ClosedPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::CountPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::UsageBatchesPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::BookedPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::BegunPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::MovedPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::BasisPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::KnownObjectsPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::MirrorPagePtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::actors::InboxPagePtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::Scope)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::EntityKey)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::StripeId)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(flexsync::IntentId)
