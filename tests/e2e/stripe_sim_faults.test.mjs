// stripe-sim's faults that one seed drives: lost, twice, out of order, days late by the simulator's own clock, and
// changes of which no event tells.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { startReceiver } from './lib/receiver.mjs';
import { startSim } from './lib/sim.mjs';

const start = 1_800_000_000;
const plan = {
  seed: 7,
  drop: 0.1,
  lost: true,
  duplicate: 0.2,
  reorder: 0.3,
  reorder_max_s: 600,
  delay: 0.2,
  delay_max_s: 259_200,
};

let sim;
let receiver;

async function startFrozen() {
  const started = await startSim(['--retry-base-ms', '5', '--retry-cap-ms', '20', '--seed', '42']);
  await started.post('/_sim/clock', { freeze_at: start });
  return started;
}

beforeEach(async () => {
  receiver = await startReceiver();
  sim = await startFrozen();
  await sim.connect(receiver);
});
afterEach(async () => {
  await sim?.stop();
  await receiver?.stop();
});

const sorted = (values) => [...values].sort();
const pending = () => sim.get('/_sim/webhooks/pending');

async function eventIds() {
  const events = await sim.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 });
  return events.map(({ id }) => id).reverse();
}

// Moves the clock from one due delivery to the next until none waits; answers the times at which something was due.
async function deliverAll() {
  const times = [];
  for (;;) {
    await sim.idle();
    const { first_due: due } = await pending();
    if (due === null) {
      return times;
    }
    times.push(due);
    await sim.post('/_sim/clock', { freeze_at: due });
  }
}

test('a delayed delivery waits for the simulated clock and for nothing else', async () => {
  const next = [{ action: 'delay', delay_s: 259_200 }];
  await sim.post('/_sim/webhooks/faults', { next });
  const late = await sim.stripe.customers.create();
  const soon = await sim.stripe.customers.create();
  assert.equal((await sim.idle()).waiting_for_clock, 1);
  assert.deepEqual(receiver.events.map(({ data }) => data.object.id), [soon.id]);
  const waiting = await pending();
  assert.equal(waiting.now, start);
  assert.equal(waiting.first_due, start + 259_200);
  assert.equal(waiting.last_due, start + 259_200);
  const [lateEvent] = await eventIds();
  assert.deepEqual(waiting.data.map(({ event, waits_for, due }) => ({ event, waits_for, due })), [
    { event: lateEvent, waits_for: 'clock', due: start + 259_200 },
  ]);
  await sim.post('/_sim/clock', { advance_seconds: 259_199 });
  await sim.idle();
  assert.equal(receiver.events.length, 1);
  await sim.post('/_sim/clock', { advance_seconds: 1 });
  assert.equal((await sim.idle()).waiting_for_clock, 0);
  assert.deepEqual(receiver.events.map(({ data }) => data.object.id), [soon.id, late.id]);
  assert.deepEqual((await pending()).data, []);
});

test('one seed drives all faults, within their bounds, and everything but the lost arrives', async () => {
  await sim.post('/_sim/webhooks/faults', plan);
  await sim.post('/_sim/customers/bulk', { count: 300, prefix: 'plan', api_key: 'sk_test_flexsync' });
  await sim.idle();
  const { data } = await pending();
  const waits = data.map(({ due }) => due - start);
  assert.ok(waits.every((seconds) => seconds >= 1 && seconds <= 259_200), waits.join());
  assert.ok(waits.some((seconds) => seconds > 86_400), 'some are late by days');
  assert.ok(waits.filter((seconds) => seconds <= 600).length > 30, 'some only change places');
  const times = await deliverAll();
  assert.deepEqual(times, sorted(times));
  const lost = (await sim.get('/_sim/webhooks/undelivered')).data;
  assert.ok(lost.length > 10 && lost.length < 60, `${lost.length} lost`);
  assert.ok(lost.every(({ outcome, type }) => outcome === 'lost' && type === 'customer.created'));
  const all = await eventIds();
  const lostIds = lost.map(({ event }) => event);
  assert.deepEqual(sorted([...new Set(receiver.ids()), ...lostIds]), sorted(all));
  assert.ok(receiver.ids().length > all.length - lostIds.length + 20, 'some came twice');
  const undelivered = await sim.stripe.events.list({ delivery_success: false, limit: 100 });
  assert.deepEqual(sorted(undelivered.data.map(({ id }) => id)), sorted(lostIds));

  await sim.post(`/_sim/events/${lostIds[0]}/resend`);
  await sim.idle();
  assert.deepEqual((await sim.get('/_sim/webhooks/undelivered')).data, lost.slice(1));
});

