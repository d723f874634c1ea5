// What must hold in the database after any fault, read past the server: each acknowledged event stored once, each
// effect once, mappings a bijection, nothing left undone.
import assert from 'node:assert/strict';

import { CatalogLedger } from './catalog_ledger.mjs';
import { waitFor } from './wait.mjs';
import { customerFields } from './customer_fields.mjs';

const settledMsMax = 60_000;

// Every kind of entity that has versions and audit rows, and where it is kept.
const tables = {
  customer: 'customers', plan: 'plans', addon: 'addons', price: 'prices', subscription: 'subscriptions',
};

const mirrored = ['name', 'email', 'contact', 'address_line1', 'address_line2', 'address_city', 'address_state',
  'address_postal_code', 'address_country'];

export class Ledger {
  constructor(cluster, { tenant, environment }) {
    this.cluster = cluster;
    this.of = (alias) => `${alias}.tenant_id = '${tenant}' AND ${alias}.environment_id = '${environment}'`;
    this.own = `(tenant_id, environment_id) = ('${tenant}', '${environment}')`;
  }

  inboxCount() {
    return this.cluster.value(`SELECT count(*) FROM inbox WHERE ${this.own}`);
  }

  unsettledCount() {
    return this.cluster.value(
      `SELECT count(*) FROM inbox i LEFT JOIN inbox_outcomes o USING (tenant_id, environment_id, seq)
       WHERE ${this.of('i')} AND i.ignored_reason = '' AND coalesce(o.outcome, 'parked') = 'parked'`,
    );
  }

  async waitUntilSettled(ms = settledMsMax) {
    let left;
    await waitFor(async () => (left = await this.unsettledCount()) === 0, () => `${left} events to be settled`, ms);
  }

  async storedEvents() {
    const rows = await this.cluster.rows(`SELECT event_id FROM inbox WHERE ${this.own}`);
    return rows.map((row) => row.event_id);
  }

  // Each acknowledged event is stored, and none twice.
  async assertStoredOnce(acknowledged) {
    const stored = await this.storedEvents();
    const distinct = new Set(stored);
    assert.equal(stored.length, distinct.size, 'an event is stored twice');
    const lost = [...acknowledged].filter((id) => !distinct.has(id));
    assert.deepEqual(lost, [], `${lost.length} events were answered 200 and are not stored`);
    return stored;
  }

  async assertNothingFailed() {
    assert.deepEqual(await this.cluster.rows(`SELECT * FROM parked_events WHERE ${this.own}`), [], 'parked events');
    const outcomes = await this.cluster.rows(
      `SELECT outcome, count(*) FROM inbox_outcomes WHERE ${this.own} GROUP BY outcome ORDER BY outcome`,
    );
    const wanted = ['applied', 'unchanged', 'superseded', 'ignored'];
    const unwanted = outcomes.filter(({ outcome }) => !wanted.includes(outcome));
    assert.deepEqual(unwanted, [], 'outcomes that no customer event should have');
    return outcomes;
  }

  // Nothing waits for Stripe, and Stripe has refused nothing.
  async waitUntilOutboxIsEmpty(ms = settledMsMax) {
    const ready = `SELECT count(*) FROM outbox WHERE ${this.own} AND state = 'ready'`;
    let left;
    const isEmpty = async () => (left = await this.cluster.value(ready)) === 0;
    await waitFor(isEmpty, () => `${left} intents to be settled`, ms);
    const refused = `SELECT operation, error_code, error_message FROM outbox WHERE ${this.own} AND state = 'refused'`;
    assert.deepEqual(await this.cluster.rows(refused), [], 'refused intents');
  }

  // Each customer that was made here was made once in Stripe, whatever died in between. `events`: all of Stripe's.
  async assertMadeOnce(events) {
    const made = new Map();
    for (const { type, data } of events) {
      const ours = data.object.metadata?.flexprice_customer_id;
      if (type === 'customer.created' && ours) {
        made.set(ours, (made.get(ours) ?? 0) + 1);
      }
    }
    const rows = await this.cluster.rows(
      `SELECT id FROM customers WHERE ${this.own} AND created_by LIKE 'api_key:%' ORDER BY id`,
    );
    assert.deepEqual(
      rows.map(({ id }) => [id, made.get(id)]),
      rows.map(({ id }) => [id, 1]),
      'how often each was made in Stripe',
    );
    assert.equal(made.size, rows.length, 'Stripe has customers of ours that we do not have');
  }

