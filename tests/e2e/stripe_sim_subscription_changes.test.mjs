// Changes of stripe-sim's subscriptions and their items, and what they cost; driven by the official client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startSim } from './lib/sim.mjs';
import { day, hour, plain, startBilling } from './lib/sim_billing.mjs';

const now = Date.UTC(2030, 0, 15) / 1000;
const monthEnd = Date.UTC(2030, 1, 15) / 1000;
const yearEnd = Date.UTC(2031, 0, 15) / 1000;

let sim;

before(async () => (sim = await startSim()));
after(() => sim?.stop());

const updated = 'customer.subscription.updated';
const shape = ({ items }) => items.data.map(({ id, price, quantity }) => [id, price.id, quantity]);
const periods = ({ items }) => items.data.map((item) => [item.current_period_start, item.current_period_end]);

test('items: upgraded in place, added, given another quantity, removed', async () => {
  const billing = await startBilling(sim, 'sk_test_items', now);
  const { client, gold, silver } = billing;
  const created = await billing.subscribe({ items: [{ price: silver, quantity: 2, metadata: { a: 'b' } }] });
  const item = created.items.data[0].id;
  await billing.events();
  const change = async (items, more = {}) => {
    const subscription = await client.subscriptions.update(created.id, { items, ...more });
    const [event, ...others] = await billing.events();
    assert.deepEqual([event.type, others], [updated, []]);
    assert.deepEqual(plain(event.data.object), plain(subscription));
    return { subscription, previous: plain(event.data.previous_attributes) };
  };
  await billing.advance(day);
  const upgrade = await change([{ id: item, price: gold }], { proration_behavior: 'always_invoice' });
  assert.deepEqual(shape(upgrade.subscription), [[item, gold, 2]]);
  assert.deepEqual(periods(upgrade.subscription), [[now, monthEnd]]);
  assert.equal(upgrade.subscription.items.data[0].plan.id, gold);
  assert.deepEqual(upgrade.previous, { items: { data: plain(created).items.data } });

  const added = await change([{ price: silver, quantity: 5 }]);
  const second = added.subscription.items.data[1].id;
  assert.deepEqual(shape(added.subscription), [[item, gold, 2], [second, silver, 5]]);
  assert.deepEqual(periods(added.subscription), [[now, monthEnd], [now + day, monthEnd]]);
  assert.deepEqual(added.previous, { items: { data: plain(upgrade.subscription).items.data, total_count: 1 } });

  const more = await change([{ id: second, quantity: 6, metadata: { c: 'd' } }]);
  assert.deepEqual(shape(more.subscription), [[item, gold, 2], [second, silver, 6]]);
  assert.deepEqual(more.subscription.items.data[1].metadata, { c: 'd' });
  const removed = await change([{ id: item, deleted: true }]);
  assert.deepEqual(shape(removed.subscription), [[second, silver, 6]]);
  await client.subscriptions.update(created.id, { items: [{ id: second, quantity: 6 }] });
  assert.deepEqual(await billing.events(), []);

  const refused = (items, expected) => assert.rejects(client.subscriptions.update(created.id, { items }), expected);
  await refused([{ id: item, quantity: 1 }], { code: 'resource_missing', param: 'items[0][id]' });
  await refused([{ id: second, quantity: 1 }, { id: second, quantity: 2 }], { message: /more than once/ });
  await refused([{ id: second, deleted: true }], { message: /at least one active plan/ });
  await refused([{ deleted: true }], { param: 'items[0][id]' });
  await refused([{ price: silver }], { message: /multiple subscription items/ });
  assert.deepEqual(await billing.events(), []);
});

test('another interval begins another cycle', async () => {
  const billing = await startBilling(sim, 'sk_test_interval', now);
  const yearly = await billing.price(20_000, 'year');
  const created = await billing.subscribe();
  await billing.advance(day);
  const items = [{ id: created.items.data[0].id, price: yearly.id }];
  const changed = await billing.client.subscriptions.update(created.id, { items });
  assert.deepEqual(periods(changed), [[now + day, yearEnd + day]]);
  assert.equal(changed.billing_cycle_anchor, now + day);
  const classic = { billing_mode: { type: 'classic' }, items: [{ price: billing.gold }, { price: yearly.id }] };
  await assert.rejects(billing.subscribe(classic), { param: 'items', message: /same `recurring.interval`/ });
});

