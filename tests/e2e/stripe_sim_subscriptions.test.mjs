// stripe-sim's subscriptions: how they begin, how they are read, how they are cancelled; driven by the official client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startSim } from './lib/sim.mjs';
import { day, plain, startBilling } from './lib/sim_billing.mjs';

const now = Date.UTC(2030, 0, 31, 12) / 1000;
const monthEnd = Date.UTC(2030, 1, 28, 12) / 1000;

let sim;

before(async () => (sim = await startSim()));
after(() => sim?.stop());

test('a subscription has the whole shape, and its creation is an event', async () => {
  const { client, customer, gold, events } = await startBilling(sim, 'sk_test_shape', now);
  const params = {
    customer,
    items: [{ price: gold, quantity: 3, metadata: { a: 'b' } }],
    description: 'D',
    metadata: { c: 'd' },
  };
  const subscription = await client.subscriptions.create(params, { idempotencyKey: 'key-1' });
  const { id } = subscription;
  assert.match(id, /^sub_[0-9A-Za-z]{24}$/);
  const { items, ...rest } = plain(subscription);
  assert.deepEqual(rest, {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: now,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible', updated_at: now },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: 'charge_automatically',
    created: now,
    currency: 'usd',
    customer,
    customer_account: null,
    days_until_due: null,
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: 'D',
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    latest_invoice: null,
    livemode: false,
    managed_payments: { enabled: false },
    metadata: { c: 'd' },
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: 'off',
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: now,
    status: 'active',
    test_clock: null,
    transfer_data: null,
    trial_end: null,
    trial_settings: { end_behavior: { billing_cycle_anchor: null, missing_payment_method: 'create_invoice' } },
    trial_start: null,
  });
  assert.match(items.data[0].id, /^si_[0-9A-Za-z]{14}$/);
  assert.deepEqual(items, {
    object: 'list',
    data: [
      {
        id: items.data[0].id,
        object: 'subscription_item',
        billing_thresholds: null,
        created: now,
        current_period_end: monthEnd,
        current_period_start: now,
        current_trial: null,
        discounts: [],
        metadata: { a: 'b' },
        plan: plain(await client.plans.retrieve(gold)),
        price: plain(await client.prices.retrieve(gold)),
        quantity: 3,
        subscription: id,
        tax_rates: [],
      },
    ],
    has_more: false,
    total_count: 1,
    url: `/v1/subscription_items?subscription=${id}`,
  });
  const [event, ...others] = await events();
  assert.deepEqual(others, []);
  assert.equal(event.type, 'customer.subscription.created');
  assert.deepEqual(plain(event.data), { object: plain(subscription) });
  assert.deepEqual(event.request, { id: subscription.lastResponse.requestId, idempotency_key: 'key-1' });
  assert.deepEqual(plain(await client.subscriptions.retrieve(id)), plain(subscription));
});

test('expanded: the customer and the products', async () => {
  const { client, customer, product, subscribe } = await startBilling(sim, 'sk_test_expand', now);
  const expand = ['customer', 'items.data.price.product', 'latest_invoice'];
  const { id } = await subscribe({ expand });
  const shown = await client.subscriptions.retrieve(id, { expand });
  assert.equal(shown.customer.id, customer);
  assert.equal(shown.items.data[0].price.product.id, product);
  assert.equal(shown.items.data[0].plan.product, product);
  assert.equal((await client.subscriptions.list({ expand: ['data.customer'] })).data[0].customer.name, 'C');
  await assert.rejects(client.subscriptions.retrieve(id, { expand: ['items'] }), { param: 'expand' });
});

test('how it begins: paid, unpaid, nothing to pay, by invoice', async () => {
  const billing = await startBilling(sim, 'sk_test_begin', now);
  const { subscribe, payments, price } = billing;
  const status = async (params) => (await subscribe(params)).status;
  assert.equal(await status(), 'active');
  assert.equal(await status({ payment_behavior: 'default_incomplete' }), 'incomplete');
  await payments({ succeed: false });
  assert.equal(await status(), 'incomplete');
  assert.equal(await status({ payment_behavior: 'allow_incomplete' }), 'incomplete');
  await billing.events();
  const declined = { statusCode: 402, type: 'StripeCardError', code: 'card_declined' };
  await assert.rejects(subscribe({ payment_behavior: 'error_if_incomplete' }), declined);
  assert.deepEqual(await billing.events(), []);
  await assert.rejects(subscribe({ payment_behavior: 'pending_if_incomplete' }), { param: 'payment_behavior' });
  const free = await price(0);
  assert.equal(await status({ items: [{ price: free.id }] }), 'active');
  const invoiced = await subscribe({ collection_method: 'send_invoice', days_until_due: 30 });
  assert.deepEqual([invoiced.status, invoiced.days_until_due], ['active', 30]);
  await assert.rejects(subscribe({ collection_method: 'send_invoice' }), { param: 'days_until_due' });
  await assert.rejects(subscribe({ days_until_due: 30 }), { param: 'days_until_due' });
});

