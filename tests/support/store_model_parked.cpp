// Parked events of the store in memory: they wake when their parent appears, and give way to a newer state.
#include <nlohmann/json.hpp>
#include <set>

#include "support/store_model.hpp"

namespace flexsync::test {

namespace {

std::string kind_word(const std::string& object_type) {
  const auto kind = kind_of(object_type);
  return kind ? to_string(*kind) : object_type;
}

// Whose whole state an event carries, and when that was true; nothing for deletions and for facts.
struct CarriedState {
  ObjectKey object;
  Timestamp created;
};

std::optional<CarriedState> carried_by(const store::InboxRow& row) {
  static const std::set<std::string> kVerbs = {
      "created", "updated", "paused", "resumed", "pending_update_applied", "pending_update_expired"};
  const auto dot = row.type.rfind('.');
  auto type = row.type.substr(0, dot);
  type = type == "customer.subscription" ? "subscription" : type == "plan" ? "price" : type;
  const auto event = nlohmann::json::parse(row.payload, nullptr, /*allow_exceptions=*/false);
  if (!kVerbs.contains(row.type.substr(dot + 1)) || (!kind_of(type)) || !event.is_object() ||
      !event.contains("created") || !event.contains(nlohmann::json::json_pointer("/data/object/id"))) {
    return std::nullopt;
  }
  return CarriedState{{type, StripeId{event["data"]["object"]["id"].get<std::string>()}},
                      from_unix_seconds(event["created"].get<std::int64_t>())};
}

}  // namespace

void StoreModel::wake_blocked(const ChangeSet& change) {
  const auto& mapping = change.mapping;
  if (!mapping || mapping->status != Status::published || mapping->created_at != mapping->updated_at) {
    return;
  }
  for (auto& [seq, row] : rows_) {
    if (row.scope == change.scope && row.parked && row.parked->state == ParkedState::blocked &&
        row.parked->blocked_on.id.str() == mapping->provider_entity_id &&
        kind_word(row.parked->blocked_on.type) == mapping->entity_type) {
      row.parked->next_attempt_at = std::min(row.parked->next_attempt_at, mapping->updated_at);
    }
  }
}

void StoreModel::supersede(const ChangeSet& change) {
  if (!change.stripe_object) {
    return;
  }
  const auto& newer = *change.stripe_object;
  for (auto& [seq, row] : rows_) {
    const bool waits = row.scope == change.scope && row.parked &&
                       (row.parked->state == ParkedState::blocked || row.parked->state == ParkedState::dead);
    const auto carried = waits ? carried_by(row.row) : std::nullopt;
    if (carried && carried->object == ObjectKey{newer.object_type, newer.stripe_id} &&
        carried->created < newer.true_during.from) {
      row.parked.reset();
      row.settlement->outcome = InboxOutcome::superseded;
      row.settlement->reason = "a newer state of the object is known";
      ++row.settlements;
    }
  }
}

void StoreModel::park(const ChangeSet& change, Row& row) const {
  const bool is_anew = !row.parked || row.parked->state == ParkedState::redriven;
  row.parked = change.parked;
  if (!row.parked) {
    return;
  }
  row.parked_at = is_anew ? change.settlement->at : row.parked_at;
  const auto& parent = row.parked->blocked_on;
  if (row.parked->state == ParkedState::blocked && !parent.empty() &&
      live_mapping(change.scope, parent.id, kind_word(parent.type)) != nullptr) {
    row.parked->next_attempt_at = change.settlement->at;
  }
}

}  // namespace flexsync::test
