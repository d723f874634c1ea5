// One tenant and environment: feeds its inbox to entity actors, restarts them, parks what cannot be applied.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/actor_metrics.hpp"
#include "actors/entity_table.hpp"
#include "actors/inbox_feed.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"

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
  void on_claims(const Result<std::map<std::string, CustomerId>>& claims);
  void on_finished(const CustomerId& entity, std::int64_t seq, bool parked);
  void on_execute(const PendingCommandPtr& command);
  void on_ask(const PendingCallPtr& call);
  void on_rekeyed();
  void on_done(const CustomerId& entity);
  void on_queued(const CustomerId& entity, bool hurry);
  void on_pushed(const PushPtr& push);
  void on_booked(const CustomerId& entity, std::int64_t intent, bool again);
  void on_settled(std::int64_t seq, const ChangeReply& reply);
  void on_deposed();
  void on_entity_down(const caf::down_msg& down);
  void on_respawn(const CustomerId& entity);
  void on_tick();

  pointer self = nullptr;
  ServicesPtr services;
  Scope scope;
  std::optional<ActorMetrics> metrics;

 private:
  // A row of the page whose event could be read.
  struct ReadEvent {
    std::shared_ptr<RoutedEvent> routed;
    std::string entity_id;
    std::string claim;  // of metadata; only asked for when nothing else names the entity
  };

  void pump();
  void read_page();
  void read_due();
  void read_object(const std::string& object);
  bool accept(store::InboxRow& row);
  void route_all();
  CustomerId resolve(const ReadEvent& read, bool& fresh);
  void route(const CustomerId& entity, RoutedEventPtr event);
  EntityRecord& entity(const CustomerId& id);
  void spawn(const CustomerId& id, EntityRecord& record);
  void make_room();
  void resume_if_skipped(const std::string& object);
  int object_page_rows(const std::string& object);
  void settle(const store::InboxRow& row, InboxOutcome outcome, std::string reason);
  void park(const StripeEventId& event, std::int64_t seq, bool was_parked, ParkedEvent parked);
  void submit(ChangeSet change);
  void give_back(std::int64_t seq);
  void sweep();

  std::int64_t epoch_ = 0;  // 0: not the owner yet
  stripe_client_actor stripe_client_;
  outbox_sender_actor outbox_sender_;
  usage_timer_actor usage_timer_;
  InboxFeed feed_;
  EntityTable entities_;
  std::size_t commands_ = 0;                       // accepted and not answered
  std::vector<PendingCommandPtr> early_commands_;  // until it owns the tenant
  bool reading_ = false;                           // a page or its claims are on their way
  bool woken_ = false;                             // there may be rows beyond the cursor
  bool due_ = true;                                // there may be parked events whose time has come
  std::uint64_t reads_begun_ = 0;
  std::vector<ReadEvent> page_;               // read, waiting for its claims
  std::vector<std::string> drained_objects_;  // skipped before, with room again
  std::string object_being_read_;
  int object_page_max_ = 0;                     // rows that were asked for
  std::int64_t full_object_page_ = 0;           // the last seq of an object's page that was full
  std::map<std::int64_t, ChangeSet> settling_;  // without an entity actor
  std::map<std::int64_t, CustomerId> blamed_;   // of those: the failed actor's event, and whose
  Timestamp next_sweep_;
  Timestamp next_due_;
  Timestamp parked_at_;  // when something was parked last
};

tenant_supervisor_actor::behavior_type tenant_supervisor(tenant_supervisor_state::pointer self, ServicesPtr services,
                                                         Scope scope);

}  // namespace flexsync::actors
