// The live entity actors of one tenant, and which Stripe object belongs to which: the supervisor's memory.
//
// A Stripe object that is new to us is given a local id here (a reservation); the mapping row follows with its first
// change set. Both are forgotten when the actor stops, which is only allowed when the next page of the inbox is sure
// to see what it wrote (`finished_at_read` below the number of reads begun): else the object would be given a second
// id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/interfaces.hpp"

namespace flexsync::actors {

struct EntityRecord {
  entity_sync_actor actor;
  bool down = false;                      // failed; it is started again after a back-off
  int failures = 0;                       // in a row
  std::vector<RoutedEventPtr> in_flight;  // sent and not yet finished, in order
  std::vector<std::string> objects;       // Stripe ids that lead here (a price's: its product's)
  int commands = 0;                       // sent and not yet answered
  int parents = 0;                        // questions of subscriptions, likewise
  std::vector<std::int64_t> pushes;       // seqs of intents whose outcome was sent and is not yet booked
  int parking = 0;                        // blamed events that are being parked; no passivation before
  std::uint64_t finished_at_read = 0;
  Timestamp idle_since;

  std::size_t load() const { return in_flight.size() + static_cast<std::size_t>(commands + parents) + pushes.size(); }
};

class EntityTable {
 public:
  EntityRecord* find(const EntityKey& id) {
    const auto found = records_.find(id);
    return found == records_.end() ? nullptr : &found->second;
  }

  EntityRecord& insert(const EntityKey& id) { return records_[id]; }

  // The entity that a Stripe object leads to, where one is live. Ids are not unique across kinds: products and legacy
  // plans may be given any.
  std::optional<EntityKey> entity_of(EntityKind kind, const std::string& object) const {
    const auto found = by_object_.find({kind, object});
    return found == by_object_.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<EntityKey> entities_of(const std::string& object) const {
    std::vector<EntityKey> found;
    for (const auto kind : {EntityKind::customer, EntityKind::plan, EntityKind::subscription}) {
      if (const auto id = entity_of(kind, object)) {
        found.push_back(*id);
      }
    }
    return found;
  }

  void link(const std::string& object, const EntityKey& id) {
    if (by_object_.emplace(EntityKey{id.kind, object}, id).second) {
      records_.at(id).objects.push_back(object);
    }
  }

  std::optional<EntityKey> entity_of(const caf::actor_addr& address) const {
    for (const auto& [id, record] : records_) {
      if (record.actor && record.actor.address() == address) {
        return id;
      }
    }
    return std::nullopt;
  }

  // Forgets entities that are idle since `idle_before` and that a page begun now would see as written; returns them.
  std::vector<entity_sync_actor> passivate(std::uint64_t reads_begun, Timestamp idle_before) {
    std::vector<entity_sync_actor> stopped;
    for (auto entry = records_.begin(); entry != records_.end();) {
      const auto& record = entry->second;
      if (record.load() > 0 || record.down || record.parking > 0 || record.finished_at_read >= reads_begun ||
          record.idle_since > idle_before) {
        ++entry;
        continue;
      }
      for (const auto& object : record.objects) {
        by_object_.erase({entry->first.kind, object});
      }
      stopped.push_back(record.actor);
      entry = records_.erase(entry);
    }
    return stopped;
  }

  std::size_t size() const { return records_.size(); }
  const std::unordered_map<EntityKey, EntityRecord>& records() const { return records_; }

 private:
  std::unordered_map<EntityKey, EntityRecord> records_;
  std::unordered_map<EntityKey, EntityKey> by_object_;  // {kind, Stripe's id} to ours
};

}  // namespace flexsync::actors
