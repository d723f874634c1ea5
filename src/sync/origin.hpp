// Where a state comes from, and how that is recorded: what the rows of one change set have in common.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "domain/change_set.hpp"
#include "domain/entity.hpp"

namespace flexsync::sync {

inline constexpr const char* kStripeProvider = "stripe";
inline constexpr const char* kStripeItself = "stripe";  // created_by, updated_by

struct StateOrigin {
  Scope scope;
  std::int64_t epoch = 0;
  EntityKey entity;
  Timestamp now;
  std::string request_id;
  std::string actor;         // of audit rows: "stripe:evt_…", "outbox:intent_…", "api_key:secret_…"
  std::string updated_by;    // of the entity's row
  Metadata mapping_created;  // of a new mapping: how it came about
  Metadata mapping_touched;  // of every mapping that is written
};

ChangeSet change_of(const StateOrigin& origin);
AuditEntry audit_of(const StateOrigin& origin, std::string action, std::string before, std::string after);

// The fields of an entity by name, as an audit row shows them.
using FieldMap = std::map<std::string, std::string>;

struct FieldChanges {
  std::string before;  // JSON objects with the fields that differ
  std::string after;
};
// `before` is null for an entity that is created: its empty fields are left out.
FieldChanges describe(const FieldMap* before, const FieldMap& after);

// An audit row for a row of an entity that is written: "create", "update" or "delete"; with its own type and id where
// that is not the origin's (a twin addon, a price).
void audit_write(const StateOrigin& origin, const std::string& entity_type, const std::string& entity_id,
                 const FieldMap* before, const FieldMap& after, bool deletes, ChangeSet& change);

// The tombstone or the advanced shadow of one object.
StripeObject shadow_of(const StateOrigin& origin, const std::optional<StripeObject>& before, const ObjectKey& key,
                       std::string canonical, const TrueInterval& true_during, bool deleted);

// A mapping that is new, or touched; and one that ends. With their audit rows.
Mapping touched_mapping(const StateOrigin& origin, const std::optional<Mapping>& before, const std::string& entity_type,
                        const std::string& entity_id, const StripeId& stripe_id, ChangeSet& change);
Mapping ended_mapping(const StateOrigin& origin, Mapping mapping, ChangeSet& change);

}  // namespace flexsync::sync
