// stripe-sim's deliveries and the faults it can be asked for. No test sleeps: each waits for a condition.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import Stripe from 'stripe';

import { startReceiver } from './lib/receiver.mjs';
import { startSim } from './lib/sim.mjs';

let sim;
let receiver;
let stripe;
let endpoint;

beforeEach(async () => {
  receiver = await startReceiver();
  sim = await startSim(['--retry-base-ms', '5', '--retry-cap-ms', '20', '--seed', '42']);
  stripe = sim.stripe;
  endpoint = await sim.connect(receiver);
});
afterEach(async () => {
  await sim?.stop();
  await receiver?.stop();
});

async function createCustomers(count) {
  const ids = [];
  for (let i = 0; i < count; ++i) {
    ids.push((await stripe.customers.create({ name: `c${i}` })).id);
  }
  return ids;
}

// Of every event there is, oldest first.
async function eventIds() {
  const events = await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 });
  return events.map(({ id }) => id).reverse();
}

const sorted = (values) => [...values].sort();
const customersSeen = () => receiver.events.map((event) => event.data.object.id);

test('deliveries are signed, and carry the event as it was', async () => {
  const customer = await stripe.customers.create({ name: 'Signed ✓' });
  await receiver.until(() => receiver.events.length === 1, 'the event');
  const { headers } = receiver.attempts[0];
  assert.match(headers['stripe-signature'], /^t=\d+,v1=[0-9a-f]{64}$/);
  assert.match(headers['user-agent'], /^Stripe\/1\.0/);
  assert.match(headers['content-type'], /^application\/json/);
  const [event] = receiver.events;
  assert.equal(event.type, 'customer.created');
  assert.equal(event.pending_webhooks, 1);
  assert.deepEqual(event.data.object, { ...customer });
});

test('a wrong secret is noticed, and a rolled one signs with both', async () => {
  await stripe.customers.create();
  await receiver.until(() => receiver.attempts.length === 1, 'the event');
  const { body, headers } = receiver.attempts[0];
  assert.throws(
    () => stripe.webhooks.constructEvent(body, headers['stripe-signature'], 'whsec_wrong'),
    Stripe.errors.StripeSignatureVerificationError,
  );
  await sim.post(`/_sim/webhook_endpoints/${endpoint.id}/secrets`, { secrets: ['whsec_new', receiver.secret] });
  await stripe.customers.create();
  await receiver.until(() => receiver.attempts.length === 2, 'the second event');
  const rolled = receiver.attempts[1];
  for (const secret of ['whsec_new', receiver.secret]) {
    stripe.webhooks.constructEvent(rolled.body, rolled.headers['stripe-signature'], secret);
  }
});

test('the signature follows the simulated clock when asked to', async () => {
  await sim.post('/_sim/clock', { freeze_at: 1_500_000_000 });
  await sim.post('/_sim/webhooks/settings', { signature_time: 'sim', tries_max: 1 });
  await stripe.customers.create();
  await sim.idle();
  assert.match(receiver.refused[0].error.message, /Timestamp outside the tolerance zone/);
});

test('only the enabled events come, and none to a deleted endpoint', async () => {
  await stripe.webhookEndpoints.update(endpoint.id, { enabled_events: ['customer.deleted'] });
  const { id } = await stripe.customers.create();
  await stripe.customers.del(id);
  await sim.idle();
  assert.deepEqual(receiver.events.map(({ type }) => type), ['customer.deleted']);
  await stripe.webhookEndpoints.del(endpoint.id);
  const other = await stripe.customers.create();
  await stripe.customers.del(other.id);
  await sim.idle();
  assert.equal(receiver.events.length, 1);
});

