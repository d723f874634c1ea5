// stripe-sim's events and webhook endpoints, driven by the official client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Stripe from 'stripe';

import { clientFor, startSim } from './lib/sim.mjs';
import { startReceiver } from './lib/receiver.mjs';

let sim;
let stripe;

before(async () => {
  sim = await startSim();
  stripe = sim.stripe;
});
after(() => sim?.stop());

const newest = async (client = stripe) => (await client.events.list({ limit: 1 })).data[0];

test('created: the whole object, and the request it came from', async () => {
  const customer = await stripe.customers.create({ name: 'A' }, { idempotencyKey: 'key-1' });
  const event = await newest();
  assert.match(event.id, /^evt_[0-9A-Za-z]{24}$/);
  const { requestId } = customer.lastResponse;
  assert.deepEqual(event, {
    id: event.id,
    object: 'event',
    api_version: Stripe.API_VERSION ?? '2026-10-28.endive',
    created: customer.created,
    data: { object: { ...customer } },
    livemode: false,
    pending_webhooks: 0,
    request: { id: requestId, idempotency_key: 'key-1' },
    type: 'customer.created',
  });
  assert.deepEqual({ ...(await stripe.events.retrieve(event.id)) }, event);
});

test('updated: previous_attributes hold exactly what changed, with the old values', async () => {
  const { id } = await stripe.customers.create({
    name: 'A',
    metadata: { keep: '1', change: '2', drop: '3' },
    address: { line1: 'L', city: 'C' },
  });
  const previousOf = async (params) => {
    const customer = await stripe.customers.update(id, params);
    const event = await newest();
    assert.equal(event.type, 'customer.updated');
    assert.deepEqual(event.data.object, { ...customer });
    return event.data.previous_attributes;
  };
  assert.deepEqual(await previousOf({ name: 'B', email: 'b@example.com' }), { name: 'A', email: null });
  assert.deepEqual(await previousOf({ metadata: { change: 'x', drop: '', add: 'y' } }), {
    metadata: { change: '2', drop: '3', add: null },
  });
  assert.deepEqual(await previousOf({ address: { city: 'D' } }), { address: { city: 'C' } });
  const address = { line1: 'L', line2: null, city: 'D', state: null, postal_code: null, country: null };
  assert.deepEqual(await previousOf({ address: '' }), { address });
  assert.deepEqual(await previousOf({ address: { line1: 'M' } }), { address: null });
  assert.deepEqual(await previousOf({ preferred_locales: ['de'] }), { preferred_locales: [] });
});

test('an update that changes nothing is no event', async () => {
  const { id } = await stripe.customers.create({ name: 'Same', metadata: { a: '1' } });
  const before = await newest();
  await stripe.customers.update(id, { name: 'Same', metadata: { a: '1' } });
  assert.equal((await newest()).id, before.id);
});

test('deleted: the last state of the object', async () => {
  const customer = await stripe.customers.create({ name: 'Last' });
  await stripe.customers.del(customer.id);
  const event = await newest();
  assert.equal(event.type, 'customer.deleted');
  assert.deepEqual(event.data, { object: { ...customer } });
});