test('trials: days, an end, the plan\'s own; the anchor and the periods follow', async () => {
  const { client, customer, product, subscribe } = await startBilling(sim, 'sk_test_trial_begin', now);
  const shape = ({ status, trial_start, trial_end, billing_cycle_anchor, items }) => {
    const { current_period_start, current_period_end } = items.data[0];
    return { status, trial_start, trial_end, billing_cycle_anchor, current_period_start, current_period_end };
  };
  const trial = (end) => ({
    status: 'trialing',
    trial_start: now,
    trial_end: end,
    billing_cycle_anchor: end,
    current_period_start: now,
    current_period_end: end,
  });
  assert.deepEqual(shape(await subscribe({ trial_period_days: 14 })), trial(now + 14 * day));
  assert.deepEqual(shape(await subscribe({ trial_end: now + 100 })), trial(now + 100));
  const plan = { currency: 'usd', amount: 1, interval: 'month', product, trial_period_days: 7 };
  const { id } = await client.plans.create(plan);
  const items = [{ plan: id }];
  assert.equal((await client.subscriptions.create({ customer, items })).status, 'active');
  const from_plan = await client.subscriptions.create({ customer, items, trial_from_plan: true });
  assert.deepEqual(shape(from_plan), trial(now + 7 * day));
  assert.equal((await subscribe({ trial_end: 'now' })).status, 'active');
  await assert.rejects(subscribe({ trial_end: now }), { param: 'trial_end' });
  await assert.rejects(subscribe({ trial_end: now + 731 * day }), { param: 'trial_end' });
  await assert.rejects(subscribe({ trial_end: now + 9, trial_period_days: 1 }), { param: 'trial_period_days' });
  await assert.rejects(subscribe({ trial_period_days: 0 }), { param: 'trial_period_days' });
});

test('a cycle may be anchored later, within its first period', async () => {
  const { subscribe } = await startBilling(sim, 'sk_test_anchor', now);
  const anchored = await subscribe({ billing_cycle_anchor: now + 10 * day });
  assert.equal(anchored.billing_cycle_anchor, now + 10 * day);
  assert.equal(anchored.items.data[0].current_period_end, now + 10 * day);
  await assert.rejects(subscribe({ billing_cycle_anchor: monthEnd + 1 }), { param: 'billing_cycle_anchor' });
});

test('lists: by customer, price, plan, status; canceled ones only on request', async () => {
  const { client, customer, gold, silver, subscribe } = await startBilling(sim, 'sk_test_sub_lists', now);
  const { id: other } = await client.customers.create();
  const active = (await subscribe()).id;
  const trialing = (await subscribe({ trial_period_days: 5, items: [{ price: silver }] })).id;
  const others = (await client.subscriptions.create({ customer: other, items: [{ price: gold }] })).id;
  const canceled = (await subscribe()).id;
  await client.subscriptions.cancel(canceled);
  const ids = async (params) => (await client.subscriptions.list(params)).data.map(({ id }) => id);
  assert.deepEqual(await ids(), [others, trialing, active]);
  assert.deepEqual(await ids({ status: 'all' }), [canceled, others, trialing, active]);
  assert.deepEqual(await ids({ status: 'canceled' }), [canceled]);
  assert.deepEqual(await ids({ status: 'ended' }), [canceled]);
  assert.deepEqual(await ids({ status: 'trialing' }), [trialing]);
  assert.deepEqual(await ids({ customer: other }), [others]);
  assert.deepEqual(await ids({ customer, price: gold }), [active]);
  assert.deepEqual(await ids({ plan: silver }), [trialing]);
  assert.deepEqual(await ids({ limit: 1, starting_after: others }), [trialing]);
  await assert.rejects(client.subscriptions.list({ status: 'gone' }), { param: 'status' });
});

