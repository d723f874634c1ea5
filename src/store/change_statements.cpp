#include "store/change_statements.hpp"

#include <algorithm>
#include <map>
#include <pqxx/pqxx>
#include <set>
#include <string>
#include <tuple>

#include "store/array.hpp"
#include "store/rows.hpp"
#include "telemetry/failpoint.hpp"

namespace flexsync::store {

namespace {

struct Statement {
  const char* name;
  const char* sql;
};

// A supervisor that starts takes this lock exclusively to raise the epoch: no change set of the old epoch is then
// between its check and its commit.
constexpr Statement kLockOwners{"lock_owners", R"(
  SELECT pg_advisory_xact_lock_shared(hashtextextended(tenant || '/' || environment, 0))
  FROM unnest($1::text[], $2::text[]) AS row(tenant, environment))"};

constexpr Statement kReadEpochs{"read_epochs", R"(
  SELECT tenant_id, environment_id, epoch FROM tenant_owner
  WHERE (tenant_id, environment_id) IN (SELECT * FROM unnest($1::text[], $2::text[])))"};

constexpr Statement kSettle{"settle", R"(
  INSERT INTO inbox_outcomes (tenant_id, environment_id, seq, outcome, reason, settled_at)
  SELECT tenant, environment, seq, outcome, reason, 'epoch'::timestamptz + at * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
    AS row(tenant, environment, seq, outcome, reason, at)
  ON CONFLICT DO NOTHING
  RETURNING tenant_id, environment_id, seq)"};

constexpr Statement kSettleParked{"settle_parked", R"(
  UPDATE inbox_outcomes o SET outcome = row.outcome, reason = row.reason,
         settled_at = 'epoch'::timestamptz + row.at * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
    AS row(tenant, environment, seq, outcome, reason, at)
  WHERE o.tenant_id = row.tenant AND o.environment_id = row.environment AND o.seq = row.seq AND o.outcome = 'parked'
  RETURNING o.tenant_id, o.environment_id, o.seq)"};

constexpr Statement kUnpark{"unpark", R"(
  DELETE FROM parked_events p USING unnest($1::text[], $2::text[], $3::bigint[]) AS row(tenant, environment, seq)
  WHERE p.tenant_id = row.tenant AND p.environment_id = row.environment AND p.seq = row.seq)"};

constexpr Statement kPark{"park", R"(
  INSERT INTO parked_events (tenant_id, environment_id, seq, event_id, state, attempts, next_attempt_at, error_code,
                             error_message, parked_at, updated_at)
  SELECT tenant, environment, seq, event, state, attempts, 'epoch'::timestamptz + next * interval '1 microsecond',
         code, message, 'epoch'::timestamptz + at * interval '1 microsecond',
         'epoch'::timestamptz + at * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::text[],
              $9::text[], $10::bigint[])
    AS row(tenant, environment, seq, event, state, attempts, next, code, message, at)
  ON CONFLICT (tenant_id, environment_id, seq) DO UPDATE SET
    state = excluded.state, attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
    error_code = excluded.error_code, error_message = excluded.error_message, updated_at = excluded.updated_at)"};

constexpr Statement kAttempt{"attempt", R"(
  INSERT INTO inbox_attempts (tenant_id, environment_id, event_id, attempt, error_code, error_message, attempted_at)
  SELECT tenant, environment, event, attempts, code, message, 'epoch'::timestamptz + at * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::text[],
              $9::text[], $10::bigint[])
    AS row(tenant, environment, seq, event, state, attempts, next, code, message, at)
  ON CONFLICT DO NOTHING)"};

