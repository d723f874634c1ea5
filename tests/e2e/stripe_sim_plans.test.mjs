// stripe-sim's legacy plans, which are its recurring prices seen another way; driven by the official client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { clientFor, startSim } from './lib/sim.mjs';

const now = 1_900_000_000;

let sim;

before(async () => {
  sim = await startSim();
  await sim.post('/_sim/clock', { freeze_at: now });
});
after(() => sim?.stop());

// The newest events, oldest of them first.
const newest = async (client, count) => (await client.events.list({ limit: count })).data.reverse();
const types = (events) => events.map(({ type }) => type);

// The client makes Decimals of what travels as a string.
const plain = ({ lastResponse, ...object }) => JSON.parse(JSON.stringify(object));

test('a plan has the whole shape, and is a price as well', async () => {
  const client = clientFor(sim, 'sk_test_plan');
  const plan = await client.plans.create({
    id: 'gold',
    amount: 2000,
    currency: 'USD',
    interval: 'month',
    nickname: 'Gold',
    product: { name: 'Golden' },
    trial_period_days: 14,
    metadata: { a: 'b' },
  });
  assert.deepEqual(plain(plan), {
    id: 'gold',
    object: 'plan',
    active: true,
    amount: 2000,
    amount_decimal: '2000',
    billing_scheme: 'per_unit',
    created: now,
    currency: 'usd',
    interval: 'month',
    interval_count: 1,
    livemode: false,
    metadata: { a: 'b' },
    meter: null,
    nickname: 'Gold',
    product: plan.product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: 14,
    usage_type: 'licensed',
  });
  const events = await newest(client, 3);
  assert.deepEqual(types(events), ['product.created', 'plan.created', 'price.created']);
  assert.equal(events[0].data.object.id, plan.product);
  assert.deepEqual(plain(events[1].data.object), plain(plan));
  const price = await client.prices.retrieve('gold');
  assert.deepEqual(plain(events[2].data.object), plain(price));
  assert.deepEqual([price.unit_amount, price.recurring.trial_period_days, price.nickname], [2000, 14, 'Gold']);
  assert.deepEqual(plain(await client.plans.retrieve('gold')), plain(plan));
  assert.equal((await client.plans.retrieve('gold', { expand: ['product'] })).product.name, 'Golden');
});

test('a recurring price is a plan as well, one that is paid once is none', async () => {
  const client = clientFor(sim, 'sk_test_plan_of_price');
  const { id: product } = await client.products.create({ name: 'P' });
  const price = await client.prices.create({
    product,
    currency: 'usd',
    unit_amount_decimal: '12.5',
    recurring: { interval: 'year' },
    transform_quantity: { divide_by: 10, round: 'up' },
  });
  assert.deepEqual(types(await newest(client, 2)), ['plan.created', 'price.created']);
  const plan = plain(await client.plans.retrieve(price.id));
  assert.deepEqual([plan.amount, plan.amount_decimal, plan.interval], [null, '12.5', 'year']);
  assert.deepEqual(plan.transform_usage, { divide_by: 10, round: 'up' });
  await client.prices.update(price.id, { nickname: 'n' });
  const updated = await newest(client, 2);
  assert.deepEqual(types(updated), ['plan.updated', 'price.updated']);
  assert.deepEqual(updated[0].data.previous_attributes, { nickname: null });
  // What a plan does not show is no change of it.
  await client.prices.update(price.id, { tax_behavior: 'exclusive' });
  assert.deepEqual(types(await newest(client, 2)), ['price.updated', 'price.updated']);
  const once = await client.prices.create({ product, currency: 'usd', unit_amount: 1 });
  assert.deepEqual(types(await newest(client, 2)), ['price.updated', 'price.created']);
  await assert.rejects(client.plans.retrieve(once.id), { code: 'resource_missing', statusCode: 404 });
  assert.deepEqual((await client.plans.list()).data.map(({ id }) => id), [price.id]);
});

