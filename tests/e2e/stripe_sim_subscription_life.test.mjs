// What time and payments make of stripe-sim's subscriptions, driven by the official client and the simulator's clock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startSim } from './lib/sim.mjs';
import { day, hour, startBilling } from './lib/sim_billing.mjs';

const now = Date.UTC(2030, 0, 31) / 1000;
const monthEnds = [Date.UTC(2030, 1, 28), Date.UTC(2030, 2, 31), Date.UTC(2030, 3, 30)].map((ms) => ms / 1000);

let sim;

before(async () => (sim = await startSim()));
after(() => sim?.stop());

test('periods roll with the clock, one event each, of its own moment', async () => {
  const billing = await startBilling(sim, 'sk_test_roll', now);
  const { id } = await billing.subscribe();
  await billing.events();
  await billing.advance(monthEnds[2] - now);
  const events = await billing.events();
  assert.deepEqual(events.map(({ type, created }) => [type, created]), monthEnds.map((end) => [
    'customer.subscription.updated',
    end,
  ]));
  const [first] = events;
  assert.deepEqual(Object.keys(first.data.previous_attributes), ['items']);
  const [old] = first.data.previous_attributes.items.data;
  const [rolled] = first.data.object.items.data;
  assert.deepEqual([old.current_period_start, old.current_period_end], [now, monthEnds[0]]);
  assert.deepEqual([rolled.current_period_start, rolled.current_period_end], [monthEnds[0], monthEnds[1]]);
  assert.deepEqual(first.request, { id: null, idempotency_key: null });
  assert.equal((await billing.client.subscriptions.retrieve(id)).status, 'active');
});

test('items of other intervals roll by themselves', async () => {
  const billing = await startBilling(sim, 'sk_test_mixed', now);
  const weekly = await billing.price(1, 'week');
  const { id } = await billing.subscribe({ items: [{ price: billing.gold }, { price: weekly.id }] });
  await billing.advance(15 * day);
  const { items } = await billing.client.subscriptions.retrieve(id);
  assert.deepEqual(items.data.map((item) => item.current_period_end), [monthEnds[0], now + 21 * day]);
});

test('what is due on several subscriptions and accounts happens in the order of time', async () => {
  const one = await startBilling(sim, 'sk_test_order_one', now);
  const two = await startBilling(sim, 'sk_test_order_two', now);
  const daily = [(await one.price(1, 'day')).id, (await two.price(1, 'day')).id];
  await one.subscribe({ items: [{ price: daily[0] }] });
  await sim.post('/_sim/clock', { advance_seconds: 100 });
  await two.subscribe({ items: [{ price: daily[1] }] });
  await one.subscribe({ items: [{ price: daily[0] }] });
  await one.events();
  await sim.post('/_sim/clock', { advance_seconds: 2 * day });
  const times = (await one.story()).map(([, , moment]) => moment);
  assert.deepEqual(times, [day, day + 100, 2 * day, 2 * day + 100]);
});

test('a trial: announced three days before, then active; a short one at once', async () => {
  const billing = await startBilling(sim, 'sk_test_trial', now);
  await billing.subscribe({ trial_period_days: 7 });
  await billing.advance(8 * day);
  assert.deepEqual(await billing.story(), [
    ['created', 'trialing', 0],
    ['trial_will_end', 'trialing', 4 * day],
    ['updated', 'active', 7 * day],
  ]);
  await billing.subscribe({ trial_end: now + 10 * day });
  assert.deepEqual(await billing.story(), [
    ['created', 'trialing', 8 * day],
    ['trial_will_end', 'trialing', 8 * day],
  ]);
});

test('a trial ended by hand, moved, begun later', async () => {
  const billing = await startBilling(sim, 'sk_test_trial_moved', now);
  const { client } = billing;
  const { id } = await billing.subscribe({ trial_period_days: 30 });
  await billing.advance(day);
  const ended = await client.subscriptions.update(id, { trial_end: 'now' });
  assert.deepEqual([ended.status, ended.trial_end, ended.billing_cycle_anchor], ['active', now + day, now + day]);
  assert.equal(ended.items.data[0].current_period_start, now + day);
  const begun = await client.subscriptions.update(id, { trial_end: now + 20 * day });
  assert.deepEqual([begun.status, begun.trial_start, begun.trial_end], ['trialing', now + day, now + 20 * day]);
  await client.subscriptions.update(id, { trial_end: now + 5 * day });
  await billing.advance(5 * day);
  assert.deepEqual((await billing.story()).slice(1), [
    ['updated', 'active', day],
    ['trial_will_end', 'active', day],
    ['updated', 'trialing', day],
    ['updated', 'trialing', day],
    ['trial_will_end', 'trialing', 2 * day],
    ['updated', 'active', 5 * day],
  ]);
});