test('subscription items by themselves: each change is the subscription\'s', async () => {
  const billing = await startBilling(sim, 'sk_test_item_routes', now);
  const { client, gold, silver } = billing;
  const { id: subscription, items } = await billing.subscribe();
  await billing.events();
  const params = { subscription, price: silver, quantity: 3, metadata: { a: 'b' } };
  const item = await client.subscriptionItems.create(params);
  assert.deepEqual([item.object, item.price.id, item.quantity, item.subscription], [
    'subscription_item',
    silver,
    3,
    subscription,
  ]);
  const [event] = await billing.events();
  assert.deepEqual([event.type, event.data.object.id], [updated, subscription]);
  assert.deepEqual(event.data.previous_attributes.items.data, plain(items).data);
  assert.deepEqual(plain(await client.subscriptionItems.retrieve(item.id)), plain(item));
  const changed = await client.subscriptionItems.update(item.id, { quantity: 4, metadata: { a: '' } });
  assert.deepEqual([changed.quantity, changed.metadata], [4, {}]);
  const listed = await client.subscriptionItems.list({ subscription });
  assert.deepEqual(listed.data.map(({ id }) => id), [items.data[0].id, item.id]);
  const gone = { id: item.id, object: 'subscription_item', deleted: true };
  assert.deepEqual(plain(await client.subscriptionItems.del(item.id)), gone);
  assert.deepEqual(await billing.story(), [['updated', 'active', 0], ['updated', 'active', 0]]);

  await assert.rejects(client.subscriptionItems.retrieve(item.id), { code: 'resource_missing', statusCode: 404 });
  await assert.rejects(client.subscriptionItems.del(items.data[0].id), { message: /at least one/ });
  await assert.rejects(client.subscriptionItems.list({}), { code: 'parameter_missing', param: 'subscription' });
  const refused = (params, expected) =>
    assert.rejects(client.subscriptionItems.create({ subscription, ...params }), expected);
  await refused({}, { code: 'parameter_missing', param: 'price' });
  await refused({ price: 'price_no' }, { code: 'resource_missing', param: 'price' });
  await refused({ subscription: 'sub_no', price: gold }, { code: 'resource_missing', param: 'subscription' });
  await refused({ price: gold }, { message: /multiple subscription items/ });
  await refused({ price: silver, colour: 'red' }, { code: 'parameter_unknown', param: 'colour' });
});

test('metered items have no quantity', async () => {
  const { client, product, price, subscribe, payments } = await startBilling(sim, 'sk_test_metered', now);
  const { id: meter } = await client.billing.meters.create({
    display_name: 'M',
    event_name: 'm',
    default_aggregation: { formula: 'sum' },
  });
  const recurring = { interval: 'month', usage_type: 'metered', meter };
  const { id } = await price(1, 'month', { product, recurring });
  await payments({ succeed: false });
  const subscription = await subscribe({ items: [{ price: id }] });
  assert.deepEqual([subscription.status, 'quantity' in subscription.items.data[0]], ['active', false]);
  await assert.rejects(subscribe({ items: [{ price: id, quantity: 1 }] }), { param: 'items[0][quantity]' });
});

test('what a price becomes shows in the subscriptions that have it; a deleted plan stays with them', async () => {
  const billing = await startBilling(sim, 'sk_test_embedded', now);
  const { client, gold } = billing;
  const { id } = await billing.subscribe();
  await client.prices.update(gold, { nickname: 'Gold' });
  const item = async () => (await client.subscriptions.retrieve(id)).items.data[0];
  assert.deepEqual([(await item()).price.nickname, (await item()).plan.nickname], ['Gold', 'Gold']);
  await client.plans.del(gold);
  assert.equal((await item()).price.id, gold);
  await assert.rejects(billing.subscribe(), { code: 'resource_missing' });
});

test('cancelling at the end of the period, undone, and at a chosen time', async () => {
  const billing = await startBilling(sim, 'sk_test_cancel_later', now);
  const { client } = billing;
  const { id } = await billing.subscribe();
  await billing.events();
  const change = async (params) => {
    const { cancel_at_period_end, cancel_at, canceled_at, cancellation_details } =
      await client.subscriptions.update(id, params);
    return [cancel_at_period_end, cancel_at, canceled_at, cancellation_details.reason];
  };
  await billing.advance(5);
  const wanted = 'cancellation_requested';
  assert.deepEqual(await change({ cancel_at_period_end: true }), [true, monthEnd, now + 5, wanted]);
  const [event] = await billing.events();
  assert.deepEqual(event.data.previous_attributes, {
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { reason: null },
  });
  assert.deepEqual(await change({ cancel_at_period_end: true }), [true, monthEnd, now + 5, wanted]);
  assert.deepEqual(await billing.events(), []);
  assert.deepEqual(await change({ cancel_at_period_end: false }), [false, null, null, null]);
  assert.deepEqual(await change({ cancel_at: now + 9 * day }), [false, now + 9 * day, now + 5, wanted]);
  assert.deepEqual(await change({ cancel_at: '' }), [false, null, null, null]);
  assert.deepEqual(await change({ cancel_at: 'min_period_end' }), [false, monthEnd, now + 5, wanted]);
  await assert.rejects(client.subscriptions.update(id, { cancel_at: now }), { param: 'cancel_at' });
});

