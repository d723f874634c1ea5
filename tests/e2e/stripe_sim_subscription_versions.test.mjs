// Real subscriptions of the simulator in old versions: what an endpoint of 2024 sees of a life.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startReceiver } from './lib/receiver.mjs';
import { clientFor, apiKey, startSim } from './lib/sim.mjs';

const start = 1_800_000_000;
const day = 86_400;

let sim;
let receiver;

before(async () => {
  receiver = await startReceiver();
  sim = await startSim();
  await sim.post('/_sim/clock', { freeze_at: start });
  const endpoint = await sim.stripe.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: ['*'],
    api_version: '2024-06-20',
  });
  receiver.secret = endpoint.secret;
});
after(async () => {
  await sim?.stop();
  await receiver?.stop();
});

test('a subscription is made, renewed and gets a second item, as 2024-06-20 tells it', async () => {
  const { stripe } = sim;
  const { id: product } = await stripe.products.create({ name: 'P' });
  const makePrice = () =>
    stripe.prices.create({ product, currency: 'usd', unit_amount: 5, recurring: { interval: 'month' } });
  const [first, second] = [await makePrice(), await makePrice()];
  const { id: customer } = await stripe.customers.create();
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: first.id, quantity: 2 }] });
  await sim.post('/_sim/clock', { advance_seconds: 31 * day });
  await stripe.subscriptionItems.create({ subscription: id, price: second.id });
  await sim.idle();
  const told = receiver.events.filter(({ type }) => type.startsWith('customer.subscription'));
  const [made, ...changes] = told.sort((a, b) => a.created - b.created);
  const sub = made.data.object;
  assert.equal(made.api_version, '2024-06-20');
  assert.equal(sub.current_period_start, start);
  assert.equal(sub.plan.id, first.id);
  assert.equal(sub.quantity, 2);
  assert.equal('current_period_end' in sub.items.data[0], false);
  const renewal = changes.find(({ data }) => 'current_period_start' in (data.previous_attributes ?? {}));
  assert.equal(renewal.data.previous_attributes.current_period_start, start);
  assert.equal('items' in renewal.data.previous_attributes, false, 'the items did not change in that version');
  assert.equal(renewal.data.object.current_period_start, renewal.data.previous_attributes.current_period_end);
  const grown = changes.at(-1).data;
  assert.equal(grown.object.plan, null);
  assert.equal(grown.previous_attributes.plan.id, first.id);
  assert.equal(grown.previous_attributes.quantity, 2);
  assert.equal(grown.previous_attributes.items.data.length, 1);

  const old = await clientFor(sim, apiKey, { apiVersion: '2024-06-20' }).subscriptions.retrieve(id);
  assert.equal(old.plan, null);
  assert.equal(old.current_period_end, renewal.data.object.current_period_end);
  const [{ id: itemId }] = old.items.data;
  const item = await clientFor(sim, apiKey, { apiVersion: '2024-06-20' }).subscriptionItems.retrieve(itemId);
  assert.equal('current_period_end' in item, false);
  assert.equal(item.plan.aggregate_usage, null);
});

test('before 2020-08-27 a customer comes with its subscriptions, a tiered plan with its tiers', async () => {
  const { stripe } = sim;
  const oldest = clientFor(sim, apiKey, { apiVersion: '2020-03-02' });
  const { id: product } = await stripe.products.create({ name: 'P' });
  const price = await stripe.prices.create({
    product,
    currency: 'usd',
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [{ up_to: 5, unit_amount: 7 }, { up_to: 'inf', unit_amount: 3 }],
    recurring: { interval: 'month' },
  });
  const { id: customer } = await stripe.customers.create();
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
  const { subscriptions } = await oldest.customers.retrieve(customer);
  assert.deepEqual(subscriptions.data.map((sub) => sub.id), [id]);
  const [sub] = subscriptions.data;
  assert.equal(sub.tax_percent, null);
  assert.equal(sub.current_period_end, (await stripe.subscriptions.retrieve(id)).items.data[0].current_period_end);
  assert.deepEqual(sub.plan.tiers.map((tier) => tier.unit_amount), [7, 3]);
  assert.equal('tiers' in sub.items.data[0].price, false);
  assert.equal('tiers' in (await stripe.plans.retrieve(price.id)), false);
  assert.equal((await oldest.plans.retrieve(price.id)).tiers.length, 2);
  await stripe.subscriptions.cancel(id);
  assert.equal((await oldest.customers.retrieve(customer)).subscriptions.total_count, 0);
});
