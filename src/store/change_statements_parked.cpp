// Events that wait. One that is blocked wakes when its parent appears, however the two transactions interleave: both
// lock the parent's key, so that either the parking one sees the parent's mapping, or the mapping one sees what waits.
#include <optional>
#include <set>

#include "store/change_batch.hpp"
#include "store/parked_statements.hpp"

namespace flexsync::store::changes {

namespace {

// In key order, in one statement: two batches cannot deadlock.
constexpr Statement kLockParents{"lock_parents", R"(
  SELECT pg_advisory_xact_lock(hashtextextended(tenant || '/' || environment || '/' || kind || '/' || id, 0))
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS row(tenant, environment, kind, id))"};

constexpr Statement kWakeParked{"wake_parked", kWakeBlocked};
constexpr Statement kSupersedeParked{"supersede_parked", kSupersede};

// What is blocked on a parent that is mapped by now is due at once.
constexpr Statement kPark{"park", R"(
  INSERT INTO parked_events (tenant_id, environment_id, seq, event_id, state, attempts, next_attempt_at, error_code,
                             error_message, parked_at, updated_at, object_type, object_id, stripe_created,
                             blocked_on_type, blocked_on_id)
  SELECT tenant, environment, seq, event, state, attempts,
         'epoch'::timestamptz + interval '1 microsecond' * CASE WHEN blocked_id <> '' AND EXISTS (
             SELECT 1 FROM entity_integration_mappings m
             WHERE m.tenant_id = tenant AND m.environment_id = environment AND m.provider_entity_id = blocked_id
               AND m.entity_type = blocked_kind AND m.provider_type = 'stripe' AND m.status = 'published' OFFSET 0)
           THEN at ELSE next END,
         code, message, 'epoch'::timestamptz + at * interval '1 microsecond',
         'epoch'::timestamptz + at * interval '1 microsecond', about.object_type, about.object_id,
         about.stripe_created, blocked_kind, blocked_id
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::text[],
              $9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[])
    AS row(tenant, environment, seq, event, state, attempts, next, code, message, at, own_type, own_id, blocked_kind,
           blocked_id)
    CROSS JOIN LATERAL parked_event_state(tenant, environment, event, own_type, own_id) AS about
  ON CONFLICT (tenant_id, environment_id, seq) DO UPDATE SET
    state = excluded.state, attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
    error_code = excluded.error_code, error_message = excluded.error_message, updated_at = excluded.updated_at,
    object_type = excluded.object_type, object_id = excluded.object_id,
    blocked_on_type = excluded.blocked_on_type, blocked_on_id = excluded.blocked_on_id,
    parked_at = CASE parked_events.state WHEN 'redriven' THEN excluded.parked_at ELSE parked_events.parked_at END)"};

constexpr Statement kAttempt{"attempt", R"(
  INSERT INTO inbox_attempts (tenant_id, environment_id, event_id, attempt, error_code, error_message, attempted_at)
  SELECT tenant, environment, event, attempts, code, message, 'epoch'::timestamptz + at * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::bigint[])
    AS row(tenant, environment, event, attempts, code, message, at)
  ON CONFLICT DO NOTHING)"};

// A plan's parent in Stripe is a product, or (setting `sync.plan_source`) a price: by its mapping it is a plan.
std::string kind_word(const std::string& object_type) {
  const auto kind = kind_of(object_type);
  return kind ? to_string(*kind) : object_type;
}

const Mapping* new_parent(const ChangeSet& change) {
  const auto& mapping = change.mapping;
  const bool is_new = mapping && mapping->status == Status::published && mapping->created_at == mapping->updated_at;
  return is_new && mapping->entity_type != to_string(EntityKind::subscription) ? &*mapping : nullptr;
}

const ObjectKey* missing_parent(const ChangeSet& change) {
  const bool is_blocked = change.parked && change.parked->state == ParkedState::blocked;
  return is_blocked && !change.parked->blocked_on.empty() ? &change.parked->blocked_on : nullptr;
}

// When, and by what, a change set says that a newer state is known.
Timestamp time_of(const ChangeSet& change) {
  if (change.settlement) {
    return change.settlement->at;
  }
  return change.audit.empty() ? change.stripe_object->true_during.to : change.audit.front().at;
}

std::string newer_state(const ChangeSet& change) {
  return change.settlement ? "a newer state of the object is known, by " + change.settlement->event_id.str()
                           : "a newer state of the object was read from Stripe";
}

}  // namespace

void prepare_parked(pqxx::connection& connection) {
  prepare(connection, std::array{kLockParents, kWakeParked, kPark, kAttempt, kSupersedeParked});
}

void lock_parents(pqxx::transaction_base& tx, const Batch& batch) {
  std::set<std::tuple<Scope, std::string, std::string>> parents;
  for (const auto* change : batch) {
    if (const auto* mapping = new_parent(*change)) {
      parents.emplace(change->scope, mapping->entity_type, mapping->provider_entity_id);
    }
    if (const auto* missing = missing_parent(*change)) {
      parents.emplace(change->scope, kind_word(missing->type), missing->id.str());
    }
  }
  Table<4> table;
  for (const auto& [scope, kind, id] : parents) {
    table.row(scope.tenant.str(), scope.environment.str(), kind, id);
  }
  table.exec(tx, kLockParents);
}

void wake_blocked(pqxx::transaction_base& tx, const Batch& batch) {
  Table<5> table;
  for (const auto* change : batch) {
    if (const auto* mapping = new_parent(*change)) {
      table.row(change->scope.tenant.str(), change->scope.environment.str(), mapping->entity_type,
                mapping->provider_entity_id, mapping->updated_at);
    }
  }
  table.exec(tx, kWakeParked);
}

void supersede(pqxx::transaction_base& tx, const Batch& batch) {
  Table<7> table;
  const auto key = [](const ChangeSet& s) { return s.stripe_object ? &s.stripe_object->stripe_id : nullptr; };
  for (const auto* change : ordered(batch, key)) {
    const auto& object = *change->stripe_object;
    table.row(change->scope.tenant.str(), change->scope.environment.str(), object.object_type, object.stripe_id.str(),
              object.true_during.from, newer_state(*change), time_of(*change));
  }
  table.exec(tx, kSupersedeParked);
}

void park(pqxx::transaction_base& tx, const Batch& batch) {
  Table<14> events;
  Table<7> attempts;
  for (const auto* c : batch) {
    if (!c->parked || !c->settlement) {
      continue;
    }
    const auto& parked = *c->parked;
    const auto& settlement = *c->settlement;
    const auto* missing = missing_parent(*c);
    events.row(c->scope.tenant.str(), c->scope.environment.str(), settlement.seq, settlement.event_id.str(),
               to_string(parked.state), std::int64_t{parked.attempts}, parked.next_attempt_at, parked.error_code,
               parked.error_message, settlement.at, parked.object.type, parked.object.id.str(),
               missing != nullptr ? kind_word(missing->type) : "", missing != nullptr ? missing->id.str() : "");
    attempts.row(c->scope.tenant.str(), c->scope.environment.str(), settlement.event_id.str(),
                 std::int64_t{parked.attempts}, parked.error_code, parked.error_message, settlement.at);
  }
  events.exec(tx, kPark);
  attempts.exec(tx, kAttempt);
}

}  // namespace flexsync::store::changes