test('collection paused and resumed leaves the status', async () => {
  const billing = await startBilling(sim, 'sk_test_pause_collection', now);
  const { client } = billing;
  const { id } = await billing.subscribe();
  await billing.events();
  const pause_collection = { behavior: 'void', resumes_at: now + 3 * day };
  const paused = await client.subscriptions.update(id, { pause_collection });
  assert.deepEqual([paused.status, paused.pause_collection], ['active', pause_collection]);
  await client.subscriptions.update(id, { pause_collection: '' });
  await client.subscriptions.update(id, { pause_collection });
  await billing.advance(4 * day);
  const events = await billing.events();
  assert.deepEqual(events.map(({ data }) => data.previous_attributes), [
    { pause_collection: null },
    { pause_collection },
    { pause_collection: null },
    { pause_collection },
  ]);
  assert.equal(events[3].created, now + 3 * day);
});

test('an update that is paid for at once, and cannot be', async () => {
  const billing = await startBilling(sim, 'sk_test_update_pay', now);
  const { client, gold, silver } = billing;
  const { id, items } = await billing.subscribe({ items: [{ price: silver }] });
  await billing.payments({ succeed: false });
  await billing.events();
  const upgrade = (price, params) =>
    client.subscriptions.update(id, { items: [{ id: items.data[0].id, price }], ...params });
  const proration_behavior = 'always_invoice';
  await assert.rejects(upgrade(gold, { proration_behavior, payment_behavior: 'error_if_incomplete' }), {
    statusCode: 402,
  });
  assert.deepEqual(await billing.events(), []);
  assert.equal((await upgrade(gold)).status, 'active'); // paid for with the next cycle
  assert.equal((await upgrade(silver, { proration_behavior })).status, 'active'); // a credit
  assert.equal((await upgrade(gold, { proration_behavior })).status, 'past_due');
  await billing.payments({ succeed: true });
  assert.equal((await client.subscriptions.retrieve(id)).status, 'active');
});

test('a pending update waits for its payment: applied', async () => {
  const billing = await startBilling(sim, 'sk_test_pending', now);
  const { client, gold, silver } = billing;
  const created = await billing.subscribe({ items: [{ price: silver }] });
  const item = created.items.data[0].id;
  await billing.payments({ succeed: false });
  await billing.events();
  const params = { proration_behavior: 'always_invoice', payment_behavior: 'pending_if_incomplete' };
  const pending = await client.subscriptions.update(created.id, { items: [{ id: item, price: gold }], ...params });
  assert.equal(pending.items.data[0].price.id, silver);
  const { subscription_items, ...rest } = plain(pending).pending_update;
  assert.deepEqual(subscription_items.map(({ id, price, plan }) => [id, price.id, plan.id]), [[item, gold, gold]]);
  assert.deepEqual(rest, {
    billing_cycle_anchor: null,
    cancel_at_period_end: null,
    discount: null,
    discounts: null,
    expires_at: now + 23 * hour,
    metadata: null,
    trial_end: null,
    trial_from_plan: null,
  });
  const [first] = await billing.events();
  assert.deepEqual([first.type, first.data.previous_attributes], [updated, { pending_update: null }]);
  await billing.advance(hour);
  const { settled } = await billing.payments({ succeed: true });
  assert.deepEqual(settled, [created.id]);
  const [change, applied] = await billing.events();
  assert.deepEqual([change.type, applied.type], [updated, 'customer.subscription.pending_update_applied']);
  assert.deepEqual(Object.keys(change.data.previous_attributes), ['items', 'pending_update']);
  assert.deepEqual(change.request, { id: null, idempotency_key: null });
  assert.deepEqual([applied.data.object.pending_update, applied.data.object.items.data[0].price.id], [null, gold]);
  await assert.rejects(client.subscriptions.update(created.id, { ...params, description: 'x' }), {
    param: 'description',
  });
});

test('a pending update waits for its payment: expired, by its time', async () => {
  const billing = await startBilling(sim, 'sk_test_pending_expired', now);
  const { client, gold, silver } = billing;
  const { id } = await billing.subscribe({ items: [{ price: silver }] });
  await billing.payments({ succeed: false });
  await billing.events();
  const params = { proration_behavior: 'always_invoice', payment_behavior: 'pending_if_incomplete' };
  const item = await client.subscriptionItems.create({ subscription: id, price: gold, ...params });
  assert.equal(item.price.id, gold);
  assert.equal((await client.subscriptions.retrieve(id)).items.data.length, 1);
  await billing.advance(2 * day);
  assert.deepEqual(await billing.story(), [
    ['updated', 'active', 0],
    ['updated', 'active', 23 * hour],
    ['pending_update_expired', 'active', 23 * hour],
  ]);
  assert.equal((await client.subscriptions.retrieve(id)).pending_update, null);
});