test('plans: updates, deletion, both announced both ways', async () => {
  const client = clientFor(sim, 'sk_test_plan_changes');
  const { id: product } = await client.products.create({ name: 'P' });
  const { id: other } = await client.products.create({ name: 'Q' });
  const { id } = await client.plans.create({ amount: 1, currency: 'eur', interval: 'week', product });
  assert.match(id, /^plan_[0-9A-Za-z]{14}$/);
  const changes = { active: false, nickname: 'n', metadata: { a: 'b' }, product: other, trial_period_days: 3 };
  const updated = await client.plans.update(id, changes);
  const events = await newest(client, 2);
  assert.deepEqual(types(events), ['plan.updated', 'price.updated']);
  assert.deepEqual(plain(events[0].data.object), plain(updated));
  const previous = { active: true, nickname: null, metadata: { a: null }, product };
  assert.deepEqual(events[0].data.previous_attributes, { ...previous, trial_period_days: null });
  assert.deepEqual(events[1].data.previous_attributes, { ...previous, recurring: { trial_period_days: null } });
  await client.plans.update(id, { nickname: 'n' });
  assert.equal((await newest(client, 1))[0].id, events[1].id);
  await assert.rejects(client.plans.update(id, { amount: 2 }), { code: 'parameter_unknown' });

  assert.deepEqual(plain(await client.plans.del(id)), { id, object: 'plan', deleted: true });
  const deleted = await newest(client, 2);
  assert.deepEqual(types(deleted), ['plan.deleted', 'price.deleted']);
  assert.deepEqual(plain(deleted[0].data.object), plain(updated));
  const gone = { code: 'resource_missing', statusCode: 404 };
  await assert.rejects(client.plans.retrieve(id), gone);
  await assert.rejects(client.prices.retrieve(id), gone);
  await assert.rejects(client.plans.del(id), gone);
  assert.deepEqual((await client.plans.list()).data, []);
  await client.products.del(other);
});

test('plans: one that a subscription uses keeps its product', async () => {
  const client = clientFor(sim, 'sk_test_plan_products');
  const { id: other } = await client.products.create({ name: 'Q' });
  const plan = await client.plans.create({ amount: 1, currency: 'eur', interval: 'week', product: { name: 'P' } });
  const { id: customer } = await client.customers.create();
  await client.subscriptions.create({ customer, items: [{ price: plan.id }] });
  await assert.rejects(client.plans.update(plan.id, { product: other }), { statusCode: 400, param: 'product' });
  assert.equal((await client.plans.update(plan.id, { product: plan.product })).product, plan.product);
});

test('plans: tiers on request, filters, what is refused', async () => {
  const client = clientFor(sim, 'sk_test_plan_rules');
  const { id: product } = await client.products.create({ name: 'P' });
  const common = { currency: 'usd', interval: 'month', product };
  const tiers = [
    { up_to: 10, unit_amount: 5 },
    { up_to: 'inf', unit_amount: 4 },
  ];
  const tiered = { ...common, billing_scheme: 'tiered', tiers_mode: 'volume', tiers };
  const { id } = await client.plans.create(tiered);
  assert.equal('tiers' in (await client.plans.retrieve(id)), false);
  assert.equal((await client.plans.retrieve(id, { expand: ['tiers'] })).tiers.length, 2);
  assert.equal('tiers' in (await newest(client, 1))[0].data.object, false);
  const second = await client.plans.create({ ...common, amount: 1, active: false });
  const ids = async (params) => (await client.plans.list(params)).data.map((plan) => plan.id);
  assert.deepEqual(await ids(), [second.id, id]);
  assert.deepEqual(await ids({ active: true }), [id]);
  assert.deepEqual(await ids({ product: 'prod_other' }), []);
  assert.deepEqual(await ids({ limit: 1, starting_after: second.id }), [id]);

  const refused = (params, expected) => assert.rejects(client.plans.create(params), expected);
  await refused({ ...common, amount: 1, id }, { code: 'resource_already_exists', param: 'id' });
  await refused(common, { code: 'parameter_missing', param: 'amount' });
  await refused({ ...common, amount: -1 }, { param: 'amount' });
  await refused({ ...tiered, amount: 1 }, { param: 'tiers' });
  await refused({ ...common, amount: 1, interval: undefined }, { code: 'parameter_missing', param: 'interval' });
  await refused({ ...common, amount: 1, interval_count: 37 }, { param: 'interval_count' });
  await refused({ ...common, amount: 1, usage_type: 'metered' }, { param: 'meter' });
  await refused({ ...common, amount: 1, product: undefined }, { param: 'product' });
  await refused({ ...common, amount: 1, product: 'prod_no' }, { code: 'resource_missing', param: 'product' });
  await refused({ ...common, amount: 1, product: { id: 'x' } }, { param: 'product[name]' });
  await refused({ ...common, unit_amount: 1, amount: 1 }, { code: 'parameter_unknown', param: 'unit_amount' });
  await client.products.update(product, { default_price: id });
  await assert.rejects(client.plans.del(id), { message: /default price/ });
});
