// Usage after any fault: every acknowledged event in one rollup, every rollup in its batches, every batch once in
// Stripe.
import assert from 'node:assert/strict';

import { waitFor } from './wait.mjs';

const billedMsMax = 60_000;

export class UsageLedger {
  constructor(cluster, sim, { tenant, environment }) {
    Object.assign(this, { cluster, sim });
    this.own = `(tenant_id, environment_id) = ('${tenant}', '${environment}')`;
  }

  async waitUntilBilled(ms = billedMsMax) {
    const left = `SELECT (SELECT count(*) FROM usage_rollups WHERE ${this.own} AND pending)
                       + (SELECT count(*) FROM stripe_sync_batches WHERE ${this.own} AND status = 'pending')`;
    let count;
    await waitFor(async () => (count = await this.cluster.value(left)) === 0, () => `${count} to be billed`, ms);
  }

  // `expected`: {external id → {count, sum}}; `meters`: {Stripe meter id → 'count' or 'sum'}.
  async assertBilledOnce(expected, meters) {
    const rows = await this.cluster.rows(
      `SELECT c.external_id, m.stripe_meter_id, sum(r.quantity)::float8 AS quantity,
              sum(r.batched_quantity)::float8 AS batched,
              (SELECT sum(b.value)::float8 FROM stripe_sync_batches b
               WHERE b.tenant_id = r.tenant_id AND b.environment_id = r.environment_id
                 AND b.customer_id = r.customer_id AND b.meter_id = r.meter_id AND b.status = 'sent') AS sent,
              max(e.provider_entity_id) AS stripe_id
       FROM usage_rollups r JOIN customers c USING (tenant_id, environment_id)
         JOIN meter_mappings m USING (tenant_id, environment_id)
         JOIN entity_integration_mappings e USING (tenant_id, environment_id)
       WHERE (r.tenant_id, r.environment_id) IN (SELECT tenant_id, environment_id FROM environments WHERE ${this.own})
         AND c.id = r.customer_id AND m.meter_id = r.meter_id AND e.entity_id = r.customer_id
       GROUP BY r.tenant_id, r.environment_id, r.customer_id, r.meter_id, c.external_id, m.stripe_meter_id`,
    );
    assert.equal(rows.length, expected.size * Object.keys(meters).length, 'a rollup for each customer and meter');
    const events = await this.sim.objects('billing.meter_event');
    const identifiers = events.map((event) => event.identifier);
    assert.equal(new Set(identifiers).size, identifiers.length, 'an identifier was accepted twice');
    for (const row of rows) {
      const what = `${row.external_id}, ${meters[row.stripe_meter_id]}`;
      const wanted = expected.get(row.external_id)[meters[row.stripe_meter_id]];
      const accepted = events
        .filter((event) => event.customer === row.stripe_id && event.meter === row.stripe_meter_id)
        .reduce((sum, event) => sum + Number(event.value), 0);
      assert.equal(row.quantity, wanted, `${what}: rolled up what was acknowledged`);
      assert.equal(row.batched, wanted, `${what}: batched what was rolled up`);
      assert.equal(row.sent, wanted, `${what}: sent what was batched`);
      assert.equal(accepted, wanted, `${what}: Stripe accepted what was sent`);
    }
    return { events: [...expected.values()].reduce((sum, { count }) => sum + count, 0), meterEvents: events.length };
  }
}
