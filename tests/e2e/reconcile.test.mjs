// What Stripe never told by any event is found by comparing, and repaired; comparing again finds nothing and writes
// nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { call, makePlace, provision, startServer } from './lib/flexsync.mjs';
import { findings, reconcile } from './lib/reconcile.mjs';
import { clientFor, startSim } from './lib/sim.mjs';
import { waitFor } from './lib/wait.mjs';

let sim;
let place;
const env = (more = {}) => ({
  FLEXSYNC_STRIPE_API_BASE: sim.base,
  FLEXSYNC_CATCH_UP_INTERVAL_SECONDS: '1',
  FLEXSYNC_RECONCILE_INTERVAL_SECONDS: '0',
  FLEXSYNC_RECONCILE_CALLS_PER_MINUTE: '6000',
  ...more,
});

before(async () => {
  sim = await startSim();
  place = makePlace();
});
after(async () => {
  await place?.remove();
  await sim?.stop();
});

// A tenant whose account has a product with two prices, customers, and a subscription, all of it mirrored.
async function mirrored(name, server) {
  const key = `sk_test_${name}`;
  const stripe = clientFor(sim, key);
  const tenant = await provision(server, { name, secretKey: key });
  const product = await stripe.products.create({ name: 'Gold' });
  const [price, dearer] = await Promise.all(
    [2000, 3000].map((amount) =>
      stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: amount, recurring: { interval: 'month' } }),
    ),
  );
  const spare = await stripe.products.create({ name: 'Spare' });
  const customer = await stripe.customers.create({ name: 'Ada', email: 'ada@example.com' });
  const leaving = await stripe.customers.create({ name: 'Leaving' });
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
  const world = { key, stripe, tenant, product, spare, price, dearer, customer, leaving, subscription };
  await waitFor(async () => (await list(server, tenant, 'subscriptions')).length === 1, 'the subscription');
  await settled(server, tenant);
  return world;
}

const list = async (server, tenant, what) =>
  (await call(server, 'GET', `/v1/${what}?limit=1000`, undefined, tenant.key)).items;

async function settled(server, tenant) {
  const open = async () => (await list(server, tenant, 'webhook-events')).filter(({ state }) => state === 'pending');
  await waitFor(async () => (await open()).length === 0, 'the events to settle');
}

const compare = (tenant, ...args) => reconcile(place, env(), tenant, ...args);

// Changes of every kind, and no event tells of any.
async function drift(world) {
  const { stripe, product, spare, price, dearer, customer, leaving, subscription } = world;
  await sim.post('/_sim/api/silence', { events: 1_000 });
  await stripe.products.update(product.id, { name: 'Platinum' });
  await stripe.products.del(spare.id);
  await stripe.customers.update(customer.id, { name: 'Ada Lovelace' });
  await stripe.customers.del(leaving.id);
  const made = await stripe.customers.create({ name: 'Silent' });
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0].id, price: dearer.id, quantity: 3 }],
  });
  await stripe.prices.update(price.id, { active: false });
  await sim.post('/_sim/api/silence', {});
  await sim.post('/_sim/clock', { advance_seconds: 60 }); // what Stripe lists is newer than what was last seen
  return made;
}

test('the command finds every difference, repairs them all, and the second run writes nothing', async () => {
  const server = await startServer(place, env());
  const world = await mirrored('command', server);
  const { tenant } = world;
  const equal = await compare(tenant);
  assert.equal(equal.code, 0, JSON.stringify(equal));
  assert.deepEqual(equal.findings, {});

  await drift(world);
  const differs = await compare(tenant);
  assert.equal(differs.code, 1, JSON.stringify(differs));
  assert.deepEqual(findings(differs), [
    'customer absent',
    'customer differs',
    'customer gone',
    'price differs',
    'product differs',
    'product gone',
    'subscription differs',
  ]);

  const before = (await list(server, tenant, 'webhook-events')).length;
  assert.equal((await compare(tenant)).code, 1);
  assert.equal((await list(server, tenant, 'webhook-events')).length, before, 'a report writes nothing');

  const repaired = await compare(tenant, '--repair');
  assert.equal(repaired.code, 0, JSON.stringify(repaired));
  await waitFor(
    async () => (await list(server, tenant, 'webhook-events')).length === before + repaired.differences.length,
    'the repairs to be read',
  );
  await settled(server, tenant);
  const names = (await list(server, tenant, 'customers')).map(({ name }) => name);
  assert.ok(names.includes('Ada Lovelace') && names.includes('Silent'), JSON.stringify(names));
  const plans = await list(server, tenant, 'plans');
  assert.ok(plans.some(({ name }) => name === 'Platinum'));
  assert.ok(!plans.some(({ name, status }) => name === 'Spare' && status === 'published'), JSON.stringify(plans));
  const [subscription] = await list(server, tenant, 'subscriptions');
  assert.ok(JSON.stringify(subscription).includes(world.dearer.id), JSON.stringify(subscription));

  const second = await compare(tenant, '--repair');
  assert.equal(second.code, 0);
  assert.deepEqual(second.differences, []);
  assert.equal((await list(server, tenant, 'webhook-events')).length, before + repaired.differences.length);
  assert.equal((await server.stop()).code, 0);
});