test('a trial without a payment method is paused and resumed, or cancelled', async () => {
  const billing = await startBilling(sim, 'sk_test_paused', now);
  const { client } = billing;
  const trial = (missing_payment_method, more = {}) =>
    billing.subscribe({ trial_end: now + day, trial_settings: { end_behavior: { missing_payment_method } }, ...more });
  const { id } = await trial('pause');
  await billing.events();
  await billing.advance(40 * day);
  assert.deepEqual(await billing.story(), [['updated', 'paused', day], ['paused', 'paused', day]]);
  const paused = await client.subscriptions.retrieve(id);
  assert.equal(paused.status_details.paused.subscription.type, 'trial_end_without_payment_method');
  await billing.payments({ succeed: false });
  assert.equal((await client.subscriptions.resume(id)).status, 'paused');
  await billing.payments({ succeed: true });
  const resumed = await client.subscriptions.resume(id, { billing_cycle_anchor: { type: 'now' } });
  assert.deepEqual([resumed.status, resumed.billing_cycle_anchor], ['active', now + 40 * day]);
  assert.deepEqual(await billing.story(), [['updated', 'active', 40 * day], ['resumed', 'active', 40 * day]]);

  await sim.post('/_sim/clock', { freeze_at: now });
  await trial('cancel');
  const chosen = await trial('pause', { default_payment_method: 'pm_1' });
  await billing.advance(2 * day);
  const story = (await billing.story()).filter(([type]) => type !== 'created' && type !== 'trial_will_end');
  assert.deepEqual(story, [['deleted', 'canceled', day], ['updated', 'active', day]]);
  assert.equal((await client.subscriptions.retrieve(chosen.id)).status, 'active');
  await billing.payments({ payment_method: true });
  await billing.subscribe({
    trial_end: now + 3 * day,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  });
  await billing.advance(2 * day);
  assert.equal((await billing.story()).at(-1)[1], 'active');
});

test('paused on request: nothing happens until it is resumed', async () => {
  const billing = await startBilling(sim, 'sk_test_pause_asked', now);
  const { client } = billing;
  const { id } = await billing.subscribe();
  await billing.events();
  const paused = await client.subscriptions.pause(id);
  assert.deepEqual([paused.status, paused.status_details.paused.subscription.type], ['paused', 'pause_requested']);
  await assert.rejects(client.subscriptions.pause(id), { message: /because it is paused/ });
  await billing.advance(100 * day);
  assert.deepEqual(await billing.story(), [['updated', 'paused', 0], ['paused', 'paused', 0]]);
  const resumed = await client.subscriptions.resume(id, { billing_cycle_anchor: { type: 'unchanged' } });
  assert.deepEqual([resumed.status, resumed.billing_cycle_anchor], ['active', now]);
  assert.equal(resumed.items.data[0].current_period_end, Date.UTC(2030, 4, 31) / 1000);
});

test('by invoice: past due once the due date is over, and paid', async () => {
  const billing = await startBilling(sim, 'sk_test_invoice', now);
  await billing.subscribe({ collection_method: 'send_invoice', days_until_due: 7 });
  await billing.payments({ succeed: false });
  await billing.advance(10 * day);
  await billing.payments({ succeed: true });
  assert.deepEqual(await billing.story(), [
    ['created', 'active', 0],
    ['updated', 'past_due', 7 * day + hour],
    ['updated', 'active', 10 * day],
  ]);
});

