#include "store/change_batch.hpp"
#include "store/rows_catalog.hpp"

namespace flexsync::store::changes {

namespace {

// As with customers: a row that is not there has no version to be changed, only version 1 is inserted. (OFFSET 0: it is
// looked for by its key.)
constexpr Statement kPlans{"plans", R"(
  INSERT INTO plans (tenant_id, environment_id, id, lookup_key, name, description, metadata, status, version,
                     created_at, updated_at, created_by, updated_by)
  SELECT tenant, environment, id, lookup, name, description, metadata::jsonb, status, version,
         'epoch'::timestamptz + created * interval '1 microsecond',
         'epoch'::timestamptz + updated * interval '1 microsecond', created_by, updated_by
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[])
    AS row(tenant, environment, id, lookup, name, description, metadata, status, version, created, updated,
           created_by, updated_by)
  WHERE version = 1 OR EXISTS (SELECT 1 FROM plans p WHERE p.tenant_id = tenant AND p.environment_id = environment
                                 AND p.id = row.id OFFSET 0)
  ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET
    lookup_key = excluded.lookup_key, name = excluded.name, description = excluded.description,
    metadata = excluded.metadata, status = excluded.status, version = excluded.version,
    updated_at = excluded.updated_at, updated_by = excluded.updated_by
  WHERE plans.version = excluded.version - 1
  RETURNING tenant_id, environment_id, id)"};

constexpr Statement kAddons{"addons", R"(
  INSERT INTO addons (tenant_id, environment_id, id, plan_id, lookup_key, name, description, metadata, status, version,
                      created_at, updated_at, created_by, updated_by)
  SELECT tenant, environment, id, plan, lookup, name, description, metadata::jsonb, status, version,
         'epoch'::timestamptz + created * interval '1 microsecond',
         'epoch'::timestamptz + updated * interval '1 microsecond', created_by, updated_by
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::text[])
    AS row(tenant, environment, id, plan, lookup, name, description, metadata, status, version, created, updated,
           created_by, updated_by)
  WHERE version = 1 OR EXISTS (SELECT 1 FROM addons a WHERE a.tenant_id = tenant AND a.environment_id = environment
                                 AND a.id = row.id OFFSET 0)
  ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET
    lookup_key = excluded.lookup_key, name = excluded.name, description = excluded.description,
    metadata = excluded.metadata, status = excluded.status, version = excluded.version,
    updated_at = excluded.updated_at, updated_by = excluded.updated_by
  WHERE addons.version = excluded.version - 1
  RETURNING tenant_id, environment_id, id)"};

constexpr Statement kPrices{"prices", R"(
  INSERT INTO prices (tenant_id, environment_id, id, plan_id, currency, amount, billing_period, billing_period_count,
                      metered, tier_mode, tiers, transform_quantity, display_name, metadata, status, version,
                      created_at, updated_at)
  SELECT tenant, environment, id, plan, currency, amount, period, count, metered, tier_mode, tiers::jsonb,
         transform::jsonb, display, metadata::jsonb, status, version,
         'epoch'::timestamptz + created * interval '1 microsecond',
         'epoch'::timestamptz + updated * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::text[], $8::int[],
              $9::boolean[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
              $16::bigint[], $17::bigint[], $18::bigint[])
    AS row(tenant, environment, id, plan, currency, amount, period, count, metered, tier_mode, tiers, transform,
           display, metadata, status, version, created, updated)
  WHERE version = 1 OR EXISTS (SELECT 1 FROM prices p WHERE p.tenant_id = tenant AND p.environment_id = environment
                                 AND p.id = row.id OFFSET 0)
  ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET
    plan_id = excluded.plan_id, currency = excluded.currency, amount = excluded.amount,
    billing_period = excluded.billing_period, billing_period_count = excluded.billing_period_count,
    metered = excluded.metered, tier_mode = excluded.tier_mode, tiers = excluded.tiers,
    transform_quantity = excluded.transform_quantity, display_name = excluded.display_name,
    metadata = excluded.metadata, status = excluded.status, version = excluded.version,
    updated_at = excluded.updated_at
  WHERE prices.version = excluded.version - 1
  RETURNING tenant_id, environment_id, id)"};