test('an item behind the ten that Stripe shows with a subscription is compared, too', async () => {
  const server = await startServer(place, env());
  const key = 'sk_test_wide';
  const stripe = clientFor(sim, key);
  const tenant = await provision(server, { name: 'wide', secretKey: key });
  const product = await stripe.products.create({ name: 'Parts' });
  const prices = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: i, recurring: { interval: 'month' } }),
    ),
  );
  const { id: customer } = await stripe.customers.create({ name: 'Wide' });
  const subscription = await stripe.subscriptions.create({ customer, items: prices.map(({ id }) => ({ price: id })) });
  assert.equal(subscription.items.data.length, 10);
  await waitFor(async () => (await list(server, tenant, 'subscriptions')).length === 1, 'the subscription');
  await settled(server, tenant);
  const equal = await compare(tenant);
  assert.equal(equal.code, 0, JSON.stringify(equal));

  const shown = new Set(subscription.items.data.map(({ id }) => id));
  const all = await stripe.subscriptionItems.list({ subscription: subscription.id, limit: 100 });
  await sim.post('/_sim/api/silence', { events: 1_000 });
  await stripe.subscriptionItems.update(all.data.find(({ id }) => !shown.has(id)).id, { quantity: 7 });
  await sim.post('/_sim/api/silence', {});
  await sim.post('/_sim/clock', { advance_seconds: 60 });
  const differs = await compare(tenant, '--repair');
  assert.deepEqual(findings(differs), ['subscription differs']);
  await settled(server, tenant);
  const second = await compare(tenant);
  assert.deepEqual([second.code, second.differences], [0, []]);
  assert.equal((await server.stop()).code, 0);
});

test('a customer that only the comparison finds may claim to be one of ours', async () => {
  const server = await startServer(place, env());
  const world = await mirrored('claimed', server);
  const { tenant, stripe } = world;
  const ours = await call(server, 'POST', '/v1/customers', { external_id: 'our-7', name: 'Ours' }, tenant.key);
  await sim.post('/_sim/api/silence', { events: 1_000 });
  const theirs = await stripe.customers.create({ name: 'Ours', metadata: { flexprice_customer_id: 'our-7' } });
  await sim.post('/_sim/api/silence', {});
  const found = await compare(tenant, '--repair');
  assert.deepEqual(findings(found), ['customer absent']);
  await settled(server, tenant);
  const named = (await list(server, tenant, 'customers')).filter(({ name }) => name === 'Ours');
  assert.deepEqual(named.map(({ id, metadata }) => [id, metadata.stripe_customer_id]), [[ours.id, theirs.id]]);
  assert.deepEqual((await compare(tenant)).differences, []);
  assert.equal((await server.stop()).code, 0);
});

test('a running server compares by itself', async () => {
  const server = await startServer(place, env());
  const world = await mirrored('rolling', server);
  await drift(world);
  assert.equal((await server.stop()).code, 0);
  const rolling = await startServer(place, env({ FLEXSYNC_RECONCILE_INTERVAL_SECONDS: '1' }));
  const repairs = async () =>
    (await list(rolling, world.tenant, 'webhook-events')).filter(({ type }) => type === 'flexsync.reconcile');
  const applied = async () => (await repairs()).filter(({ state }) => state === 'applied');
  await waitFor(async () => (await applied()).length === 7, 'seven repairs');
  // The rounds after the one that found them write nothing.
  const own = `tenant_id = '${world.tenant.tenant}' AND compared > 0 AND different = 0`;
  await waitFor(
    async () => (await place.cluster.rows(`SELECT 1 FROM reconcile_walks WHERE ${own}`)).length === 1,
    'a round that finds nothing',
  );
  assert.equal((await repairs()).length, 7);
  const names = (await list(rolling, world.tenant, 'customers')).map(({ name }) => name);
  assert.ok(names.includes('Ada Lovelace') && names.includes('Silent'), JSON.stringify(names));
  assert.equal((await rolling.stop()).code, 0);
});

test('another account’s key deletes nothing', async () => {
  const server = await startServer(place, env());
  const world = await mirrored('mistaken', server);
  const { connections } = await call(server, 'GET', '/v1/connections', undefined, world.tenant.key);
  const [{ id }] = connections;
  await call(
    server,
    'PUT',
    `/v1/connections/${id}`,
    { encrypted_secret_data: { secret_key: 'sk_test_another' } },
    world.tenant.key,
  );
  await sim.post('/_sim/clock', { advance_seconds: 60 }); // what is not listed is looked for
  const mistaken = await compare(world.tenant, '--repair');
  assert.equal(mistaken.code, 1);
  assert.match(mistaken.stderr, /another account/);
  assert.deepEqual((await list(server, world.tenant, 'plans')).map(({ status }) => status).sort(), [
    'published',
    'published',
  ]);
  assert.equal((await server.stop()).code, 0);
});

test('a Stripe that cannot be asked is no difference', async () => {
  const server = await startServer(place, env());
  const world = await mirrored('away', server);
  const run = await reconcile(place, env({ FLEXSYNC_STRIPE_API_BASE: 'http://127.0.0.1:9' }), world.tenant);
  assert.equal(run.code, 3, run.stderr);
  assert.match(run.stderr, /127\.0\.0\.1:9/);
  assert.equal((await server.stop()).code, 0);
});
