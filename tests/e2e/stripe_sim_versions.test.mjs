// stripe-sim's API versions: each endpoint's, each request's, an event's own; and every rule that makes an old shape.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import Stripe from 'stripe';

import { startReceiver } from './lib/receiver.mjs';
import { apiKey, clientFor, postForm, startSim } from './lib/sim.mjs';

const newest = Stripe.API_VERSION ?? '2026-10-28.endive';

let sim;
let stripe;
let receivers;

beforeEach(async () => {
  sim = await startSim(['--retry-base-ms', '5', '--retry-cap-ms', '20']);
  stripe = sim.stripe;
  receivers = [];
});
afterEach(async () => {
  await sim?.stop();
  await Promise.all(receivers.map((receiver) => receiver.stop()));
});

async function connectIn(version) {
  const receiver = await startReceiver();
  receivers.push(receiver);
  receiver.endpoint = await stripe.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: ['*'],
    ...(version && { api_version: version }),
  });
  receiver.secret = receiver.endpoint.secret;
  return receiver;
}

const inVersion = (apiVersion, key = apiKey) => clientFor(sim, key, { apiVersion });
const renderIn = (version, object) => sim.post('/_sim/versions/render', { api_version: version, object });

// As the newest version shows it, as far as the rules look at it.
function subscription(items, more = {}) {
  return {
    id: 'sub_1',
    object: 'subscription',
    customer: 'cus_1',
    discounts: [],
    metadata: { object: 'subscription' },
    status: 'active',
    items: { object: 'list', data: items, has_more: false, total_count: items.length, url: '/v1/subscription_items' },
    ...more,
  };
}

function item(id, start, end, quantity = 1) {
  const price = {
    id: `price_${id}`,
    object: 'price',
    recurring: { interval: 'month', interval_count: 1, meter: null, usage_type: 'licensed' },
    metadata: {},
  };
  const plan = { id: `price_${id}`, object: 'plan', billing_scheme: 'per_unit', interval: 'month', metadata: {} };
  return {
    id: `si_${id}`,
    object: 'subscription_item',
    current_period_start: start,
    current_period_end: end,
    plan,
    price,
    quantity,
    subscription: 'sub_1',
    metadata: {},
  };
}

test('the versions are those the official client knows, from 2020 on; the newest is the one it pins', async () => {
  const { versions, rules } = await sim.get('/_sim/versions');
  assert.equal(versions.at(-1), newest);
  assert.equal(versions[0], '2020-03-02');
  assert.deepEqual(versions, [...versions].sort());
  for (const { since, object, change } of rules) {
    assert.ok(versions.includes(since), since);
    assert.ok(change.endsWith('.') && object.length > 0);
  }
  const order = rules.map(({ since }) => since);
  assert.deepEqual(order, [...order].sort().reverse());
});

test('each endpoint gets its own version, signed, and the list tells it in the one of its creation', async () => {
  const old = await connectIn('2022-11-15');
  const young = await connectIn(newest);
  const byDefault = await connectIn();
  assert.equal(old.endpoint.api_version, '2022-11-15');
  assert.equal(byDefault.endpoint.api_version, null);
  const { id } = await stripe.products.create({ name: 'P', marketing_features: [{ name: 'fast' }] });
  await stripe.products.update(id, { marketing_features: [{ name: 'slow' }] });
  await sim.idle();
  assert.deepEqual(old.events.map(({ api_version: version }) => version), ['2022-11-15', '2022-11-15']);
  const [{ data: made }, { data: changed }] = old.events.sort((a, b) => a.type.localeCompare(b.type));
  assert.deepEqual(made.object.features, [{ name: 'fast' }]);
  assert.equal('marketing_features' in made.object, false);
  assert.deepEqual(changed.previous_attributes.features, [{ name: 'fast' }]);
  assert.equal('marketing_features' in changed.previous_attributes, false);
  for (const receiver of [young, byDefault]) {
    assert.ok(receiver.events.every(({ api_version: version }) => version === newest));
    const names = receiver.events.map(({ data }) => data.object.marketing_features[0].name);
    assert.deepEqual(names.sort(), ['fast', 'slow']);
  }
  const listed = (await inVersion('2022-11-15').events.list()).data;
  assert.ok(listed.every(({ api_version: version }) => version === newest));
  assert.deepEqual(listed[0].data.object.marketing_features, [{ name: 'slow' }]);
});

