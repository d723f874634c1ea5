// stripe-sim's products and prices, driven by the official client.
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

const newest = async (client) => (await client.events.list({ limit: 1 })).data[0];

test('a product has the whole shape, and its changes are events', async () => {
  const client = clientFor(sim, 'sk_test_product');
  const product = await client.products.create({ name: 'Gold', images: ['http://x/1'], metadata: { a: 'b' } });
  const { id, lastResponse, ...rest } = product;
  assert.match(id, /^prod_[0-9A-Za-z]{14}$/);
  assert.deepEqual(rest, {
    object: 'product',
    active: true,
    created: now,
    default_price: null,
    description: null,
    images: ['http://x/1'],
    livemode: false,
    marketing_features: [],
    metadata: { a: 'b' },
    name: 'Gold',
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: now,
    url: null,
  });
  assert.equal((await newest(client)).type, 'product.created');
  try {
    await sim.post('/_sim/clock', { advance_seconds: 9 });
    const updated = await client.products.update(id, { name: 'Silver', marketing_features: [{ name: 'fast' }] });
    assert.equal(updated.updated, now + 9);
    const event = await newest(client);
    assert.equal(event.type, 'product.updated');
    assert.deepEqual(event.data.previous_attributes, { name: 'Gold', marketing_features: [], updated: now });
    await client.products.update(id, { name: 'Silver' });
    assert.equal((await newest(client)).id, event.id);
  } finally {
    await sim.post('/_sim/clock', { freeze_at: now });
  }
  assert.equal((await client.products.del(id)).deleted, true);
  assert.equal((await newest(client)).type, 'product.deleted');
  assert.deepEqual({ ...(await client.products.retrieve(id)) }, { id, object: 'product', deleted: true });
  await assert.rejects(client.products.update(id, { name: 'x' }), { code: 'resource_missing', statusCode: 404 });
});

test('products: own ids, filters, what is refused', async () => {
  const client = clientFor(sim, 'sk_test_products');
  await client.products.create({ name: 'A', id: 'gold' });
  await client.products.create({ name: 'B', active: false, url: 'http://b' });
  await assert.rejects(client.products.create({ name: 'C', id: 'gold' }), { code: 'resource_already_exists' });
  await assert.rejects(client.products.create({}), { param: 'name', code: 'parameter_missing' });
  await assert.rejects(client.products.create({ name: 'x', unit_label: 'u'.repeat(13) }), { param: 'unit_label' });
  const names = async (params) => (await client.products.list(params)).data.map(({ name }) => name);
  assert.deepEqual(await names(), ['B', 'A']);
  assert.deepEqual(await names({ active: true }), ['A']);
  assert.deepEqual(await names({ ids: ['gold'] }), ['A']);
  assert.deepEqual(await names({ url: 'http://b' }), ['B']);
  assert.deepEqual(await names({ created: { lt: now } }), []);
});

test('a price has the whole shape', async () => {
  const client = clientFor(sim, 'sk_test_price');
  const product = await client.products.create({ name: 'P' });
  const price = await client.prices.create({
    product: product.id,
    currency: 'USD',
    unit_amount: 2000,
    recurring: { interval: 'month' },
  });
  const { id, lastResponse, ...rest } = price;
  assert.match(id, /^price_[0-9A-Za-z]{24}$/);
  // The client makes a Decimal of its own of what travels as a string.
  assert.equal(String(rest.unit_amount_decimal), '2000');
  assert.deepEqual({ ...rest, unit_amount_decimal: '2000' }, {
    object: 'price',
    active: true,
    billing_scheme: 'per_unit',
    created: now,
    currency: 'usd',
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product: product.id,
    recurring: { interval: 'month', interval_count: 1, meter: null, trial_period_days: null, usage_type: 'licensed' },
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: 'recurring',
    unit_amount: 2000,
    unit_amount_decimal: '2000',
  });
  assert.equal((await newest(client)).type, 'price.created');
  assert.equal((await client.prices.retrieve(id, { expand: ['product'] })).product.name, 'P');
  await assert.rejects(client.products.del(product.id), { message: /one or more user-created prices/ });
  const withDefault = await client.products.update(product.id, { default_price: id, expand: ['default_price'] });
  assert.equal(withDefault.default_price.id, id);
});