// A row that is not there has no version to be changed: only version 1 is inserted.
constexpr Statement kCustomers{"customers", R"(
  INSERT INTO customers (tenant_id, environment_id, id, external_id, name, email, contact, address_line1,
                         address_line2, address_city, address_state, address_postal_code, address_country, metadata,
                         status, version, created_at, updated_at, created_by, updated_by)
  SELECT tenant, environment, id, external, name, email, contact, line1, line2, city, state, postal, country,
         metadata::jsonb, status, version, 'epoch'::timestamptz + created * interval '1 microsecond',
         'epoch'::timestamptz + updated * interval '1 microsecond', created_by, updated_by
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
              $17::bigint[], $18::bigint[], $19::text[], $20::text[])
    AS row(tenant, environment, id, external, name, email, contact, line1, line2, city, state, postal, country,
           metadata, status, version, created, updated, created_by, updated_by)
  WHERE version = 1 OR EXISTS (SELECT 1 FROM customers c WHERE c.tenant_id = tenant
                                 AND c.environment_id = environment AND c.id = row.id)
  ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET
    external_id = excluded.external_id, name = excluded.name, email = excluded.email, contact = excluded.contact,
    address_line1 = excluded.address_line1, address_line2 = excluded.address_line2,
    address_city = excluded.address_city, address_state = excluded.address_state,
    address_postal_code = excluded.address_postal_code, address_country = excluded.address_country,
    metadata = excluded.metadata, status = excluded.status, version = excluded.version,
    updated_at = excluded.updated_at, updated_by = excluded.updated_by
  WHERE customers.version = excluded.version - 1
  RETURNING tenant_id, environment_id, id)"};

constexpr Statement kMappings{"mappings", R"(
  INSERT INTO entity_integration_mappings (tenant_id, environment_id, id, entity_type, entity_id, provider_type,
                                           provider_entity_id, metadata, status, created_at, updated_at)
  SELECT tenant, environment, id, entity_type, entity, provider_type, provider, metadata::jsonb, status,
         'epoch'::timestamptz + created * interval '1 microsecond',
         'epoch'::timestamptz + updated * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::text[], $10::bigint[], $11::bigint[])
    AS row(tenant, environment, id, entity_type, entity, provider_type, provider, metadata, status, created, updated)
  ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET
    metadata = excluded.metadata, status = excluded.status, updated_at = excluded.updated_at)"};

constexpr Statement kStripeObjects{"stripe_objects", R"(
  INSERT INTO stripe_objects (tenant_id, environment_id, object_type, stripe_id, entity_id, state, true_from, true_to,
                              deleted, needs_reconcile, version)
  SELECT tenant, environment, type, stripe, entity, state,
         'epoch'::timestamptz + since * interval '1 microsecond',
         'epoch'::timestamptz + until * interval '1 microsecond', deleted, reconcile, version
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
              $9::boolean[], $10::boolean[], $11::bigint[])
    AS row(tenant, environment, type, stripe, entity, state, since, until, deleted, reconcile, version)
  WHERE version = 1 OR EXISTS (SELECT 1 FROM stripe_objects s WHERE s.tenant_id = tenant
                                 AND s.environment_id = environment AND s.object_type = type AND s.stripe_id = stripe)
  ON CONFLICT (tenant_id, environment_id, object_type, stripe_id) DO UPDATE SET
    entity_id = excluded.entity_id, state = excluded.state, true_from = excluded.true_from,
    true_to = excluded.true_to, deleted = excluded.deleted, needs_reconcile = excluded.needs_reconcile,
    version = excluded.version
  WHERE stripe_objects.version = excluded.version - 1
  RETURNING tenant_id, environment_id, object_type || '/' || stripe_id)"};

constexpr Statement kAudit{"audit", R"(
  INSERT INTO audit_log (tenant_id, environment_id, entity_type, entity_id, action, actor, before, after, request_id,
                         at)
  SELECT tenant, environment, type, entity, action, actor, before::json, after::json, request,
         'epoch'::timestamptz + at * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::text[], $10::bigint[])
    AS row(tenant, environment, type, entity, action, actor, before, after, request, at))"};

constexpr std::array kStatements = {kLockOwners, kReadEpochs, kSettle,   kSettleParked,  kUnpark, kPark,
                                    kAttempt,    kCustomers,  kMappings, kStripeObjects, kAudit};

// The columns of one statement, filled row by row.
template <std::size_t Columns>
class Table {
 public:
  template <class... Values>
  void row(const Values&... values) {
    static_assert(sizeof...(Values) == Columns);
    std::size_t c = 0;
    (columns_[c++].add(values), ...);
    ++rows_;
  }