test('a retry, a copy and a resend carry the same bytes of the same version', async () => {
  const old = await connectIn('2020-03-02');
  old.answer = (event, number) => (number === 1 ? 500 : 200);
  await sim.post('/_sim/webhooks/faults', { next: [{ action: 'duplicate' }] });
  await stripe.customers.create({ name: 'C' });
  await sim.idle();
  const [{ id }] = old.events;
  await sim.post(`/_sim/events/${id}/resend`, { endpoint: old.endpoint.id });
  await sim.idle();
  assert.equal(old.attempts.length, 4);
  assert.equal(new Set(old.attempts.map(({ body }) => body)).size, 1);
  assert.equal(old.events[0].api_version, '2020-03-02');
  assert.equal(old.events[0].data.object.sources.data.length, 0);
});

test('an account of an older version: its events are of the version of their time', async () => {
  const follower = await connectIn();
  const young = await connectIn(newest);
  await sim.post('/_sim/versions/default', { api_version: '2022-11-15' });
  const before = await stripe.products.create({ name: 'before' });
  await sim.post('/_sim/versions/default', { api_version: newest });
  await stripe.products.create({ name: 'after' });
  await sim.idle();
  const versions = (receiver) =>
    Object.fromEntries(receiver.events.map(({ data, api_version: version }) => [data.object.name, version]));
  assert.deepEqual(versions(follower), { before: '2022-11-15', after: newest });
  assert.deepEqual(versions(young), { before: newest, after: newest });
  const listed = (await stripe.events.list()).data;
  assert.deepEqual(listed.map(({ api_version: version }) => version), [newest, '2022-11-15']);
  assert.deepEqual(listed[1].data.object.features, []);
  const bytesOf = (receiver) => receiver.events.find(({ data }) => data.object.id === before.id);
  const event = await stripe.events.retrieve(listed[1].id);
  assert.deepEqual(event.data, bytesOf(follower).data);
});

test('answers have the version of the request, without a header that of the account', async () => {
  const { id } = await stripe.customers.create({ name: 'C' });
  const shape = async (version) => Object.keys(await inVersion(version).customers.retrieve(id));
  const now = await shape(newest);
  const added = async (version) => (await shape(version)).filter((key) => !now.includes(key) && key !== 'lastResponse');
  assert.deepEqual(await added('2022-11-15'), []);
  assert.deepEqual(await added('2020-08-27'), ['default_currency']);
  const lists = ['sources', 'subscriptions', 'tax_ids'];
  assert.deepEqual((await added('2020-03-02')).sort(), ['default_currency', ...lists]);
  const list = await inVersion('2020-03-02').customers.list();
  assert.equal(list.data[0].sources.url, `/v1/customers/${id}/sources`);

  await sim.post('/_sim/versions/default', { api_version: '2020-08-27' });
  const raw = await postForm(sim, `/v1/customers/${id}`, 'name=D');
  assert.equal(raw.headers.get('stripe-version'), '2020-08-27');
  assert.equal(JSON.parse(raw.text).default_currency, null);
  assert.equal('default_currency' in (await stripe.customers.retrieve(id)), false);
});

test('prices of before basil have aggregate_usage', async () => {
  const { id: product } = await stripe.products.create({ name: 'P' });
  const price = await stripe.prices.create({
    product,
    currency: 'usd',
    unit_amount: 5,
    recurring: { interval: 'month' },
  });
  assert.equal('aggregate_usage' in price.recurring, false);
  const old = await inVersion('2025-02-24.acacia').prices.retrieve(price.id, { expand: ['product'] });
  assert.equal(old.recurring.aggregate_usage, null);
  assert.deepEqual(old.product.marketing_features, []);
  const older = await inVersion('2023-10-16').prices.retrieve(price.id, { expand: ['product'] });
  assert.deepEqual(older.product.features, []);
});

test('tiers of a plan and subscriptions of a customer were included before 2020-08-27', async () => {
  const old = await connectIn('2020-03-02');
  const young = await connectIn(newest);
  const customer = await stripe.customers.create({ name: 'C' });
  await stripe.customers.update(customer.id, { name: 'D' });
  await sim.idle();
  for (const { data } of old.events) {
    assert.deepEqual(data.object.subscriptions, {
      object: 'list',
      data: [],
      has_more: false,
      total_count: 0,
      url: `/v1/customers/${customer.id}/subscriptions`,
    });
  }
  const changed = old.events.find(({ type }) => type === 'customer.updated');
  assert.deepEqual(changed.data.previous_attributes, { name: 'C' });
  const plain = young.events.find(({ type }) => type === 'customer.created');
  assert.deepEqual(Object.keys(plain.data), ['object']);
  assert.deepEqual(plain.data.object, { ...customer });
  const listed = (await inVersion('2020-03-02').events.list()).data;
  assert.deepEqual(listed.map(({ data }) => Object.keys(data)), [['object', 'previous_attributes'], ['object']]);
  assert.equal('subscriptions' in listed[0].data.object, false);
});

