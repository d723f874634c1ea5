// Every actor's protocol. A reader learns the system from this one file.
//
//   node_supervisor ── one per process
//     └─ tenant_supervisor ── one per tenant and environment that has work
//          ├─ stripe_client ── one per tenant and environment
//          ├─ outbox_sender ── one per tenant and environment
//          ├─ usage_timer ── one per tenant and environment
//          ├─ event_catch_up ── one per tenant and environment
//          ├─ reconciler ── one per tenant and environment
//          └─ entity_sync ── one per customer, plan or subscription that has work; stops when idle
//             (customer_sync, plan_sync, subscription_sync in the metrics)
//
// INTERNAL marks what an actor sends itself, mostly the answer of a store or transport thread.
#pragma once

#include <caf/typed_actor.hpp>

#include "actors/messages.hpp"

namespace flexsync::actors {

using wake_atom = caf::atom_constant<caf::atom("wake")>;
using due_atom = caf::atom_constant<caf::atom("due")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;
using apply_atom = caf::atom_constant<caf::atom("apply")>;
using finished_atom = caf::atom_constant<caf::atom("finished")>;
using deposed_atom = caf::atom_constant<caf::atom("deposed")>;
using call_atom = caf::atom_constant<caf::atom("call")>;
using keyed_atom = caf::atom_constant<caf::atom("keyed")>;
using answered_atom = caf::atom_constant<caf::atom("answered")>;
using ask_atom = caf::atom_constant<caf::atom("ask")>;
using execute_atom = caf::atom_constant<caf::atom("execute")>;
using pushed_atom = caf::atom_constant<caf::atom("pushed")>;
using queued_atom = caf::atom_constant<caf::atom("queued")>;
using booked_atom = caf::atom_constant<caf::atom("booked")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using hurry_atom = caf::atom_constant<caf::atom("hurry")>;
using expire_atom = caf::atom_constant<caf::atom("expire")>;
using rekeyed_atom = caf::atom_constant<caf::atom("rekeyed")>;
using loaded_atom = caf::atom_constant<caf::atom("loaded")>;
using written_atom = caf::atom_constant<caf::atom("written")>;
using settled_atom = caf::atom_constant<caf::atom("settled")>;
using owned_atom = caf::atom_constant<caf::atom("owned")>;
using page_atom = caf::atom_constant<caf::atom("page")>;
using claims_atom = caf::atom_constant<caf::atom("claims")>;
using retry_atom = caf::atom_constant<caf::atom("retry")>;
using respawn_atom = caf::atom_constant<caf::atom("respawn")>;
using parent_atom = caf::atom_constant<caf::atom("parent")>;
using found_atom = caf::atom_constant<caf::atom("found")>;
using work_atom = caf::atom_constant<caf::atom("work")>;
using closed_atom = caf::atom_constant<caf::atom("closed")>;
using matched_atom = caf::atom_constant<caf::atom("matched")>;
using begun_atom = caf::atom_constant<caf::atom("begun")>;
using stored_atom = caf::atom_constant<caf::atom("stored")>;
using moved_atom = caf::atom_constant<caf::atom("moved")>;
using known_atom = caf::atom_constant<caf::atom("known")>;
using marked_atom = caf::atom_constant<caf::atom("marked")>;
using swept_atom = caf::atom_constant<caf::atom("swept")>;

// The only way to Stripe for one tenant and environment: token bucket with lanes, circuit breaker, retries.
using stripe_client_actor = caf::typed_actor<
    // One call, answered with its outcome when there is one; the wait is bounded by ActorConfig::stripe_deadline.
    caf::replies_to<call_atom, StripeCallPtr>::with<CallOutcomePtr>,
    // The connection was changed: a paused one is tried again at once.
    caf::reacts_to<rekeyed_atom>,
    // INTERNAL: the key to make call number N with.
    caf::reacts_to<keyed_atom, std::uint64_t, KeyPtr>,
    // INTERNAL: the transport's answer to call number N.
    caf::reacts_to<answered_atom, std::uint64_t, HttpResultPtr>,
    // INTERNAL: time has passed: tokens, retries, deadlines, probes.
    caf::reacts_to<tick_atom>>;

// Pages the outbox of one tenant and environment to the Stripe client: of each entity one intent at a time, in order.
using outbox_sender_actor = caf::typed_actor<
    // The tenant is owned, or its outbox has new intents.
    caf::reacts_to<wake_atom>,
    // Somebody waits for this entity's intents: they take the interactive lane.
    caf::reacts_to<hurry_atom, std::string>,
    // What became of the intent with this seq is booked, or could not be (true: it is to be tried again).
    caf::reacts_to<booked_atom, std::int64_t, bool>,
    // The connection was changed: whatever it waited for, it tries again at once.
    caf::reacts_to<rekeyed_atom>,
    // INTERNAL: the passage of time.
    caf::reacts_to<tick_atom>,
    // INTERNAL: a page of the outbox.
    caf::reacts_to<page_atom, OutboxPagePtr>>;
// Bills one tenant and environment's usage: closes windows into batches, sends them through the Stripe client, one at a
// time of each customer and meter, and books what became of them. The number in its internal messages is that of the
// ownership they belong to: what an earlier one had begun counts no more.
using usage_timer_actor = caf::typed_actor<
    // The supervisor owns the tenant, with this epoch: all begins anew.
    caf::reacts_to<owned_atom, std::int64_t>,
    // There may be something to close or to send: it is looked for at once.
    caf::reacts_to<wake_atom>,
    // The connection was changed: a pause is over.
    caf::reacts_to<rekeyed_atom>,
    // INTERNAL: the passage of time.
    caf::reacts_to<tick_atom>,
    // INTERNAL: windows were closed.
    caf::reacts_to<closed_atom, std::uint64_t, ClosedPtr>,
    // INTERNAL: so many events were attributed.
    caf::reacts_to<matched_atom, std::uint64_t, CountPtr>,
    // INTERNAL: so many keys of old events were forgotten.
    caf::reacts_to<swept_atom, std::uint64_t, CountPtr>,
    // INTERNAL: a page of pending batches.
    caf::reacts_to<page_atom, std::uint64_t, UsageBatchesPtr>,
    // INTERNAL: the results that were submitted are booked.
    caf::reacts_to<booked_atom, std::uint64_t, BookedPtr>>;

// Finds what webhooks did not bring: walks Stripe's list of events from a stored cursor on, through the Stripe client's
// bulk lane, and puts it into the inbox. The number in its internal messages is the walk's: what an earlier one had
// asked for counts no more.
using event_catch_up_actor = caf::typed_actor<
    // The supervisor owns the tenant: a walk begins.
    caf::reacts_to<owned_atom>,
    // A walk may be due that was not planned here: the cursor was set back.
    caf::reacts_to<due_atom>,
    // The connection was changed: a walk begins.
    caf::reacts_to<rekeyed_atom>,
    // INTERNAL: the Nth tick that was planned.
    caf::reacts_to<tick_atom, std::uint64_t>,
    // INTERNAL: where the walk begins, if it does.
    caf::reacts_to<begun_atom, std::uint64_t, BegunPtr>,
    // INTERNAL: a page is in the inbox; so many of its events should have come by webhook before.
    caf::reacts_to<stored_atom, std::uint64_t, CountPtr>,
    // INTERNAL: the cursor was moved, or was set from outside meanwhile (false).
    caf::reacts_to<moved_atom, std::uint64_t, MovedPtr>>;

// Compares what is mirrored with what Stripe has, round after round, through the Stripe client's bulk lane; a
// difference goes into the inbox as an event of our own. The number in its internal messages is the round's: what an
// earlier one had asked for counts no more.
using reconciler_actor = caf::typed_actor<
    // The supervisor owns the tenant.
    caf::reacts_to<owned_atom>,
    // The connection was changed: the round begins anew.
    caf::reacts_to<rekeyed_atom>,
    // INTERNAL: time for round number N, or for its next call.
    caf::reacts_to<tick_atom, std::uint64_t>,
    // INTERNAL: time to look for marked shadows, and those that there are.
    caf::reacts_to<due_atom>, caf::reacts_to<marked_atom, MirrorPagePtr>,
    // INTERNAL: whose account is compared, and since when.
    caf::reacts_to<begun_atom, std::uint64_t, BasisPtr>,
    // INTERNAL: what is known of the objects on Stripe's page.
    caf::reacts_to<known_atom, std::uint64_t, KnownObjectsPtr>,
    // INTERNAL: a page of what is mirrored.
    caf::reacts_to<page_atom, std::uint64_t, MirrorPagePtr>,
    // INTERNAL: the repairs of a page are in the inbox.
    caf::reacts_to<stored_atom, std::uint64_t, CountPtr>,
    // INTERNAL: the round is booked.
    caf::reacts_to<booked_atom, std::uint64_t, BookedPtr>>;

// Serialises all changes of one customer, plan (with its twin addon and its prices) or subscription: work waits in its
// own queue, one piece is decided and written at a time.
using entity_sync_actor = caf::typed_actor<
    // An event to apply; answered to the supervisor with `finished` once it is settled or parked.
    caf::reacts_to<apply_atom, RoutedEventPtr>,
    // A subscription needs this customer or plan to exist; answered to the supervisor with `parent`, too, once it has
    // its answer.
    caf::reacts_to<parent_atom, RoutedParentPtr>,
    // An API command; answered to the supervisor with `done` once its caller has the answer.
    caf::reacts_to<execute_atom, PendingCommandPtr>,
    // What became of an intent; answered to the supervisor with `booked`.
    caf::reacts_to<pushed_atom, PushPtr>,
    // INTERNAL: the Nth of those who wait for Stripe's answer has waited long enough.
    caf::reacts_to<expire_atom, std::uint64_t>,
    // INTERNAL: what the store has of this entity.
    caf::reacts_to<loaded_atom, StoredEntityPtr>,
    // INTERNAL: a parent that step number N asked for.
    caf::reacts_to<parent_atom, std::uint64_t, ParentAnswerPtr>,
    // INTERNAL: what became of the change set.
    caf::reacts_to<written_atom, ChangeReplyPtr>,
    // INTERNAL: the store was not available; the current step is tried again.
    caf::reacts_to<retry_atom, std::uint64_t>>;

// Feeds the inbox of one tenant and environment to its entity actors, restarts them, parks what fails.
using tenant_supervisor_actor = caf::typed_actor<
    // The inbox has new rows.
    caf::reacts_to<wake_atom>,
    // Parked events were redriven.
    caf::reacts_to<due_atom>,
    // From an entity actor: the event with this seq is settled or parked (true).
    caf::reacts_to<finished_atom, EntityKey, std::int64_t, bool>,
    // An API command for one of its customers.
    caf::reacts_to<execute_atom, PendingCommandPtr>,
    // From a subscription's actor: a customer or plan that it needs; from that one's: it has answered.
    caf::reacts_to<parent_atom, PendingParentPtr>, caf::reacts_to<parent_atom, EntityKey>,
    // A call to Stripe that somebody outside the actors makes.
    caf::reacts_to<ask_atom, PendingCallPtr>,
    // The connection was changed.
    caf::reacts_to<rekeyed_atom>,
    // From an entity actor: a command is answered; new intents are in the outbox (true: somebody waits); what became of
    // the intent with this seq is booked, or could not be (true).
    caf::reacts_to<done_atom, EntityKey>, caf::reacts_to<queued_atom, EntityKey, bool>,
    caf::reacts_to<booked_atom, EntityKey, std::int64_t, bool>,
    // From the outbox's sender: what became of an intent.
    caf::reacts_to<pushed_atom, PushPtr>,
    // From whoever wrote a change set: another supervisor owns this tenant now.
    caf::reacts_to<deposed_atom>,
    // INTERNAL: the passage of time: sweeps, retries, passivation.
    caf::reacts_to<tick_atom>,
    // INTERNAL: epoch and watermark.
    caf::reacts_to<owned_atom, OwnershipPtr>,
    // INTERNAL: a page of the inbox, or of parked events (true).
    caf::reacts_to<page_atom, InboxPagePtr, bool>,
    // INTERNAL: whose the page's events are, as far as the store knows.
    caf::reacts_to<claims_atom, FoundPtr>,
    // INTERNAL: which entities the parents that were asked for are.
    caf::reacts_to<found_atom, FoundPtr>,
    // INTERNAL: an event that needs no entity actor is settled.
    caf::reacts_to<settled_atom, std::int64_t, ChangeReplyPtr>,
    // INTERNAL: an entity actor that failed is started again.
    caf::reacts_to<respawn_atom, EntityKey>>;

// Starts and restarts tenant supervisors, hands wake-ups to the right one.
using node_supervisor_actor = caf::typed_actor<
    // The inbox of this tenant and environment has new rows.
    caf::reacts_to<wake_atom, Scope>,
    // Parked events of this tenant and environment were redriven.
    caf::reacts_to<due_atom, Scope>,
    // An API command; a call to Stripe.
    caf::reacts_to<execute_atom, PendingCommandPtr>, caf::reacts_to<ask_atom, Scope, PendingCallPtr>,
    // The connection of this tenant and environment was changed.
    caf::reacts_to<rekeyed_atom, Scope>,
    // INTERNAL: looks for tenants whose work nobody announced.
    caf::reacts_to<tick_atom>,
    // INTERNAL: these have some.
    caf::reacts_to<work_atom, ScopesPtr>,
    // INTERNAL: a tenant supervisor that failed is started again.
    caf::reacts_to<respawn_atom, Scope>>;

}  // namespace flexsync::actors
