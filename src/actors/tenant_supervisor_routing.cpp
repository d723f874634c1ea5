// The routing half of the tenant supervisor: which entity an event is about, and its actor.
#include <algorithm>
#include <caf/all.hpp>

#include "actors/entity_sync.hpp"
#include "actors/tenant_supervisor.hpp"
#include "domain/ulid.hpp"
#include "telemetry/failpoint.hpp"

namespace flexsync::actors {

void tenant_supervisor_state::want_claimed(const ReadEvent& read, store::EntitiesWanted& wanted) {
  if (!read.claim.empty()) {
    wanted.claims.push_back(read.claim);
  }
  if (!read.email.empty()) {
    wanted.emails.push_back(read.email);
  }
}

void tenant_supervisor_state::find_owners(store::EntitiesWanted wanted) {
  reading_ = true;
  services->inbox.find_entities(scope, std::move(wanted), [home = tenant_supervisor_actor{self}](auto found) {
    caf::anon_send(home, claims_atom::value, std::make_shared<const decltype(found)>(std::move(found)));
  });
}

sync::Leads leads_of(const ObjectKey& object, const std::string& claim, const std::string& email,
                     const store::FoundEntities& found) {
  const auto at = [](const auto& map, const auto& key) {
    const auto entry = map.find(key);
    return entry == map.end() ? typename std::decay_t<decltype(map)>::mapped_type{} : entry->second;
  };
  return {at(found.objects, object), at(found.claims, claim), at(found.unmapped, email)};
}

// Which entity it is, as far as the store knows; false where that is for a person to say.
bool tenant_supervisor_state::identify(ReadEvent& read, const store::FoundEntities& found) {
  const auto& routed = *read.routed;
  const auto object = read.product.empty() ? stripe::key_of(routed.event.state) : ObjectKey{"product", read.product};
  const auto owner = sync::entity_of(object.id, leads_of(object, read.claim, read.email, found));
  if (const auto* conflict = std::get_if<sync::Conflict>(&owner)) {
    end_hint(routed, *conflict);
    return false;
  }
  if (const auto& id = std::get<std::string>(owner); !id.empty()) {
    read.entity_id = id;
  }
  return true;
}

void tenant_supervisor_state::route_all() {
  for (auto& read : std::exchange(page_, {})) {
    const auto& object = read.object;
    const auto id = resolve(read, read.routed->fresh);
    auto& record = entity(id);
    entities_.link(named_object(read), id);
    // One that was looked up is a hint, and may go before others.
    const bool waits_its_turn = !read.was_looked_up && feed_.skips(object);
    if (waits_its_turn || record.down || record.in_flight.size() >= services->config.entity_queue_max) {
      feed_.settle(read.routed->seq);
      if (!read.routed->was_parked) {
        feed_.skip(object, read.routed->seq);  // a parked one is found again when it is due
      }
      continue;
    }
    route(id, std::move(read.routed));
  }
  if (!object_being_read_.empty() && full_object_page_ > 0) {
    feed_.skip(object_being_read_, full_object_page_ + 1);  // there may be more behind this page
  }
  object_being_read_.clear();
  full_object_page_ = 0;
}

// Half a queue: read when the other half is done, so that an actor with much to do never runs dry. What is in flight
// may be returned once more.
int tenant_supervisor_state::object_page_rows(const std::string& object) {
  std::size_t in_flight = 0;
  for (const auto& id : entities_.entities_of(object)) {
    in_flight += entities_.find(id)->in_flight.size();
  }
  return static_cast<int>(std::max<std::size_t>(1, services->config.entity_queue_max / 2) + in_flight);
}

std::string new_entity_id(EntityKind kind, Timestamp now) {
  switch (kind) {
    case EntityKind::customer:
      return new_id<CustomerId>(prefix::kCustomer, now).str();
    case EntityKind::plan:
      return new_id<PlanId>(prefix::kPlan, now).str();
    case EntityKind::subscription:
      break;
  }
  return new_id<SubscriptionId>(prefix::kSubscription, now).str();
}

// By what an entity is led to: of a price that was looked up, by its product.
const std::string& tenant_supervisor_state::named_object(const ReadEvent& read) {
  return read.product.empty() ? read.object : read.product.str();
}

// In order: a live actor's, what the store knows, what the metadata claims; else the object is new and gets an id.
EntityKey tenant_supervisor_state::resolve(const ReadEvent& read, bool& fresh) {
  if (const auto live = entities_.entity_of(read.kind, named_object(read))) {
    return *live;
  }
  if (!read.entity_id.empty()) {
    return {read.kind, read.entity_id};
  }
  fresh = true;
  return {read.kind, new_entity_id(read.kind, services->clock.now())};
}

void tenant_supervisor_state::route(const EntityKey& id, RoutedEventPtr event) {
  FLEXSYNC_FAILPOINT("supervisor.event_routed");
  auto& record = entity(id);
  record.in_flight.push_back(event);
  self->send(record.actor, apply_atom::value, std::move(event));
}

EntityRecord& tenant_supervisor_state::entity(const EntityKey& id) {
  if (auto* record = entities_.find(id)) {
    return *record;
  }
  make_room();
  auto& record = entities_.insert(id);
  record.finished_at_read = reads_begun_;
  record.idle_since = services->clock.now();
  spawn(id, record);
  return record;
}

void tenant_supervisor_state::spawn(const EntityKey& id, EntityRecord& record) {
  record.actor = self->spawn<caf::monitored>(
      entity_sync, EntitySyncArgs{services, scope, epoch_, id, tenant_supervisor_actor{self}, stripe_client_});
}

void tenant_supervisor_state::make_room() {
  if (entities_.size() < services->config.live_entities_max) {
    return;
  }
  for (const auto& stopped : entities_.passivate(reads_begun_, services->clock.now())) {
    self->demonitor(stopped.address());
    self->send_exit(stopped, caf::exit_reason::user_shutdown);
  }
}

void tenant_supervisor_state::on_finished(const EntityKey& id, std::int64_t seq, bool parked) {
  feed_.settle(seq);
  if (parked) {
    parked_at_ = services->clock.now();
  }
  if (auto* record = entities_.find(id)) {
    std::erase_if(record->in_flight, [&](const auto& event) { return event->seq == seq; });
    record->failures = 0;
    record->finished_at_read = reads_begun_;
    record->idle_since = services->clock.now();
    if (record->in_flight.size() == services->config.entity_queue_max / 2 || record->in_flight.empty()) {
      for (const auto& object : record->objects) {
        resume_if_skipped(object);
      }
    }
  }
  pump();
}

void tenant_supervisor_state::resume_if_skipped(const std::string& object) {
  const bool waits = std::find(drained_objects_.begin(), drained_objects_.end(), object) != drained_objects_.end();
  if (feed_.skips(object) && !waits && object != object_being_read_) {
    drained_objects_.push_back(object);
  }
}

}  // namespace flexsync::actors