test('cancelled now: one event, and then it is gone but for reading and its metadata', async () => {
  const billing = await startBilling(sim, 'sk_test_cancel', now);
  const { client, subscribe } = billing;
  const { id } = await subscribe();
  await billing.events();
  await billing.advance(9);
  const cancellation_details = { comment: 'bye', feedback: 'unused' };
  const canceled = await client.subscriptions.cancel(id, { cancellation_details, prorate: true });
  assert.deepEqual(
    [canceled.status, canceled.canceled_at, canceled.ended_at, canceled.cancel_at],
    ['canceled', now + 9, now + 9, null],
  );
  assert.deepEqual(canceled.cancellation_details, {
    ...cancellation_details,
    feedback_option: null,
    reason: 'cancellation_requested',
  });
  const [event, ...others] = await billing.events();
  assert.deepEqual([event.type, others], ['customer.subscription.deleted', []]);
  assert.deepEqual(plain(event.data), { object: plain(canceled) });
  await assert.rejects(client.subscriptions.cancel(id), { statusCode: 404, code: 'resource_missing', param: 'id' });
  await assert.rejects(client.subscriptions.update(id, { description: 'x' }), { message: /^A canceled subscription/ });
  await client.subscriptions.update(id, { metadata: { a: 'b' } });
  assert.deepEqual(await billing.story(), [['updated', 'canceled', 9]]);
});

test('a deleted customer takes its subscriptions with it', async () => {
  const billing = await startBilling(sim, 'sk_test_customer_gone', now);
  const { id } = await billing.subscribe();
  await billing.events();
  await billing.client.customers.del(billing.customer);
  assert.deepEqual(await billing.story(), [
    ['deleted', 'canceled', 0],
    ['customer.deleted', undefined, 0],
  ]);
  assert.equal((await billing.client.subscriptions.retrieve(id, { expand: ['customer'] })).customer.deleted, true);
});

test('what is refused is refused as Stripe does, and changes nothing', async () => {
  const billing = await startBilling(sim, 'sk_test_sub_errors', now);
  const { client, product, gold, silver, subscribe } = billing;
  const once = await client.prices.create({ product, currency: 'usd', unit_amount: 1 });
  const euro = await billing.price(1, 'month', { currency: 'eur' });
  const retired = await billing.price(1);
  await client.prices.update(retired.id, { active: false });
  const many = [];
  for (let i = 0; i < 21; ++i) {
    many.push({ price: (await billing.price(i)).id });
  }
  await billing.events();
  const refused = (params, expected) => assert.rejects(subscribe(params), expected);
  await refused({ customer: 'cus_no' }, { code: 'resource_missing', param: 'customer', statusCode: 400 });
  await refused({ customer: undefined }, { code: 'parameter_missing', param: 'customer' });
  await refused({ items: [] }, { code: 'parameter_missing', param: 'items' });
  await refused({ items: [{ quantity: 1 }] }, { param: 'items[0][price]' });
  await refused({ items: [{ price: 'price_no' }] }, { code: 'resource_missing', param: 'items[0][price]' });
  await refused({ items: [{ price: gold, plan: gold }] }, { param: 'items[0][price]' });
  await refused({ items: [{ price: once.id }] }, { message: /type=one_time/ });
  await refused({ items: [{ price: retired.id }] }, { message: /inactive/ });
  await refused({ items: [{ price: gold }, { price: euro.id }] }, { param: 'items[1][price]', message: /currency/ });
  await refused({ currency: 'eur' }, { message: /currency/ });
  await refused({ items: [{ price: gold }, { price: gold }] }, { message: /multiple subscription items/ });
  await refused({ items: many }, { param: 'items', message: /20/ });
  await refused({ items: [{ price: gold, quantity: -1 }] }, { param: 'items[0][quantity]' });
  await refused({ items: [{ price: gold, colour: 'red' }] }, { code: 'parameter_unknown', param: 'items[0][colour]' });
  await refused({ colour: 'red' }, { code: 'parameter_unknown', param: 'colour' });
  await refused({ add_invoice_items: [{ price: silver }] }, { message: /stripe-sim does not know/ });
  await assert.rejects(client.subscriptions.retrieve('sub_no'), { code: 'resource_missing', statusCode: 404 });
  await assert.rejects(client.subscriptions.resume((await subscribe()).id), { message: /not paused/ });
  assert.deepEqual(await billing.story(), [['created', 'active', 0]]);

  // Twenty are allowed, of which ten are shown within the subscription.
  const full = await subscribe({ items: many.slice(1) });
  assert.deepEqual([full.items.data.length, full.items.has_more, full.items.total_count], [10, true, 20]);
  const listed = await client.subscriptionItems.list({ subscription: full.id }).autoPagingToArray({ limit: 100 });
  assert.equal(new Set(listed.map(({ price }) => price.id)).size, 20);
  await billing.events();
  await client.subscriptionItems.update(listed[15].id, { quantity: 2 });
  const [{ data }] = await billing.events();
  assert.deepEqual([data.object.items.data.length, data.previous_attributes.items.data.length], [10, 10]);
});