  // One 'create' and one 'map' per entity; per event and entity each action once; as many versions as changes were
  // audited (of a subscription at least: what it remembers of its items is not audited).
  async assertEffectsOnce() {
    const audit = `audit_log WHERE ${this.own} AND entity_type IN (${Object.keys(tables).map((name) => `'${name}'`)})`;
    const none = async (sql, what) => assert.deepEqual(await this.cluster.rows(`${sql} LIMIT 5`), [], what);
    await none(
      `SELECT entity_type, entity_id, action, count(*) FROM ${audit} AND action IN ('create', 'map', 'unmap')
       GROUP BY entity_type, entity_id, action HAVING count(*) > 1`,
      'created or mapped more than once',
    );
    await none(
      `SELECT actor, entity_type, entity_id, action, count(*) FROM ${audit} AND actor NOT LIKE 'api_key:%'
       GROUP BY actor, entity_type, entity_id, action HAVING count(*) > 1`,
      'an event took effect more than once',
    );
    for (const [type, table] of Object.entries(tables)) {
      const isExact = type !== 'subscription';
      const differs = isExact ? 'c.version IS DISTINCT FROM a.changes' : 'coalesce(c.version < a.changes, true)';
      await none(
        `SELECT c.id, c.version, a.changes FROM (SELECT * FROM ${table} WHERE ${this.own}) c
         LEFT JOIN (SELECT entity_id, count(*) AS changes, count(*) FILTER (WHERE action = 'create') AS created
                    FROM ${audit} AND entity_type = '${type}' AND action IN ('create', 'update', 'delete')
                    GROUP BY entity_id) a ON a.entity_id = c.id
         WHERE ${differs} OR a.created IS DISTINCT FROM 1`,
        `a ${type} whose versions are not the audited changes`,
      );
      await none(
        `SELECT a.entity_id FROM (SELECT DISTINCT entity_id FROM ${audit} AND entity_type = '${type}') a
         WHERE NOT EXISTS (SELECT 1 FROM ${table} c WHERE ${this.of('c')} AND c.id = a.entity_id)`,
        `an audited ${type} that does not exist`,
      );
    }
    await none(
      `SELECT m.entity_type, m.entity_id FROM (SELECT * FROM entity_integration_mappings WHERE ${this.own}) m
       LEFT JOIN (SELECT entity_type, entity_id, count(*) AS maps FROM ${audit} AND action = 'map'
                  GROUP BY entity_type, entity_id) a USING (entity_type, entity_id)
       WHERE a.maps IS DISTINCT FROM 1`,
      'a mapping without its one audit row',
    );
  }

  // One live mapping per entity and per Stripe id; exactly the Stripe ids in `live` have one of this type.
  async assertMappingsAreBijection(live, type = 'customer') {
    const mappings = await this.cluster.rows(
      `SELECT entity_id, provider_entity_id FROM entity_integration_mappings
       WHERE ${this.own} AND entity_type = '${type}' AND status = 'published'`,
    );
    const count = (key) => new Set(mappings.map((mapping) => mapping[key])).size;
    assert.equal(count('entity_id'), mappings.length, `a ${type} with two live mappings`);
    assert.equal(count('provider_entity_id'), mappings.length, `a Stripe id with two live mappings of a ${type}`);
    assert.deepEqual(
      mappings.map((mapping) => mapping.provider_entity_id).sort(),
      [...live].sort(),
      `the live mappings of the ${type} are not those of the live Stripe objects`,
    );
  }

  // Our customers by the Stripe id they mirror: {stripe id → {deleted, name, email …, metadata}}.
  async customers() {
    const rows = await this.cluster.rows(
      `SELECT s.stripe_id, s.deleted, c.* FROM (SELECT * FROM stripe_objects WHERE ${this.own}) s
       JOIN (SELECT * FROM customers WHERE ${this.own}) c ON c.id = s.entity_id`,
    );
    const total = await this.cluster.value(`SELECT count(*) FROM customers WHERE ${this.own}`);
    assert.equal(rows.length, total, 'as many customers as mirrored Stripe customers');
    return new Map(
      rows.map((row) => {
        const { stripe_customer_id: link, ...metadata } = row.metadata;
        assert.equal(link, row.stripe_id, 'metadata.stripe_customer_id');
        const fields = Object.fromEntries(mirrored.map((name) => [name, row[name]]));
        return [row.stripe_id, { deleted: row.deleted, ...fields, metadata }];
      }),
    );
  }

  // `wanted`: {stripe id → Stripe's object}. A deleted customer keeps its last state, which Stripe does not tell; one
  // that was let go (a set of Stripe ids) is told no more.
  async assertCustomersEqual(wanted, letGo = new Set()) {
    const ours = await this.customers();
    assert.deepEqual([...ours.keys()].sort(), [...wanted.keys()].sort(), 'the customers there are');
    for (const [id, object] of wanted) {
      const customer = ours.get(id);
      assert.equal(customer.deleted, object.deleted ?? false, `${id}: deleted`);
      if (!object.deleted && !letGo.has(id)) {
        assert.deepEqual(customer, { deleted: false, ...fieldsOf(object) }, id);
      }
    }
  }

  // All of it, for a load whose model is known.
  async assertEqualsLoad(load) {
    await this.waitUntilSettled();
    const stored = await this.assertStoredOnce(load.acknowledged);
    await this.assertNothingFailed();
    await this.assertEffectsOnce();
    const expected = load.expected(stored);
    await this.assertMappingsAreBijection(expected.keys());
    await this.assertCustomersEqual(expected);
    if (load.mixed) {
      const all = (type) => [...load.expected(stored, type).values()];
      const sold = { products: all('product'), prices: all('price'), subscriptions: all('subscription') };
      assert.ok(sold.subscriptions.length > 0, 'no subscription was ever made');
      await new CatalogLedger(this).assertEqual(sold, load.planItems());
    }
    return stored;
  }
}

// Stripe's customer in FlexPrice's words.
function fieldsOf(object) {
  return {
    ...customerFields(object),
    metadata: Object.fromEntries(
      Object.entries(object.metadata ?? {}).filter(([key]) => !key.startsWith('flexprice_')),
    ),
  };
}