  pqxx::result exec(pqxx::transaction_base& tx, const Statement& statement) {
    if (rows_ == 0) {
      return {};
    }
    std::vector<std::string> parameters;
    for (auto& column : columns_) {
      parameters.push_back(column.take());
    }
    return tx.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(parameters));
  }

 private:
  std::array<ArrayLiteral, Columns> columns_;
  std::size_t rows_ = 0;
};

// (tenant, environment, key) as a statement returns them: who was written.
using Written = std::set<std::tuple<std::string, std::string, std::string>>;

Written written(const pqxx::result& result) {
  Written keys;
  for (const auto& row : result) {
    keys.emplace(row[0].c_str(), row[1].c_str(), row[2].c_str());
  }
  return keys;
}

bool contains(const Written& keys, const Scope& scope, const std::string& key) {
  return keys.contains({scope.tenant.str(), scope.environment.str(), key});
}

using Batch = std::vector<const ChangeSet*>;

// Statements write in key order, so that two writers cannot deadlock.
template <class Key>
Batch ordered(const Batch& batch, Key key) {
  Batch rows;
  std::copy_if(batch.begin(), batch.end(), std::back_inserter(rows), [&](const auto* c) { return key(*c) != nullptr; });
  std::sort(rows.begin(), rows.end(),
            [&](const auto* a, const auto* b) { return std::tie(a->scope, *key(*a)) < std::tie(b->scope, *key(*b)); });
  return rows;
}

std::map<Scope, std::int64_t> read_epochs(pqxx::transaction_base& tx, const Batch& batch) {
  std::set<Scope> scopes;
  for (const auto* change : batch) {
    scopes.insert(change->scope);
  }
  Table<2> lock;
  Table<2> read;
  for (const auto& scope : scopes) {
    lock.row(scope.tenant.str(), scope.environment.str());
    read.row(scope.tenant.str(), scope.environment.str());
  }
  lock.exec(tx, kLockOwners);
  std::map<Scope, std::int64_t> epochs;
  for (const auto& row : read.exec(tx, kReadEpochs)) {
    epochs[{TenantId{row[0].c_str()}, EnvironmentId{row[1].c_str()}}] = row[2].as<std::int64_t>();
  }
  return epochs;
}

Written settle(pqxx::transaction_base& tx, const Batch& batch) {
  Table<6> fresh;
  Table<6> parked;
  Table<3> unpark;
  for (const auto* c : ordered(batch, [](const ChangeSet& s) { return s.settlement ? &s.settlement->seq : nullptr; })) {
    const auto& s = *c->settlement;
    auto& table = s.was_parked ? parked : fresh;
    table.row(c->scope.tenant.str(), c->scope.environment.str(), s.seq, to_string(s.outcome), s.reason, s.at);
    if (s.was_parked && s.outcome != InboxOutcome::parked) {
      unpark.row(c->scope.tenant.str(), c->scope.environment.str(), s.seq);
    }
  }
  auto keys = written(fresh.exec(tx, kSettle));
  keys.merge(written(parked.exec(tx, kSettleParked)));
  unpark.exec(tx, kUnpark);
  return keys;
}

void park(pqxx::transaction_base& tx, const Batch& batch) {
  Table<10> events;
  Table<10> attempts;
  for (const auto* c : batch) {
    if (c->parked && c->settlement) {
      for (auto* table : {&events, &attempts}) {
        table->row(c->scope.tenant.str(), c->scope.environment.str(), c->settlement->seq, c->settlement->event_id.str(),
                   to_string(c->parked->state), std::int64_t{c->parked->attempts}, c->parked->next_attempt_at,
                   c->parked->error_code, c->parked->error_message, c->settlement->at);
      }
    }
  }
  events.exec(tx, kPark);
  attempts.exec(tx, kAttempt);
}