test('lists: type, types, groups, created, pages, thirty days back', async () => {
  const other = clientFor(sim, 'sk_test_events');
  const ids = [];
  try {
    await sim.post('/_sim/clock', { freeze_at: 1_900_000_000 });
    for (let i = 0; i < 3; ++i) {
      const { id } = await other.customers.create();
      await other.customers.update(id, { name: 'x' });
      await other.customers.del(id);
      ids.push(id);
      await sim.post('/_sim/clock', { advance_seconds: 86_400 });
    }
    const types = async (params) => (await other.events.list({ limit: 100, ...params })).data.map(({ type }) => type);
    assert.equal((await types()).length, 9);
    assert.deepEqual(await types({ type: 'customer.deleted' }), Array(3).fill('customer.deleted'));
    assert.equal((await types({ types: ['customer.created', 'customer.updated'] })).length, 6);
    assert.equal((await types({ type: 'customer.*' })).length, 9);
    assert.equal((await types({ type: 'invoice.*' })).length, 0);
    assert.equal((await types({ created: { gte: 1_900_000_000 + 86_400 } })).length, 6);
    const paged = await other.events.list({ limit: 2 }).autoPagingToArray({ limit: 100 });
    assert.equal(new Set(paged.map(({ id }) => id)).size, 9);
    assert.equal(paged[0].data.object.id, ids[2]);

    await sim.post('/_sim/clock', { freeze_at: 1_900_000_000 + 31 * 86_400 });
    assert.equal((await types()).length, 6);
    await assert.rejects(other.events.retrieve(paged[8].id), { code: 'resource_missing' });
  } finally {
    await sim.post('/_sim/clock', { follow: true });
  }
});

test('delivery_success and pending_webhooks tell what is still to be delivered', async () => {
  const other = clientFor(sim, 'sk_test_pending');
  const receiver = await startReceiver();
  try {
    const endpoint = await other.webhookEndpoints.create({ url: receiver.url, enabled_events: ['customer.created'] });
    receiver.secret = endpoint.secret;
    await sim.post('/_sim/webhooks/faults', { next: [{ action: 'hold' }] });
    await other.customers.create();
    assert.equal((await newest(other)).pending_webhooks, 1);
    assert.equal((await other.events.list({ delivery_success: false })).data.length, 1);
    assert.equal((await other.events.list({ delivery_success: true })).data.length, 0);
    await sim.post('/_sim/webhooks/release');
    await sim.idle();
    assert.equal((await newest(other)).pending_webhooks, 0);
    assert.equal((await other.events.list({ delivery_success: true })).data.length, 1);
  } finally {
    await receiver.stop();
  }
});

test('webhook endpoints: create, read, update, delete; the secret is told once', async () => {
  const other = clientFor(sim, 'sk_test_endpoints');
  const created = await other.webhookEndpoints.create({
    url: 'http://127.0.0.1:9/hook',
    enabled_events: ['customer.created', 'customer.updated'],
    description: 'mine',
    metadata: { a: 'b' },
  });
  assert.match(created.secret, /^whsec_[0-9A-Za-z]{32}$/);
  const { secret, ...shown } = created;
  assert.deepEqual({ ...(await other.webhookEndpoints.retrieve(created.id)) }, shown);
  assert.deepEqual((await other.webhookEndpoints.list()).data, [shown]);
  const updated = await other.webhookEndpoints.update(created.id, { enabled_events: ['*'], disabled: true });
  assert.deepEqual(updated.enabled_events, ['*']);
  assert.equal(updated.status, 'disabled');
  assert.deepEqual({ ...(await other.webhookEndpoints.del(created.id)) }, {
    id: created.id,
    object: 'webhook_endpoint',
    deleted: true,
  });
  await assert.rejects(other.webhookEndpoints.retrieve(created.id), { code: 'resource_missing', statusCode: 404 });
});

test('webhook endpoints: wrong ones are refused, and at most sixteen', async () => {
  const other = clientFor(sim, 'sk_test_sixteen');
  const url = 'http://127.0.0.1:9/hook';
  const wrong = (params, expected) => assert.rejects(other.webhookEndpoints.create(params), expected);
  await wrong({ url: 'ftp://x', enabled_events: ['*'] }, { param: 'url', code: 'url_invalid' });
  await wrong({ url }, { param: 'enabled_events', code: 'parameter_missing' });
  await wrong({ enabled_events: ['*'] }, { param: 'url', code: 'parameter_missing' });
  await wrong({ url, enabled_events: ['customers'] }, { param: 'enabled_events' });
  for (let i = 0; i < 16; ++i) {
    await other.webhookEndpoints.create({ url, enabled_events: ['*'] });
  }
  await wrong({ url, enabled_events: ['*'] }, { message: /maximum of 16/ });
});
