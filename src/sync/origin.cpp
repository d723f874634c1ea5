#include "sync/origin.hpp"

#include <nlohmann/json.hpp>

#include "domain/ulid.hpp"

namespace flexsync::sync {

namespace {

AuditEntry entry(const StateOrigin& origin, const std::string& type, const std::string& id, std::string action,
                 std::string before, std::string after) {
  return {type,      id, std::move(action), origin.actor, std::move(before), std::move(after), origin.request_id,
          origin.now};
}

std::string stripe_id_json(const std::string& entity_type, const std::string& id) {
  return nlohmann::json{{"stripe_" + entity_type + "_id", id}}.dump();
}

std::string value_in(const FieldMap* fields, const std::string& name) {
  if (fields == nullptr) {
    return {};
  }
  const auto found = fields->find(name);
  return found == fields->end() ? std::string() : found->second;
}

}  // namespace

ChangeSet change_of(const StateOrigin& origin) {
  ChangeSet change;
  change.scope = origin.scope;
  change.epoch = origin.epoch;
  return change;
}

AuditEntry audit_of(const StateOrigin& origin, std::string action, std::string before, std::string after) {
  return entry(origin, to_string(origin.entity.kind), origin.entity.id, std::move(action), std::move(before),
               std::move(after));
}

FieldChanges describe(const FieldMap* before, const FieldMap& after) {
  auto old_fields = nlohmann::json::object();
  auto new_fields = nlohmann::json::object();
  FieldMap names = after;
  if (before != nullptr) {
    names.insert(before->begin(), before->end());
  }
  for (const auto& [name, ignored] : names) {
    const auto was = value_in(before, name);
    const auto is = value_in(&after, name);
    if (was == is) {
      continue;
    }
    if (before != nullptr && before->contains(name)) {
      old_fields[name] = was;
    }
    if (after.contains(name)) {
      new_fields[name] = is;
    }
  }
  return {old_fields.dump(), new_fields.dump()};
}

void audit_write(const StateOrigin& origin, const std::string& entity_type, const std::string& entity_id,
                 const FieldMap* before, const FieldMap& after, bool deletes, ChangeSet& change) {
  auto difference = describe(before, after);
  const char* action = before == nullptr ? "create" : deletes ? "delete" : "update";
  change.audit.push_back(
      entry(origin, entity_type, entity_id, action, std::move(difference.before), std::move(difference.after)));
}

StripeObject shadow_of(const StateOrigin& origin, const std::optional<StripeObject>& before, const ObjectKey& key,
                       std::string canonical, const TrueInterval& true_during, bool deleted) {
  StripeObject shadow;
  shadow.object_type = key.type;
  shadow.stripe_id = key.id;
  shadow.entity_id = origin.entity.id;
  shadow.state = std::move(canonical);
  shadow.true_during = true_during;
  shadow.deleted = deleted;
  shadow.version = before ? before->version + 1 : 1;
  return shadow;
}

Mapping touched_mapping(const StateOrigin& origin, const std::optional<Mapping>& before, const std::string& entity_type,
                        const std::string& entity_id, const StripeId& stripe_id, ChangeSet& change) {
  Mapping mapping;
  if (before) {
    mapping = *before;
  } else {
    mapping.id = new_id<MappingId>(prefix::kMapping, origin.now);
    mapping.entity_type = entity_type;
    mapping.entity_id = entity_id;
    mapping.provider_type = kStripeProvider;
    mapping.provider_entity_id = stripe_id.str();
    mapping.created_at = origin.now;
    mapping.metadata = origin.mapping_created;
    change.audit.push_back(
        entry(origin, entity_type, entity_id, "map", "{}", stripe_id_json(entity_type, stripe_id.str())));
  }
  for (const auto& [key, value] : origin.mapping_touched) {
    mapping.metadata[key] = value;
  }
  mapping.updated_at = origin.now;
  return mapping;
}

Mapping ended_mapping(const StateOrigin& origin, Mapping mapping, ChangeSet& change) {
  change.audit.push_back(entry(origin, mapping.entity_type, mapping.entity_id, "unmap",
                               stripe_id_json(mapping.entity_type, mapping.provider_entity_id), "{}"));
  mapping.status = Status::deleted;
  mapping.updated_at = origin.now;
  return mapping;
}

}  // namespace flexsync::sync