Written write_customers(pqxx::transaction_base& tx, const Batch& batch) {
  Table<20> table;
  for (const auto* c : ordered(batch, [](const ChangeSet& s) { return s.customer ? &s.customer->id : nullptr; })) {
    const auto& row = *c->customer;
    const auto& f = row.fields;
    table.row(c->scope.tenant.str(), c->scope.environment.str(), row.id.str(), row.external_id, f.name, f.email,
              f.contact, f.address_line1, f.address_line2, f.address_city, f.address_state, f.address_postal_code,
              f.address_country, metadata_to_json(f.metadata), to_string(row.status), row.version, row.created_at,
              row.updated_at, row.created_by, row.updated_by);
  }
  return written(table.exec(tx, kCustomers));
}

void write_mappings(pqxx::transaction_base& tx, const Batch& batch) {
  Table<11> table;
  for (const auto* c : ordered(batch, [](const ChangeSet& s) { return s.mapping ? &s.mapping->id : nullptr; })) {
    const auto& row = *c->mapping;
    table.row(c->scope.tenant.str(), c->scope.environment.str(), row.id.str(), row.entity_type, row.entity_id,
              row.provider_type, row.provider_entity_id, metadata_to_json(row.metadata), to_string(row.status),
              row.created_at, row.updated_at);
  }
  table.exec(tx, kMappings);
}

Written write_stripe_objects(pqxx::transaction_base& tx, const Batch& batch) {
  Table<11> table;
  const auto key = [](const ChangeSet& s) { return s.stripe_object ? &s.stripe_object->stripe_id : nullptr; };
  for (const auto* c : ordered(batch, key)) {
    const auto& row = *c->stripe_object;
    table.row(c->scope.tenant.str(), c->scope.environment.str(), row.object_type, row.stripe_id.str(), row.entity_id,
              row.state, row.true_during.from, row.true_during.to, row.deleted, row.needs_reconcile, row.version);
  }
  return written(table.exec(tx, kStripeObjects));
}

void write_audit(pqxx::transaction_base& tx, const Batch& batch) {
  Table<10> table;
  for (const auto* c : batch) {
    for (const auto& entry : c->audit) {
      table.row(c->scope.tenant.str(), c->scope.environment.str(), entry.entity_type, entry.entity_id, entry.action,
                entry.actor, entry.before, entry.after, entry.request_id, entry.at);
    }
  }
  table.exec(tx, kAudit);
}

ChangeResult verdict(const ChangeSet& change, const Written& settled, const Written& customers,
                     const Written& objects) {
  if (change.settlement && !contains(settled, change.scope, std::to_string(change.settlement->seq))) {
    return ChangeResult::already_settled;
  }
  if (change.customer && !contains(customers, change.scope, change.customer->id.str())) {
    return ChangeResult::stale_version;
  }
  if (change.stripe_object &&
      !contains(objects, change.scope,
                change.stripe_object->object_type + "/" + change.stripe_object->stripe_id.str())) {
    return ChangeResult::stale_version;
  }
  return ChangeResult::committed;
}

}  // namespace

void prepare_change_statements(pqxx::connection& connection) {
  for (const auto& statement : kStatements) {
    connection.prepare(statement.name, statement.sql);
  }
}

std::vector<ChangeResult> apply_changes(pqxx::transaction_base& tx, const Batch& batch) {
  std::vector<ChangeResult> results(batch.size(), ChangeResult::committed);
  const auto epochs = read_epochs(tx, batch);
  bool all_current = true;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto epoch = epochs.find(batch[i]->scope);
    if (epoch == epochs.end() || epoch->second != batch[i]->epoch) {
      results[i] = ChangeResult::stale_epoch;
      all_current = false;
    }
  }
  if (!all_current) {
    return results;
  }
  const auto settled = settle(tx, batch);
  FLEXSYNC_FAILPOINT("changes.mid_transaction");
  const auto customers = write_customers(tx, batch);
  write_mappings(tx, batch);
  const auto objects = write_stripe_objects(tx, batch);
  write_audit(tx, batch);
  park(tx, batch);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    results[i] = verdict(*batch[i], settled, customers, objects);
  }
  return results;
}

}  // namespace flexsync::store
