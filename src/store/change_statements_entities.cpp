#include "store/change_batch.hpp"
#include "store/rows.hpp"

namespace flexsync::store::changes {

namespace {

// A row that is not there has no version to be changed: only version 1 is inserted. OFFSET 0: it is looked for by its
// key; without, the planner may read the whole table, all tenants', into a hash.
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
                                 AND c.environment_id = environment AND c.id = row.id OFFSET 0)
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
                                 AND s.environment_id = environment AND s.object_type = type AND s.stripe_id = stripe
                                 OFFSET 0)
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

}  // namespace

void prepare_entities(pqxx::connection& connection) {
  prepare(connection, std::array{kCustomers, kMappings, kStripeObjects, kAudit});
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
  const auto key = [](const Mapping& m) { return std::tie(m.id); };
  for (const auto& [scope, mapping] : ordered_rows(batch, {&ChangeSet::mapping, &ChangeSet::addon_mapping}, key)) {
    const auto& row = *mapping;
    table.row(scope->tenant.str(), scope->environment.str(), row.id.str(), row.entity_type, row.entity_id,
              row.provider_type, row.provider_entity_id, metadata_to_json(row.metadata), to_string(row.status),
              row.created_at, row.updated_at);
  }
  table.exec(tx, kMappings);
}

Written write_stripe_objects(pqxx::transaction_base& tx, const Batch& batch) {
  Table<11> table;
  const auto key = [](const StripeObject& o) { return std::tie(o.stripe_id, o.object_type); };
  for (const auto& [scope, object] : ordered_rows(batch, {&ChangeSet::stripe_object, &ChangeSet::product}, key)) {
    const auto& row = *object;
    table.row(scope->tenant.str(), scope->environment.str(), row.object_type, row.stripe_id.str(), row.entity_id,
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

}  // namespace flexsync::store::changes
