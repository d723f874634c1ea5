#include "support/store_model.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace flexsync::test {

namespace {

constexpr std::array kObjects = {&ChangeSet::stripe_object, &ChangeSet::product};

bool is_finished(const StoreModel::Row& row) {
  return row.settlement && row.settlement->outcome != InboxOutcome::parked;
}

bool is_due(const StoreModel::Row& row, Timestamp now) {
  return row.parked && !is_finished(row) && row.parked->state != ParkedState::dead &&
         row.parked->next_attempt_at <= now;
}

template <class Map, class Key>
auto value_at(const Map& map, const Key& key) -> const typename Map::mapped_type* {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

store::SnapshotRequest of_customer(const Scope& scope, const CustomerId& id, const StripeId& object) {
  return {scope, {EntityKind::customer, id.str()}, {"customer", object}, {}, {}, false};
}

std::optional<std::int64_t> StoreModel::deliver(const Scope& scope, const std::string& event_id,
                                                const std::string& type, const std::string& object_id,
                                                const std::string& payload, Timestamp received) {
  for (const auto& [seq, known] : rows_) {
    if (known.scope == scope && known.row.event_id.str() == event_id) {
      return std::nullopt;
    }
  }
  store::InboxRow row;
  row.seq = ++last_seq_;
  row.event_id = StripeEventId(event_id);
  row.type = type;
  row.object_type = type.starts_with("customer.subscription.") ? "subscription" : type.substr(0, type.find('.'));
  if (row.object_type == "price" || row.object_type == "plan") {
    row.object_type = "product";  // as at intake: a price is its product's
  }
  row.object_id = object_id;
  row.request_id = "req_" + event_id;
  row.received = received;
  row.payload = payload;
  rows_[row.seq] = {scope, row, {}, {}, {}, 0, true};
  return row.seq;
}

// In the database's order: the epoch, then what raises an error, then what returns fewer rows than it should.
ChangeReply StoreModel::apply(const ChangeSet& change) {
  if (epoch(change.scope) != change.epoch) {
    return {ChangeResult::stale_epoch, {}};
  }
  if (breaks_unique(change)) {
    return {ChangeResult::conflict, "a uniqueness rule of the model"};
  }
  if (!settles(change)) {
    return {ChangeResult::already_settled, {}};
  }
  if (refers_to_nothing(change)) {
    return {ChangeResult::rejected, "a foreign key of the model"};
  }
  if (!versions_match(change) || !catalog_matches(change) || !intents_match(change)) {
    return {ChangeResult::stale_version, {}};
  }
  write(change);
  return {ChangeResult::committed, {}, write_intents(change)};
}

bool StoreModel::breaks_unique(const ChangeSet& change) const {
  const auto in_scope = [&](const auto& entry) { return entry.first.first == change.scope; };
  if (change.customer && change.customer->status != Status::deleted) {
    const auto taken = std::any_of(customers_.begin(), customers_.end(), [&](const auto& entry) {
      return in_scope(entry) && entry.second.id != change.customer->id && entry.second.status != Status::deleted &&
             entry.second.external_id == change.customer->external_id;
    });
    if (taken) {
      return true;
    }
  }
  return (change.addon && breaks_unique(change.scope, *change.addon)) ||
         (change.mapping && breaks_unique(change.scope, *change.mapping)) ||
         (change.addon_mapping && breaks_unique(change.scope, *change.addon_mapping));
}

bool StoreModel::breaks_unique(const Scope& scope, const Mapping& mapping) const {
  return mapping.status == Status::published && std::any_of(mappings_.begin(), mappings_.end(), [&](const auto& entry) {
           const auto& other = entry.second;
           return entry.first.first == scope && other.id != mapping.id && other.status == Status::published &&
                  other.entity_type == mapping.entity_type &&
                  (other.entity_id == mapping.entity_id || other.provider_entity_id == mapping.provider_entity_id);
         });
}

bool StoreModel::settles(const ChangeSet& change) const {
  if (!change.settlement) {
    return true;
  }
  const auto* row = value_at(rows_, change.settlement->seq);
  if (row == nullptr || !row->settlement) {
    return row == nullptr || !change.settlement->was_parked;
  }
  return change.settlement->was_parked && row->settlement->outcome == InboxOutcome::parked;
}

bool StoreModel::versions_match(const ChangeSet& change) const {
  if (change.customer) {
    const auto* known = customer(change.scope, change.customer->id);
    if ((known == nullptr ? 0 : known->version) != change.customer->version - 1) {
      return false;
    }
  }
  return std::all_of(kObjects.begin(), kObjects.end(), [&](const auto member) {
    const auto& written = change.*member;
    const auto* known = written ? object(change.scope, written->stripe_id) : nullptr;
    return !written || (known == nullptr ? 0 : known->version) == written->version - 1;
  });
}

void StoreModel::write(const ChangeSet& change) {
  if (change.customer) {
    put(change.scope, *change.customer);
  }
  write_catalog(change);
  for (const auto& mapping : {change.mapping, change.addon_mapping}) {
    if (mapping) {
      put(change.scope, *mapping);
    }
  }
  for (const auto member : kObjects) {
    if (change.*member) {
      put(change.scope, *(change.*member));
    }
  }
  wake_blocked(change);
  supersede(change);
  if (!change.settlement || !rows_.contains(change.settlement->seq)) {
    return;
  }
  auto& row = rows_.at(change.settlement->seq);
  row.settlement = change.settlement;
  park(change, row);
  row.settlements += is_finished(row) ? 1 : 0;
}

store::Ownership StoreModel::take_ownership(const Scope& scope) {
  return {++epochs_[scope], watermark(scope)};
}

EntitySnapshot StoreModel::load(const store::SnapshotRequest& request) const {
  EntitySnapshot stored;
  const auto& scope = request.scope;
  const auto kind = to_string(request.entity.kind);
  if (const auto* known = customer(scope, CustomerId{request.entity.id});
      known != nullptr && request.entity.kind == EntityKind::customer) {
    stored.customer = *known;
  }
  load_catalog(request, stored);
  const auto id = stored.plan ? stored.plan->id.str() : request.by_mapping ? "" : request.entity.id;
  if (const auto* mapping = mapping_of(scope, kind, id)) {
    stored.mapping = *mapping;
  }
  const bool is_mapped_one = request.object.empty() && request.entity.kind != EntityKind::plan && stored.mapping;
  if (const auto* known =
          object(scope, is_mapped_one ? StripeId(stored.mapping->provider_entity_id) : request.object.id)) {
    stored.shadow = *known;
  }
  stored.intents = ready_of(scope, id);
  return stored;
}

store::InboxRow StoreModel::resolved(const Row& row) const {
  auto result = row.row;
  result.entity_id = entity_of(row.scope, {row.row.object_type, StripeId{row.row.object_id}});
  result.was_parked = row.parked.has_value();
  result.attempts = row.parked ? row.parked->attempts : 0;
  if (row.parked && row.parked->state != ParkedState::redriven) {
    result.parked_at = row.parked_at;
  }
  return result;
}

std::vector<store::InboxRow> StoreModel::page(const Scope& scope, const store::PageRequest& request) const {
  std::vector<store::InboxRow> result;
  const std::set<std::string> busy(request.busy_objects.begin(), request.busy_objects.end());
  for (auto entry = rows_.upper_bound(request.after); entry != rows_.end(); ++entry) {
    const auto& row = entry->second;
    if (!row.visible || row.scope != scope || row.settlement || busy.contains(row.row.object_id) ||
        (!request.object_id.empty() && row.row.object_id != request.object_id)) {
      continue;
    }
    result.push_back(resolved(row));
    if (result.size() >= static_cast<std::size_t>(request.rows_max)) {
      break;
    }
  }
  return result;
}

std::vector<store::InboxRow> StoreModel::due(const Scope& scope, Timestamp now, int rows_max) const {
  std::vector<const Row*> due;
  for (const auto& [seq, row] : rows_) {
    if (row.scope == scope && is_due(row, now)) {
      due.push_back(&row);
    }
  }
  std::stable_sort(due.begin(), due.end(),
                   [](const Row* a, const Row* b) { return a->parked->next_attempt_at < b->parked->next_attempt_at; });
  due.resize(std::min(due.size(), static_cast<std::size_t>(rows_max)));
  std::vector<store::InboxRow> result;
  for (const auto* row : due) {
    result.push_back(resolved(*row));
  }
  return result;
}

std::map<std::string, CustomerId> StoreModel::find_customers(const Scope& scope,
                                                             const std::vector<std::string>& claims) const {
  std::map<std::string, CustomerId> found;
  for (const auto& claim : claims) {
    for (const auto& [key, customer] : customers_) {
      const bool is_id = customer.id.str() == claim;
      const bool is_name = customer.status != Status::deleted && customer.external_id == claim;
      if (key.first == scope && (is_id || (is_name && !found.contains(claim)))) {
        found[claim] = customer.id;
      }
    }
  }
  return found;
}

std::map<std::string, std::vector<std::string>> StoreModel::find_unmapped(
    const Scope& scope, const std::vector<std::string>& emails) const {
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& email : std::set<std::string>(emails.begin(), emails.end())) {
    for (const auto& [key, customer] : customers_) {
      if (key.first == scope && customer.fields.email == email && customer.status == Status::published &&
          mapping_of(scope, "customer", customer.id.str()) == nullptr && found[email].size() < 2) {
        found[email].push_back(customer.id.str());
      }
    }
  }
  std::erase_if(found, [](const auto& entry) { return entry.second.empty(); });
  return found;
}

void StoreModel::save_watermark(const Scope& scope, std::int64_t seq) {
  watermarks_[scope] = std::max(watermarks_[scope], seq);
}

std::vector<Scope> StoreModel::scopes_with_work(Timestamp now) const {
  std::set<Scope> scopes;
  for (const auto& [seq, row] : rows_) {
    if (row.visible && (!row.settlement || is_due(row, now))) {
      scopes.insert(row.scope);
    }
  }
  for (const auto& [key, intent] : intents_) {
    if (intent.state == IntentState::ready && intent.next_attempt_at <= now) {
      scopes.insert(key.first);
    }
  }
  return {scopes.begin(), scopes.end()};
}

const StripeObject* StoreModel::object(const Scope& scope, const StripeId& id) const {
  return value_at(objects_, Key<StripeId>{scope, id});
}

const Customer* StoreModel::customer(const Scope& scope, const CustomerId& id) const {
  return value_at(customers_, Key<CustomerId>{scope, id});
}

const Customer* StoreModel::customer_of(const Scope& scope, const StripeId& id) const {
  const auto* shadow = object(scope, id);
  return shadow == nullptr ? nullptr : customer(scope, CustomerId(shadow->entity_id));
}

const Mapping* StoreModel::live_mapping(const Scope& scope, const StripeId& id, const std::string& type) const {
  for (const auto& [key, mapping] : mappings_) {
    if (key.first == scope && mapping.provider_entity_id == id.str() && mapping.status == Status::published &&
        (type.empty() || mapping.entity_type == type)) {
      return &mapping;
    }
  }
  return nullptr;
}

std::vector<Customer> StoreModel::customers_of(const Scope& scope) const {
  std::vector<Customer> found;
  for (const auto& [key, customer] : customers_) {
    if (key.first == scope) {
      found.push_back(customer);
    }
  }
  return found;
}

std::vector<Mapping> StoreModel::live_mappings(const Scope& scope) const {
  std::vector<Mapping> found;
  for (const auto& [key, mapping] : mappings_) {
    if (key.first == scope && mapping.status == Status::published) {
      found.push_back(mapping);
    }
  }
  return found;
}

std::size_t StoreModel::unsettled(const Scope& scope) const {
  return static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [&](const auto& entry) {
    return entry.second.scope == scope && !is_finished(entry.second) &&
           !(entry.second.parked && entry.second.parked->state == ParkedState::dead);
  }));
}

std::int64_t StoreModel::watermark(const Scope& scope) const {
  const auto* known = value_at(watermarks_, scope);
  return known == nullptr ? 0 : *known;
}

std::int64_t StoreModel::epoch(const Scope& scope) const {
  const auto* known = value_at(epochs_, scope);
  return known == nullptr ? 0 : *known;
}

void StoreModel::put(const Scope& scope, Customer customer) {
  customers_[{scope, customer.id}] = std::move(customer);
}

void StoreModel::put(const Scope& scope, Mapping mapping) {
  mappings_[{scope, mapping.id}] = std::move(mapping);
}

void StoreModel::put(const Scope& scope, StripeObject object) {
  objects_[{scope, object.stripe_id}] = std::move(object);
}

}  // namespace flexsync::test