test('what is not answered with 2xx is tried again, with the same bytes', async () => {
  const statuses = [500, 404, 302, 200];
  receiver.answer = (event, number) => statuses[number - 1];
  await stripe.customers.create();
  await sim.idle();
  assert.deepEqual(receiver.attempts.map(({ status }) => status), statuses);
  assert.equal(new Set(receiver.attempts.map(({ body }) => body)).size, 1);
  const { data, counts } = await sim.get('/_sim/webhooks/deliveries');
  assert.deepEqual(data.map(({ outcome, status }) => [outcome, status]), [
    ['failed', 500],
    ['failed', 404],
    ['failed', 302],
    ['delivered', 200],
  ]);
  assert.deepEqual(counts, { delivered: 1, failed: 3 });
});

test('an endpoint that is down gets its events when it is back; after the last try it is given up', async () => {
  await receiver.stop();
  await sim.post('/_sim/webhooks/settings', { tries_max: 10_000 });
  await stripe.customers.create();
  await assert.rejects(sim.idle(100), { status: 504 });
  const [first] = (await sim.get('/_sim/webhooks/deliveries')).data;
  assert.equal(first.status, 0);
  assert.match(first.error, /connect/i);
  const [eventId] = await eventIds();
  const back = await startReceiver();
  await stripe.webhookEndpoints.update(endpoint.id, { url: back.url });
  back.secret = receiver.secret;
  receiver = back;
  await receiver.until(() => receiver.ids().includes(eventId), 'the event');

  await sim.post('/_sim/webhooks/settings', { tries_max: 3 });
  receiver.answer = () => 500;
  await stripe.customers.create();
  await sim.idle();
  const { data } = await sim.get(`/_sim/webhooks/deliveries?outcome=given_up`);
  assert.equal(data.length, 1);
  assert.equal(data[0].attempt, 3);
});

test('a dropped delivery is tried again', async () => {
  await sim.post('/_sim/webhooks/faults', { next: [{ action: 'drop', times: 2 }] });
  await createCustomers(2);
  await sim.idle();
  assert.deepEqual(sorted(receiver.ids()), sorted(await eventIds()));
  const { counts } = await sim.get('/_sim/webhooks/deliveries');
  assert.deepEqual(counts, { delivered: 2, dropped: 2 });
});

test('a lost delivery never comes, and stays pending; a resend brings it', async () => {
  await sim.post('/_sim/webhooks/faults', { next: [{ action: 'drop', lost: true }] });
  await createCustomers(2);
  await sim.idle();
  const [lost, delivered] = await eventIds();
  assert.deepEqual(receiver.ids(), [delivered]);
  assert.deepEqual((await stripe.events.list({ delivery_success: false })).data.map(({ id }) => id), [lost]);
  assert.deepEqual(await sim.post(`/_sim/events/${lost}/resend`), { endpoints: [endpoint.id] });
  await sim.idle();
  assert.deepEqual(receiver.ids(), [delivered, lost]);
  assert.equal((await stripe.events.list({ delivery_success: false })).data.length, 0);
});

test('duplicates come with the same id and the same bytes', async () => {
  await sim.post('/_sim/webhooks/faults', { duplicate: 1 });
  await createCustomers(3);
  await sim.idle();
  assert.equal(receiver.events.length, 6);
  for (const id of await eventIds()) {
    const copies = receiver.attempts.filter((attempt) => attempt.id === id);
    assert.equal(copies.length, 2);
    assert.equal(copies[0].body, copies[1].body);
  }
});

test('held deliveries go when they are released, in the order asked for', async () => {
  await sim.post('/_sim/webhooks/faults', { next: [{ action: 'hold', count: 12 }] });
  await createCustomers(12);
  assert.equal((await sim.idle()).held, 12);
  assert.equal(receiver.events.length, 0);
  const all = await eventIds();
  const order = [all[2], all[0], all[1]];
  assert.deepEqual(await sim.post('/_sim/webhooks/release', { order }), { released: 3 });
  await sim.idle();
  assert.deepEqual(receiver.ids(), order);
  await assert.rejects(sim.post('/_sim/webhooks/release', { order: [all[3], all[0]] }), /No delivery of the event/);
  assert.equal((await sim.idle()).held, 9);
  assert.deepEqual(await sim.post('/_sim/webhooks/release', { order: 'reversed' }), { released: 9 });
  await sim.idle();
  assert.deepEqual(receiver.ids().slice(3), all.slice(3).reverse());
});

