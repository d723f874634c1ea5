// One tenant and environment: feeds its inbox to entity actors, restarts them, parks what cannot be applied.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/actor_metrics.hpp"
#include "actors/entity_table.hpp"
#include "actors/inbox_feed.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"
#include "sync/event.hpp"
#include "sync/identity.hpp"
#include "sync/silence.hpp"

namespace flexsync::actors {

struct tenant_supervisor_state {
  using pointer = tenant_supervisor_actor::stateful_pointer<tenant_supervisor_state>;

  static constexpr const char* name = "tenant_supervisor";

  ~tenant_supervisor_state();

  void init(pointer self_pointer, ServicesPtr used_services, Scope own_scope);
  void own();
  void on_wake();
  void on_due();
  void on_owned(const Result<store::Ownership>& owned);
  void on_page(Result<std::vector<store::InboxRow>>& page, bool parked);
  void on_claims(const Result<store::FoundEntities>& claims);
  void on_parent(const PendingParentPtr& asked);
  void on_parent_answered(const EntityKey& entity);
  void on_found(const Result<store::FoundEntities>& found);
  void on_finished(const EntityKey& entity, std::int64_t seq, bool parked);
  void on_execute(const PendingCommandPtr& command);
  void on_ask(const PendingCallPtr& call);
  void on_rekeyed();
  void on_done(const EntityKey& entity);
  void on_queued(const EntityKey& entity, bool hurry);
  void on_pushed(const PushPtr& push);
  void on_booked(const EntityKey& entity, std::int64_t intent, bool again);
  void on_settled(std::int64_t seq, const ChangeReply& reply);
  void on_deposed();
  void on_entity_down(const caf::down_msg& down);
  void on_respawn(const EntityKey& entity);
  void on_tick();

  pointer self = nullptr;
  ServicesPtr services;
  Scope scope;
  std::optional<ActorMetrics> metrics;

 private:
  // A row of the page whose event could be read.
  struct ReadEvent {
    std::shared_ptr<RoutedEvent> routed;
    std::string object;  // as the inbox has it (a price's: its product's, unless the event names the price alone)
    EntityKind kind = EntityKind::customer;
    std::string entity_id;
    std::string claim;           // of metadata; only asked for when nothing else names the entity
    std::string email;           // likewise, where e-mails are matched
    bool was_looked_up = false;  // in Stripe
    StripeId product;            // of a price that was looked up: whose it is …
    sync::HintEnd unless_known;  // … or what becomes of it where nobody knows that
  };

  // A parent that a subscription asks for, on its way to the actor that has it or makes it.
  struct AskedParent {
    PendingParentPtr asked;
    CallOutcomePtr looked_up;  // in Stripe
    std::string claim;         // of its metadata
    std::string email;         // where e-mails are matched
  };

  // What Stripe says of an object that is looked up.
  struct Elsewhere {};  // it is another environment's
  using Said = std::variant<stripe::ObjectState, Elsewhere, stripe::NotFound, sync::NoAnswer>;

  // Who waits for that, before they are routed.
  struct LookUp {
    std::vector<PendingParentPtr> parents;
    std::vector<ReadEvent> events;
  };

  void pump();
  void read_parents();
  void route_parent(const EntityKey& entity, const AskedParent& parent);
  void route_claimed(const EntityKey& entity, const AskedParent& parent);
  void look_up(const PendingParentPtr& asked);
  void look_up(ReadEvent read);
  void ask_stripe(const ObjectKey& object);
  void on_looked_up(const ObjectKey& object, const CallOutcomePtr& outcome);
  Said what_stripe_says(const ObjectKey& object, const stripe::CallOutcome& outcome) const;
  void take_up(const PendingParentPtr& asked, const CallOutcomePtr& outcome, const Said& said);
  void take_up(ReadEvent read, const Said& said);
  void on_no_answer(const RoutedEvent& event, const sync::NoAnswer& reason);
  void end_hint(const RoutedEvent& event, const sync::HintEnd& end);
  void read_looked_up();
  bool name_product(ReadEvent& read, const store::FoundEntities& found);
  static void want_claimed(const ReadEvent& read, store::EntitiesWanted& wanted);
  void find_owners(store::EntitiesWanted wanted);
  bool identify(ReadEvent& read, const store::FoundEntities& found);
  void take_up_unnamed(ReadEvent read);
  void read_page();
  void read_due();
  void read_object(const std::string& object);
  bool accept(store::InboxRow& row);
  void route_all();
  static const std::string& named_object(const ReadEvent& read);
  EntityKey resolve(const ReadEvent& read, bool& fresh);
  void route(const EntityKey& entity, RoutedEventPtr event);
  EntityRecord& entity(const EntityKey& id);
  void spawn(const EntityKey& id, EntityRecord& record);
  void make_room();
  void resume_if_skipped(const std::string& object);
  int object_page_rows(const std::string& object);
  void settle(const StripeEventId& event, std::int64_t seq, bool was_parked, InboxOutcome outcome, std::string reason);
  void park(const StripeEventId& event, std::int64_t seq, bool was_parked, ParkedEvent parked);
  void submit(ChangeSet change);
  void give_back(std::int64_t seq);
  void sweep();

  std::int64_t epoch_ = 0;  // 0: not the owner yet
  stripe_client_actor stripe_client_;
  outbox_sender_actor outbox_sender_;
  usage_timer_actor usage_timer_;
  event_catch_up_actor event_catch_up_;
  reconciler_actor reconciler_;
  InboxFeed feed_;
  EntityTable entities_;
  std::size_t commands_ = 0;                       // accepted and not answered
  std::vector<PendingCommandPtr> early_commands_;  // until it owns the tenant
  bool reading_ = false;                           // a page, or whose its events are, is on its way
  bool woken_ = false;                             // there may be rows beyond the cursor
  bool due_ = true;                                // there may be parked events whose time has come
  std::uint64_t reads_begun_ = 0;
  std::vector<ReadEvent> page_;                  // read; whose they are is being asked
  std::vector<AskedParent> parents_;             // to be looked for
  std::vector<AskedParent> parents_sought_;      // being looked for
  std::map<ObjectKey, LookUp> being_looked_up_;  // in Stripe
  std::vector<ReadEvent> looked_up_;             // to be routed, as a page of their own
  std::vector<std::string> drained_objects_;     // skipped before, with room again
  std::string object_being_read_;
  int object_page_max_ = 0;                     // rows that were asked for
  std::int64_t full_object_page_ = 0;           // the last seq of an object's page that was full
  std::map<std::int64_t, ChangeSet> settling_;  // without an entity actor
  std::map<std::int64_t, EntityKey> blamed_;    // of those: the failed actor's event, and whose
  Timestamp next_sweep_;
  Timestamp next_due_;
  Timestamp parked_at_;  // when something was parked last
};

// What was found of an object, of the claim in its metadata and of its e-mail.
sync::Leads leads_of(const ObjectKey& object, const std::string& claim, const std::string& email,
                     const store::FoundEntities& found);

// A local id for an object that is new to us.
std::string new_entity_id(EntityKind kind, Timestamp now);

tenant_supervisor_actor::behavior_type tenant_supervisor(tenant_supervisor_state::pointer self, ServicesPtr services,
                                                         Scope scope);

}  // namespace flexsync::actors