test('a renewal that fails: past due, tried again, then cancelled', async () => {
  const billing = await startBilling(sim, 'sk_test_past_due', now);
  const { id } = await billing.subscribe();
  await billing.payments({ succeed: false });
  await billing.events();
  await billing.advance(60 * day);
  const end = monthEnds[0] - now;
  assert.deepEqual(await billing.story(), [
    ['updated', 'active', end],
    ['updated', 'past_due', end + hour],
    ['deleted', 'canceled', end + hour + (3 + 5 + 7) * day],
  ]);
  const canceled = await billing.client.subscriptions.retrieve(id);
  assert.equal(canceled.cancellation_details.reason, 'payment_failed');
});

test('a renewal that fails: paid by a later try, or left unpaid and settled', async () => {
  const billing = await startBilling(sim, 'sk_test_unpaid', now);
  const end = monthEnds[0] - now;
  const { id } = await billing.subscribe();
  await billing.payments({ succeed: false, after_last_try: 'unpaid' });
  await billing.events();
  await billing.advance(end + 60 * day);
  assert.deepEqual(await billing.story(), [
    ['updated', 'active', end],
    ['updated', 'past_due', end + hour],
    ['updated', 'unpaid', end + hour + 15 * day],
    ['updated', 'unpaid', monthEnds[1] - now],
  ]);
  assert.deepEqual((await billing.payments({ succeed: true })).settled, [id]);
  assert.deepEqual(await billing.story(), [['updated', 'active', end + 60 * day]]);
});

test('an incomplete one becomes active when it is paid, or expires after 23 hours', async () => {
  const billing = await startBilling(sim, 'sk_test_incomplete', now);
  const { client } = billing;
  const payment_behavior = 'default_incomplete';
  const paid = await billing.subscribe({ payment_behavior });
  await assert.rejects(client.subscriptions.update(paid.id, { cancel_at_period_end: true }), { message: /incomplete/ });
  await billing.payments({ succeed: true });
  const [, event] = await billing.events();
  assert.deepEqual(event.data.previous_attributes, { status: 'incomplete' });
  const late = await billing.subscribe({ payment_behavior });
  await billing.advance(day);
  assert.deepEqual(await billing.story(), [
    ['created', 'incomplete', 0],
    ['updated', 'incomplete_expired', 23 * hour],
  ]);
  assert.equal((await client.subscriptions.retrieve(late.id)).ended_at, now + 23 * hour);
  assert.equal((await client.subscriptions.retrieve(paid.id)).status, 'active');
});

test('what was to be cancelled at the end of the period is, and does not roll', async () => {
  const billing = await startBilling(sim, 'sk_test_period_end', now);
  const { client } = billing;
  const { id } = await billing.subscribe();
  const undone = await billing.subscribe({ items: [{ price: billing.silver }] });
  await client.subscriptions.update(id, { cancel_at_period_end: true });
  await client.subscriptions.update(undone.id, { cancel_at_period_end: true });
  await client.subscriptions.update(undone.id, { cancel_at_period_end: false });
  await billing.events();
  const end = monthEnds[0] - now;
  await billing.advance(end);
  const story = await billing.story();
  assert.deepEqual(story.toSorted(), [['deleted', 'canceled', end], ['updated', 'active', end]]);
  const canceled = await client.subscriptions.retrieve(id);
  assert.deepEqual([canceled.canceled_at, canceled.ended_at, canceled.cancel_at_period_end], [now, monthEnds[0], true]);
});

test('a status set by hand, where Stripe has ways of its own', async () => {
  const billing = await startBilling(sim, 'sk_test_by_hand', now);
  const { id } = await billing.subscribe();
  await billing.events();
  const set = (status) => sim.post(`/_sim/api/subscriptions/${id}/status`, { status });
  for (const status of ['past_due', 'unpaid', 'active', 'canceled']) {
    assert.equal((await set(status)).status, status);
  }
  assert.deepEqual(await billing.story(), [
    ['updated', 'past_due', 0],
    ['updated', 'unpaid', 0],
    ['updated', 'active', 0],
    ['deleted', 'canceled', 0],
  ]);
  await assert.rejects(set('active'), { status: 400 });
  await assert.rejects(set('paused'), /must be active, past_due, unpaid or canceled/);
  await assert.rejects(sim.post('/_sim/api/subscriptions/sub_no/status', { status: 'active' }), { status: 404 });
  await assert.rejects(sim.post('/_sim/api/customers/cus_no/payments', { succeed: true }), { status: 404 });
  await assert.rejects(billing.payments({ after_last_try: 'gone' }), { status: 400 });
});
