// Thin events name an object, and Stripe is asked what it is like; with their snapshot twins they are one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { call, makePlace, provision, startServer } from './lib/flexsync.mjs';
import { clientFor, startSim } from './lib/sim.mjs';
import { waitFor } from './lib/wait.mjs';
import { deliver } from './lib/webhooks.mjs';

let sim;
let place;
let server;
let tenant;
let stripe;

before(async () => {
  sim = await startSim();
  place = makePlace();
  server = await startServer(place, {
    FLEXSYNC_STRIPE_API_BASE: sim.base,
    FLEXSYNC_CATCH_UP_INTERVAL_SECONDS: '0',
    FLEXSYNC_RECONCILE_INTERVAL_SECONDS: '0',
  });
  stripe = clientFor(sim, 'sk_test_thin');
  tenant = await provision(server, { name: 'Thin', secretKey: 'sk_test_thin' });
});
after(async () => {
  await place?.remove();
  await sim?.stop();
});

let events = 0;

function thin(type, object, more = {}) {
  return {
    id: `evt_thin_${++events}`,
    object: 'v2.core.event',
    type: `v1.${type}`,
    created: new Date().toISOString(),
    livemode: false,
    related_object: { id: object.id, type: object.object, url: `/v1/${object.object}s/${object.id}` },
    ...more,
  };
}

async function settled(event) {
  assert.equal((await deliver(server, tenant, event)).status, 200);
  const id = event.snapshot_event ?? event.id;
  return waitFor(async () => {
    const shown = await call(server, 'GET', `/v1/webhook-events/${id}`, undefined, tenant.key).catch(() => ({}));
    return shown.state && shown.state !== 'pending' && shown;
  }, `${id} to settle`);
}

const customers = async () =>
  (await call(server, 'GET', '/v1/customers?limit=100', undefined, tenant.key)).items.map(({ name }) => name);

test('what a thin event names is fetched: made, changed, and deleted', async () => {
  const customer = await stripe.customers.create({ name: 'Ada' });
  assert.equal((await settled(thin('customer.created', customer))).state, 'applied');
  assert.deepEqual(await customers(), ['Ada']);
  await stripe.customers.update(customer.id, { name: 'Ada Lovelace' });
  assert.equal((await settled(thin('customer.updated', customer))).state, 'applied');
  assert.deepEqual(await customers(), ['Ada Lovelace']);
  assert.equal((await settled(thin('customer.updated', customer))).state, 'unchanged');

  const product = await stripe.products.create({ name: 'Gold' });
  assert.equal((await settled(thin('product.created', product))).state, 'applied');
  await stripe.products.del(product.id);
  assert.equal((await settled(thin('product.deleted', product))).state, 'applied');
  assert.equal((await settled(thin('product.updated', product))).state, 'superseded');
});

test('a thin event and its snapshot twin are one event, whichever comes first', async () => {
  const customer = await stripe.customers.create({ name: 'Twin' });
  const [snapshot] = (await stripe.events.list({ type: 'customer.created', limit: 1 })).data;
  const first = await settled(thin('customer.created', customer, { snapshot_event: snapshot.id }));
  assert.equal(first.state, 'applied');
  const second = await settled(JSON.parse(JSON.stringify(snapshot)));
  assert.equal(second.type, 'v1.customer.created');
  const { items } = await call(server, 'GET', `/v1/webhook-events?object_id=${customer.id}`, undefined, tenant.key);
  assert.equal(items.length, 1);
});

test('a price that a thin event names is its product’s', async () => {
  const product = await stripe.products.create({ name: 'Silver' });
  await settled(thin('product.created', product));
  const price = await stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 700, nickname: 'old' });
  assert.equal((await settled(thin('price.created', price))).state, 'applied');
  await stripe.prices.update(price.id, { nickname: 'new' });
  assert.equal((await settled(thin('price.updated', price))).state, 'applied');
  const plans = await call(server, 'GET', '/v1/plans?limit=100&expand=prices', undefined, tenant.key);
  const { prices } = plans.items.find(({ name }) => name === 'Silver');
  assert.deepEqual(prices.map(({ id, display_name: name }) => [id, name]), [[price.id, 'new']]);
});

test('a customer that a thin event names may claim to be one of ours', async () => {
  const ours = await call(server, 'POST', '/v1/customers', { external_id: 'our-7', name: 'Ours' }, tenant.key);
  const customer = await stripe.customers.create({ name: 'Ours', metadata: { flexprice_customer_id: 'our-7' } });
  assert.equal((await settled(thin('customer.created', customer))).state, 'applied');
  const stored = await call(server, 'GET', `/v1/customers/${ours.id}`, undefined, tenant.key);
  assert.equal(stored.metadata.stripe_customer_id, customer.id);
  assert.equal((await customers()).filter((name) => name === 'Ours').length, 1);
});

test('what Stripe does not know is for a person, what is not mirrored is deferred', async () => {
  const ghost = await settled(thin('customer.updated', { id: 'cus_ghost', object: 'customer' }));
  assert.equal(ghost.state, 'dead', JSON.stringify(ghost));
  assert.match(JSON.stringify(ghost), /Stripe does not know/);
  const price = await settled(thin('price.updated', { id: 'price_1', object: 'price' }));
  assert.equal(price.state, 'dead', JSON.stringify(price));
  assert.match(JSON.stringify(price), /Stripe does not know/);
  const meter = await settled(thin('billing.meter.error_report_triggered', { id: 'mtr_1', object: 'billing.meter' }));
  assert.equal(meter.state, 'deferred');
});