test('a version that is not known is refused, in the header and at an endpoint', async () => {
  for (const version of ['2099-01-01', '2025-03-31', 'basil', '2019-05-16']) {
    await assert.rejects(inVersion(version).customers.create({}, { idempotencyKey: 'same' }), {
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      message: `Invalid Stripe API version: ${version}`,
    });
    await assert.rejects(connectIn(version), { statusCode: 400, param: 'api_version' });
    await assert.rejects(sim.post('/_sim/versions/default', { api_version: version }), { status: 400 });
  }
  assert.equal((await sim.objects('customer')).length, 0);
  await stripe.customers.create({}, { idempotencyKey: 'same' });
});

test('before basil the period stands on the subscription, with the plan and quantity of its only item', async () => {
  const given = subscription([item('a', 100, 200, 3)]);
  const old = await renderIn('2025-02-24.acacia', given);
  assert.equal(old.current_period_start, 100);
  assert.equal(old.current_period_end, 200);
  assert.equal(old.quantity, 3);
  assert.equal(old.plan.id, 'price_a');
  assert.equal(old.plan.aggregate_usage, null);
  assert.equal(old.discount, null);
  assert.equal('current_period_end' in old.items.data[0], false);
  assert.equal(old.items.data[0].plan.aggregate_usage, null);
  assert.equal(old.items.data[0].price.recurring.aggregate_usage, null);
  assert.deepEqual(old.metadata, { object: 'subscription' });
  assert.equal('tax_percent' in old, false);
  for (const version of ['2025-03-31.basil', newest]) {
    assert.deepEqual(await renderIn(version, given), given);
  }
  const oldest = await renderIn('2020-03-02', given);
  assert.equal(oldest.tax_percent, null);
  assert.equal(oldest.plan.tiers, null);
});

test('several items: no plan and quantity on the subscription; of periods that differ, the first to end', async () => {
  const old = await renderIn('2024-06-20', subscription([item('a', 100, 900), item('b', 150, 300), item('c', 0, 300)]));
  assert.equal(old.plan, null);
  assert.equal(old.quantity, null);
  assert.equal(old.current_period_start, 150);
  assert.equal(old.current_period_end, 300);
  const none = await renderIn('2024-06-20', subscription([]));
  assert.equal(none.plan, null);
  assert.equal('current_period_end' in none, false);
});

test('what changed is told in the words of the version', async () => {
  const before = item('a', 100, 200);
  const after = item('a', 200, 300, 2);
  const event = {
    id: 'evt_1',
    object: 'event',
    api_version: newest,
    type: 'customer.subscription.updated',
    data: { object: subscription([after]), previous_attributes: { items: { data: [before] } } },
  };
  const old = await renderIn('2024-06-20', event);
  assert.equal(old.api_version, '2024-06-20');
  const { items, ...previous } = old.data.previous_attributes;
  assert.deepEqual(previous, { current_period_start: 100, current_period_end: 200, quantity: 1 });
  assert.equal(items.data[0].quantity, 1);
  assert.equal('current_period_end' in items.data[0], false);
  assert.equal(old.data.object.current_period_end, 300);

  const renewed = { ...event, data: { ...event.data, object: subscription([item('a', 200, 300)]) } };
  assert.deepEqual((await renderIn('2024-06-20', renewed)).data.previous_attributes, {
    current_period_start: 100,
    current_period_end: 200,
  });
  assert.deepEqual(await renderIn(newest, renewed), renewed);
});

test('deleted objects and hashes in metadata are nobody to change', async () => {
  const deleted = { id: 'cus_1', object: 'customer', deleted: true };
  assert.deepEqual(await renderIn('2020-03-02', deleted), deleted);
  const meter = { id: 'mtr_1', object: 'billing.meter', metadata: { x: { object: 'customer', id: 'cus_1' } } };
  assert.deepEqual(await renderIn('2020-03-02', meter), meter);
  await assert.rejects(sim.post('/_sim/versions/render', { object: { object: 'event' } }), { status: 400 });
});