test('a release in random order follows its seed', async () => {
  const runOnce = async (seed) => {
    const from = receiver.events.length;
    await sim.post('/_sim/webhooks/faults', { next: [{ action: 'hold', count: 10 }] });
    const customers = await createCustomers(10);
    await sim.post('/_sim/webhooks/release', { order: 'random', seed });
    await sim.idle();
    return customersSeen().slice(from).map((id) => customers.indexOf(id));
  };
  const first = await runOnce(1);
  assert.deepEqual(await runOnce(1), first);
  assert.notDeepEqual(await runOnce(2), first);
  assert.notDeepEqual(first, [...first].sort((a, b) => a - b));
});

test('reordered deliveries are overtaken by later ones', async () => {
  await sim.post('/_sim/webhooks/settings', { concurrency: 1, reorder_wait_ms: 10_000 });
  await sim.post('/_sim/webhooks/faults', { next: [{ action: 'reorder', times: 2 }] });
  const customers = await createCustomers(4);
  await sim.idle();
  const [first, second, third, fourth] = customers;
  assert.deepEqual(customersSeen(), [second, third, first, fourth]);
});

test('drop, duplicate, reorder and delay together: everything arrives, and the same seed does the same', async () => {
  const faults = { seed: 7, drop: 0.3, duplicate: 0.3, reorder: 0.3, delay: 0.3, delay_ms_max: 20 };
  await sim.post('/_sim/webhooks/faults', faults);
  await createCustomers(40);
  await sim.idle();
  const all = await eventIds();
  assert.deepEqual(sorted(new Set(receiver.ids())), sorted(all));
  assert.ok(receiver.ids().length > all.length, 'some came twice');
  assert.notDeepEqual([...new Set(receiver.ids())], all, 'some came in another order');
  const { counts } = await sim.get('/_sim/webhooks/deliveries');
  assert.ok(counts.dropped > 0);

  const again = await startSim(['--retry-base-ms', '5', '--retry-cap-ms', '20', '--seed', '42']);
  const secondReceiver = await startReceiver();
  try {
    await again.connect(secondReceiver);
    await again.post('/_sim/webhooks/faults', faults);
    for (let i = 0; i < 40; ++i) {
      await again.stripe.customers.create({ name: `c${i}` });
    }
    await again.idle();
    assert.deepEqual(sorted(secondReceiver.ids()), sorted(receiver.ids()));
    assert.deepEqual((await again.get('/_sim/webhooks/deliveries')).counts, counts);
  } finally {
    await again.stop();
    await secondReceiver.stop();
  }
});

test('no more deliveries are on their way than the setting allows, over connections that stay open', async () => {
  await sim.post('/_sim/webhooks/settings', { concurrency: 3 });
  let open = 0;
  let most = 0;
  const waiting = [];
  receiver.answer = async () => {
    most = Math.max(most, ++open);
    if (most < 3) {
      await new Promise((resolve) => waiting.push(resolve));
    } else {
      waiting.splice(0).forEach((resolve) => resolve());
    }
    --open;
    return 200;
  };
  await sim.post('/_sim/customers/bulk', { count: 200, prefix: 'load' });
  await sim.idle();
  assert.equal(receiver.events.length, 200);
  assert.equal(most, 3);
  assert.ok(receiver.connections() <= 4, `${receiver.connections()} connections`);
});

test('idle answers with an error when it takes too long', async () => {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  receiver.answer = async () => (await released, 200);
  await stripe.customers.create();
  await receiver.until(() => receiver.attempts.length === 1, 'the attempt');
  await assert.rejects(sim.idle(20), { status: 504, message: /still queued or on their way after 20 ms/ });
  release();
  await sim.idle();
  assert.equal(receiver.events.length, 1);
});
