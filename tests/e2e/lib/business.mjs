// One of several tenants of a server, with its own Stripe account in the simulator: customers whose every change has a
// number, so that Stripe's events show in which order they were told, and usage of windows that are over.
import assert from 'node:assert/strict';

import { ApiTraffic } from './api_traffic.mjs';
import { provision } from './flexsync.mjs';
import { Ledger } from './ledger.mjs';
import { makeMeters } from './meters.mjs';
import { clientFor } from './sim.mjs';
import { UsageLedger } from './usage_ledger.mjs';

const usageAgoMs = 3_600_000; // its window is over
const usageShare = 0.25;
const createShare = 0.2;

// Settings under which usage of an hour ago is billed at once.
export const promptUsage = {
  FLEXSYNC_USAGE_WINDOW_MINUTES: '5',
  FLEXSYNC_USAGE_CLOSE_INTERVAL_MS: '200',
  STRIPE_SYNC_GRACE_PERIOD_MINUTES: '0',
};

export class Business extends ApiTraffic {
  static async open({ server, place, sim, name, random, ...options }) {
    const stripeKey = `sk_test_${name}`;
    const tenant = await provision(server, { name, outbound: true, secretKey: stripeKey });
    const business = new Business({ base: server.base, key: tenant.key, random, workers: 1, ...options });
    const objects = (kind) => sim.objects(kind, stripeKey);
    Object.assign(business, { sim, name, stripeKey, tenant, objects, versions: new Map() });
    business.ledger = new Ledger(place.cluster, tenant);
    business.usageLedger = new UsageLedger(place.cluster, { objects }, tenant);
    business.meters = await makeMeters(server, clientFor(sim, stripeKey), tenant.key);
    business.usageTime = new Date(Date.now() - usageAgoMs).toISOString();
    business.metered = [await business.create(), await business.create()];
    return business;
  }

  async create() {
    const external = `${this.name}-${++this.made}`;
    const fields = { external_id: external, name: 'v0', email: `${external}@example.com` };
    const { id } = await this.expect(201, 'POST', '/v1/customers', fields);
    this.customers.push({ id, external });
    this.versions.set(id, 0);
    return external;
  }

  // Each change after the one before it; `wait` for Stripe's answer. Returns {id, version}.
  async update({ wait = false } = {}) {
    const { id } = this.pick(this.customers);
    const version = this.versions.get(id) + 1;
    this.versions.set(id, version);
    ++this.changes;
    await this.expect(200, 'PUT', `/v1/customers/${id}${wait ? '?wait=true' : ''}`, { name: `v${version}` });
    return { id, version };
  }

  async act() {
    const choice = this.random();
    if (choice < usageShare) {
      await this.usage();
    } else if (choice < usageShare + createShare) {
      await this.create();
    } else {
      await this.update();
    }
  }

  outbox(state = 'ready') {
    return this.expect(200, 'GET', `/v1/outbox?state=${state}&limit=1000`);
  }

  batches(status = 'pending') {
    return this.expect(200, 'GET', `/v1/stripe/sync/batches?status=${status}&limit=1000`);
  }

  // Stripe's customer that is ours, as it is now.
  async inStripe(id) {
    return (await this.objects('customer')).find((object) => object.metadata?.flexprice_customer_id === id);
  }

  async waitUntilDrained(ms) {
    await this.ledger.waitUntilOutboxIsEmpty(ms);
    await this.usageLedger.waitUntilBilled(ms);
  }

  // Every customer once in Stripe, its changes told one by one in the order in which they were made, all usage once.
  async assertToldInOrder() {
    const events = (await this.objects('event')).filter(({ type }) => type.startsWith('customer.'));
    await this.ledger.assertMadeOnce(events);
    const told = new Map([...this.versions.keys()].map((id) => [id, []]));
    for (const { data } of events) {
      told.get(data.object.metadata.flexprice_customer_id).push(data.object.name);
    }
    for (const [id, version] of this.versions) {
      const wanted = Array.from({ length: version + 1 }, (_, i) => `v${i}`);
      assert.deepEqual(told.get(id), wanted, `${id}: what Stripe was told, in order`);
    }
    await this.ledger.assertMappingsAreBijection((await this.objects('customer')).map((object) => object.id));
    await this.usageLedger.assertBilledOnce(this.ingested, this.meters);
  }

  // What its account has been asked since the simulator's counts began.
  async asked() {
    return (await this.sim.stats(this.stripeKey)) ?? { requests: 0, rate_limited: 0, peak_per_second: 0 };
  }
}