constexpr Statement kSubscriptions{"subscriptions", R"(
  INSERT INTO subscriptions (tenant_id, environment_id, id, customer_id, plan_id, subscription_status, currency,
                             billing_period, billing_period_count, plan_item_id, price_id, quantity, start_date,
                             end_date, current_period_start, current_period_end, trial_start, trial_end,
                             billing_anchor, cancel_at, cancelled_at, cancel_at_period_end, collection_paused,
                             collection_method, metadata, seen_items, status, version, created_at, updated_at,
                             created_by, updated_by)
  SELECT tenant, environment, id, customer, plan, state, currency, period, count, item, price, quantity,
         'epoch'::timestamptz + start * interval '1 microsecond',
         'epoch'::timestamptz + ended * interval '1 microsecond',
         'epoch'::timestamptz + period_start * interval '1 microsecond',
         'epoch'::timestamptz + period_end * interval '1 microsecond',
         'epoch'::timestamptz + trial_start * interval '1 microsecond',
         'epoch'::timestamptz + trial_end * interval '1 microsecond',
         'epoch'::timestamptz + anchor * interval '1 microsecond',
         'epoch'::timestamptz + cancel * interval '1 microsecond',
         'epoch'::timestamptz + cancelled * interval '1 microsecond', at_period_end, paused, method,
         metadata::jsonb, seen::jsonb, status, version, 'epoch'::timestamptz + created * interval '1 microsecond',
         'epoch'::timestamptz + updated * interval '1 microsecond', created_by, updated_by
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::int[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
              $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[],
              $22::boolean[], $23::boolean[], $24::text[], $25::text[], $26::text[], $27::text[], $28::bigint[],
              $29::bigint[], $30::bigint[], $31::text[], $32::text[])
    AS row(tenant, environment, id, customer, plan, state, currency, period, count, item, price, quantity, start,
           ended, period_start, period_end, trial_start, trial_end, anchor, cancel, cancelled, at_period_end, paused,
           method, metadata, seen, status, version, created, updated, created_by, updated_by)
  WHERE version = 1 OR EXISTS (SELECT 1 FROM subscriptions s WHERE s.tenant_id = tenant
                                 AND s.environment_id = environment AND s.id = row.id OFFSET 0)
  ON CONFLICT (tenant_id, environment_id, id) DO UPDATE SET
    customer_id = excluded.customer_id, plan_id = excluded.plan_id,
    subscription_status = excluded.subscription_status, currency = excluded.currency,
    billing_period = excluded.billing_period, billing_period_count = excluded.billing_period_count,
    plan_item_id = excluded.plan_item_id, price_id = excluded.price_id, quantity = excluded.quantity,
    start_date = excluded.start_date, end_date = excluded.end_date,
    current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end,
    trial_start = excluded.trial_start, trial_end = excluded.trial_end, billing_anchor = excluded.billing_anchor,
    cancel_at = excluded.cancel_at, cancelled_at = excluded.cancelled_at,
    cancel_at_period_end = excluded.cancel_at_period_end, collection_paused = excluded.collection_paused,
    collection_method = excluded.collection_method, metadata = excluded.metadata, seen_items = excluded.seen_items,
    status = excluded.status, version = excluded.version, updated_at = excluded.updated_at,
    updated_by = excluded.updated_by
  WHERE subscriptions.version = excluded.version - 1
  RETURNING tenant_id, environment_id, id)"};

// What is no longer attached; the items that are travel as an array's text, one array a subscription. By the place of
// the rows, which nobody moves while the row of the subscription is locked: as a join, planned while the table was
// small, it went through the whole index.
constexpr Statement kDetach{"detach_addons", R"(
  DELETE FROM subscription_addons WHERE ctid = ANY (ARRAY(
    SELECT found.place
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS row(tenant, environment, id, attached)
      CROSS JOIN LATERAL (
        SELECT a.ctid AS place, a.item_id FROM subscription_addons a
        WHERE a.tenant_id = tenant AND a.environment_id = environment AND a.subscription_id = row.id
        OFFSET 0) AS found
    WHERE found.item_id <> ALL (row.attached::text[]))))"};

constexpr Statement kAttach{"attach_addons", R"(
  INSERT INTO subscription_addons AS a (tenant_id, environment_id, subscription_id, item_id, addon_id, price_id,
                                        quantity, start_date)
  SELECT tenant, environment, subscription, item, addon, price, quantity,
         'epoch'::timestamptz + start * interval '1 microsecond'
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])
    AS row(tenant, environment, subscription, item, addon, price, quantity, start)
  ON CONFLICT (tenant_id, environment_id, subscription_id, item_id) DO UPDATE SET
    addon_id = excluded.addon_id, price_id = excluded.price_id, quantity = excluded.quantity,
    start_date = excluded.start_date
  WHERE (a.addon_id, a.price_id, a.quantity, a.start_date) IS DISTINCT FROM
        (excluded.addon_id, excluded.price_id, excluded.quantity, excluded.start_date))"};