test('the same seed and the same events give the same plan, another seed another one', async () => {
  const run = async (seed) => {
    const other = await startFrozen();
    const its = await startReceiver();
    try {
      await other.connect(its);
      await other.post('/_sim/webhooks/faults', { ...plan, seed });
      await other.post('/_sim/customers/bulk', { count: 100, api_key: 'sk_test_flexsync' });
      await other.idle();
      const lost = (await other.get('/_sim/webhooks/undelivered')).data;
      const { data } = await other.get('/_sim/webhooks/pending');
      return { lost, late: data, delivered: sorted(its.ids()) };
    } finally {
      await other.stop();
      await its.stop();
    }
  };
  const first = await run(7);
  assert.deepEqual(await run(7), first);
  const second = await run(8);
  assert.notDeepEqual(second.lost, first.lost);
  assert.notDeepEqual(second.late, first.late);
});

test('copies of one event have delays of their own', async () => {
  await sim.post('/_sim/webhooks/faults', { seed: 3, duplicate: 1, reorder: 1, reorder_max_s: 600 });
  await sim.stripe.customers.create();
  const { data } = await pending();
  assert.deepEqual(sorted(data.map(({ duplicate }) => duplicate)), [false, true]);
  assert.equal(data[0].event, data[1].event);
  assert.notEqual(data[0].due, data[1].due);
  await deliverAll();
  assert.equal(receiver.attempts.length, 2);
  assert.equal(receiver.attempts[0].body, receiver.attempts[1].body);
});

test('what was given up is told as undelivered; wrong bounds are refused', async () => {
  await sim.post('/_sim/webhooks/settings', { tries_max: 2 });
  receiver.answer = () => 500;
  await sim.stripe.customers.create();
  await sim.idle();
  const [{ outcome }] = (await sim.get('/_sim/webhooks/undelivered')).data;
  assert.equal(outcome, 'given_up');
  for (const wrong of [{ delay_max_s: 2_592_001 }, { reorder_max_s: -1 }, { drop: 1.5 }, { reorder_max: 5 }]) {
    await assert.rejects(sim.post('/_sim/webhooks/faults', wrong), { status: 400 });
  }
  const { webhooks } = await sim.get('/_sim/state');
  assert.equal(webhooks.faults.drop, 0);
});

test('silenced changes are made, and no event tells of them', async () => {
  const { stripe } = sim;
  await sim.post('/_sim/api/silence', { events: 2 });
  const { id } = await stripe.customers.create({ name: 'unseen' });
  await stripe.customers.update(id, { name: 'unseen still' });
  await stripe.customers.update(id, { name: 'seen' });
  await sim.idle();
  assert.deepEqual(receiver.events.map(({ type }) => type), ['customer.updated']);
  assert.deepEqual(receiver.events[0].data.previous_attributes, { name: 'unseen still' });
  assert.equal((await eventIds()).length, 1);
  assert.equal((await stripe.customers.retrieve(id)).name, 'seen');
  const { events, swallowed } = await sim.get('/_sim/api/silence');
  assert.equal(events, 0);
  assert.deepEqual(swallowed, [
    { type: 'customer.created', object: id },
    { type: 'customer.updated', object: id },
  ]);

  await sim.post('/_sim/api/silence', { events: 1, type: 'customer.deleted' });
  await stripe.customers.create();
  await stripe.customers.del(id);
  await sim.idle();
  assert.deepEqual(receiver.events.map(({ type }) => type), ['customer.updated', 'customer.created']);
});

test('silence by chance follows its seed', async () => {
  const run = async (seed) => {
    const before = (await sim.get('/_sim/api/silence')).swallowed.length;
    await sim.post('/_sim/api/silence', { probability: 0.3, seed });
    const customers = [];
    for (let i = 0; i < 40; ++i) {
      customers.push((await sim.stripe.customers.create()).id);
    }
    const { swallowed } = await sim.post('/_sim/api/silence', {});
    return swallowed.slice(before).map(({ object }) => customers.indexOf(object));
  };
  const first = await run(1);
  assert.ok(first.length > 2 && first.length < 30, `${first.length} silenced`);
  assert.deepEqual(await run(1), first);
  assert.notDeepEqual(await run(2), first);
});