test('amounts are exact decimals', async () => {
  const client = clientFor(sim, 'sk_test_decimals');
  const product_data = { name: 'P' };
  const make = async (unit_amount_decimal) => {
    const price = await client.prices.create({ currency: 'eur', product_data, unit_amount_decimal });
    return [price.unit_amount, String(price.unit_amount_decimal)];
  };
  assert.deepEqual(await make('0.000000000001'), [null, '0.000000000001']);
  assert.deepEqual(await make('12.50'), [null, '12.5']);
  assert.deepEqual(await make('12.00'), [12, '12']);
  await assert.rejects(make('1.0000000000001'), { param: 'unit_amount_decimal' });
  await assert.rejects(make('-1'), { param: 'unit_amount_decimal' });
});

test('metered prices have an active meter, tiered ones show their tiers on request', async () => {
  const client = clientFor(sim, 'sk_test_tiers');
  const meter = await client.billing.meters.create({
    display_name: 'M',
    event_name: 'm',
    default_aggregation: { formula: 'sum' },
  });
  const { id: product } = await client.products.create({ name: 'P' });
  const tiers = [
    { up_to: 10, unit_amount_decimal: '0.5' },
    { up_to: 'inf', unit_amount: 1, flat_amount: 100 },
  ];
  const recurring = { interval: 'month', usage_type: 'metered', meter: meter.id };
  const params = { product, currency: 'usd', billing_scheme: 'tiered', tiers_mode: 'graduated', tiers, recurring };
  const made = await client.prices.create(params);
  assert.equal('tiers' in made, false);
  assert.equal(made.recurring.meter, meter.id);
  const shown = await client.prices.retrieve(made.id, { expand: ['tiers'] });
  assert.deepEqual(
    shown.tiers.map((tier) => [tier.up_to, tier.unit_amount, String(tier.unit_amount_decimal), tier.flat_amount]),
    [[10, null, '0.5', null], [null, 1, '1', 100]],
  );
  assert.equal('tiers' in (await newest(client)).data.object, false);
  assert.equal((await client.prices.list({ expand: ['data.tiers'] })).data[0].tiers.length, 2);
  await assert.rejects(client.prices.list({ expand: ['tiers'] }), { message: /try expanding 'data\.tiers' instead/ });

  const refused = (changes, expected) => assert.rejects(client.prices.create({ ...params, ...changes }), expected);
  await refused({ recurring: { interval: 'month', usage_type: 'metered' } }, { param: 'recurring[meter]' });
  await refused({ recurring: { interval: 'month', meter: meter.id } }, { param: 'recurring[meter]' });
  await refused({ recurring: { ...recurring, meter: 'mtr_no' } }, { code: 'resource_missing' });
  await refused({ recurring: { ...recurring, interval_count: 37 } }, { param: 'recurring[interval_count]' });
  await refused({ tiers: [tiers[0]] }, { param: 'tiers' });
  await refused({ tiers: [tiers[1], tiers[0]] }, { param: 'tiers' });
  await refused({ tiers_mode: undefined }, { param: 'tiers_mode' });
  await refused({ product: 'prod_no' }, { param: 'product', code: 'resource_missing' });
  await refused({ product: undefined }, { param: 'product' });
  await client.billing.meters.deactivate(meter.id);
  await refused({}, { param: 'recurring[meter]', message: /not active/ });
});

test('prices: updates, lookup keys, filters', async () => {
  const client = clientFor(sim, 'sk_test_lookup');
  const common = { currency: 'usd', unit_amount: 1, product_data: { name: 'P' } };
  const make = (params) => client.prices.create({ ...common, ...params });
  const first = await make({ lookup_key: 'key' });
  await assert.rejects(make({ lookup_key: 'key' }), { param: 'lookup_key', message: new RegExp(first.id) });
  const second = await make({ lookup_key: 'key', transfer_lookup_key: true, recurring: { interval: 'year' } });
  assert.equal((await client.prices.retrieve(first.id)).lookup_key, null);
  const updated = await client.prices.update(second.id, { active: false, nickname: 'n', metadata: { a: 'b' } });
  assert.equal(updated.nickname, 'n');
  const event = await newest(client);
  assert.equal(event.type, 'price.updated');
  assert.deepEqual(event.data.previous_attributes, { active: true, nickname: null, metadata: { a: null } });
  await assert.rejects(client.prices.update(second.id, { unit_amount: 2 }), { code: 'parameter_unknown' });
  const ids = async (params) => (await client.prices.list(params)).data.map(({ id }) => id);
  assert.deepEqual(await ids({ lookup_keys: ['key', 'other'] }), [second.id]);
  assert.deepEqual(await ids({ active: true }), [first.id]);
  assert.deepEqual(await ids({ type: 'recurring' }), [second.id]);
  assert.deepEqual(await ids({ recurring: { interval: 'year' } }), [second.id]);
  assert.deepEqual(await ids({ product: first.product }), [first.id]);
});