template <class Row>
std::vector<Owned<Row>> by_id(const Batch& batch, std::optional<Row> ChangeSet::*member) {
  return ordered_rows(batch, {member}, [](const Row& row) { return std::tie(row.id); });
}

// The addons of those subscriptions that were written; the others' change sets are refused.
void write_attached(pqxx::transaction_base& tx, const std::vector<Owned<Subscription>>& subscriptions,
                    const Written& written) {
  Table<4> detach;
  Table<8> attach;
  for (const auto& [scope, subscription] : subscriptions) {
    if (!contains(written, *scope, subscription->id.str())) {
      continue;
    }
    std::vector<std::string> items;
    for (const auto& addon : subscription->terms.addons) {
      items.push_back(addon.item_id.str());
      attach.row(scope->tenant.str(), scope->environment.str(), subscription->id.str(), addon.item_id.str(),
                 addon.addon_id.str(), addon.price_id.str(), addon.quantity, addon.start_date);
    }
    if (subscription->version > 1) {  // a new one has nothing to lose
      detach.row(scope->tenant.str(), scope->environment.str(), subscription->id.str(), text_array(items));
    }
  }
  detach.exec(tx, kDetach);
  attach.exec(tx, kAttach);
}

}  // namespace

void prepare_catalog(pqxx::connection& connection) {
  prepare(connection, std::array{kPlans, kAddons, kPrices, kSubscriptions, kDetach, kAttach});
}

Written write_plans(pqxx::transaction_base& tx, const Batch& batch) {
  Table<13> table;
  for (const auto& [scope, plan] : by_id(batch, &ChangeSet::plan)) {
    const auto& row = *plan;
    table.row(scope->tenant.str(), scope->environment.str(), row.id.str(), row.lookup_key, row.fields.name,
              row.fields.description, metadata_to_json(row.fields.metadata), to_string(row.status), row.version,
              row.created_at, row.updated_at, row.created_by, row.updated_by);
  }
  return written(table.exec(tx, kPlans));
}

Written write_addons(pqxx::transaction_base& tx, const Batch& batch) {
  Table<14> table;
  for (const auto& [scope, addon] : by_id(batch, &ChangeSet::addon)) {
    const auto& row = *addon;
    table.row(scope->tenant.str(), scope->environment.str(), row.id.str(), row.plan_id.str(), row.lookup_key,
              row.fields.name, row.fields.description, metadata_to_json(row.fields.metadata), to_string(row.status),
              row.version, row.created_at, row.updated_at, row.created_by, row.updated_by);
  }
  return written(table.exec(tx, kAddons));
}

Written write_prices(pqxx::transaction_base& tx, const Batch& batch) {
  Table<18> table;
  for (const auto& [scope, price] : by_id(batch, &ChangeSet::price)) {
    const auto& row = *price;
    table.row(scope->tenant.str(), scope->environment.str(), row.id.str(), row.plan_id.str(), row.currency, row.amount,
              to_string(row.billing_period), std::int64_t{row.billing_period_count}, row.metered, row.tier_mode,
              tiers_to_json(row.tiers), transform_to_json(row.transform_quantity), row.display_name,
              metadata_to_json(row.metadata), to_string(row.status), row.version, row.created_at, row.updated_at);
  }
  return written(table.exec(tx, kPrices));
}

Written write_subscriptions(pqxx::transaction_base& tx, const Batch& batch) {
  Table<32> table;
  const auto subscriptions = by_id(batch, &ChangeSet::subscription);
  for (const auto& [scope, subscription] : subscriptions) {
    const auto& row = *subscription;
    const auto& t = row.terms;
    table.row(scope->tenant.str(), scope->environment.str(), row.id.str(), t.customer_id.str(), t.plan_id.str(),
              to_string(t.subscription_status), t.currency, to_string(t.billing_period),
              std::int64_t{t.billing_period_count}, t.plan_item_id.str(), t.price_id.str(), t.quantity, t.start_date,
              t.end_date, t.current_period_start, t.current_period_end, t.trial_start, t.trial_end, t.billing_anchor,
              t.cancel_at, t.cancelled_at, t.cancel_at_period_end, t.collection_paused, t.collection_method,
              metadata_to_json(t.metadata), seen_items_to_json(row.seen_items), to_string(row.status), row.version,
              row.created_at, row.updated_at, row.created_by, row.updated_by);
  }
  auto keys = written(table.exec(tx, kSubscriptions));
  write_attached(tx, subscriptions, keys);
  return keys;
}

}  // namespace flexsync::store::changes
