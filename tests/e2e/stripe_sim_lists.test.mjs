// What every list of stripe-sim has in common: bounds, cursors, created ranges, expand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { clientFor, startSim } from './lib/sim.mjs';

let sim;
let stripe;

before(async () => {
  sim = await startSim();
  stripe = sim.stripe;
});
after(() => sim?.stop());

const refused = (promise, expected = {}) =>
  assert.rejects(promise, { type: 'StripeInvalidRequestError', statusCode: 400, ...expected });

test('a walk through what was created since a time sees each once, whatever changes meanwhile', async () => {
  const other = clientFor(sim, 'sk_test_walk');
  const since = 1_900_000_000;
  const ids = [];
  try {
    for (let i = 0; i < 12; ++i) {
      await sim.post('/_sim/clock', { freeze_at: since - 2 + Math.floor(i / 2) });
      ids.unshift((await other.customers.create({ name: String(i) })).id);
    }
    const seen = [];
    let page = await other.customers.list({ created: { gte: since }, limit: 3 });
    for (;;) {
      seen.push(...page.data.map((customer) => customer.id));
      if (!page.has_more) {
        break;
      }
      // What is new comes first, and the cursor itself may be gone: the walk goes on where it was.
      await other.customers.create();
      await other.customers.del(seen.at(-1));
      const next = { created: { gte: since }, limit: 3, starting_after: seen.at(-1) };
      page = await other.customers.list(next);
    }
    assert.deepEqual(seen, ids.slice(0, 8));
  } finally {
    await sim.post('/_sim/clock', { follow: true });
  }
});

test('what can be expanded is, the rest is refused', async () => {
  const { id } = await stripe.customers.create({ expand: ['default_source'] });
  assert.equal((await stripe.customers.retrieve(id, { expand: ['test_clock'] })).test_clock, null);
  await stripe.customers.list({ limit: 1, expand: ['data.default_source'] });
  const message = 'This property cannot be expanded (colour).';
  await refused(stripe.customers.retrieve(id, { expand: ['colour'] }), { message });
  await refused(stripe.customers.create({ expand: ['colour'] }), { message });
  await refused(stripe.customers.list({ expand: ['default_source'] }), {
    message: /You may want to try expanding 'data\.default_source' instead/,
  });
});

test('lists: what is out of bounds or unknown is refused', async () => {
  const lists = {
    customer: stripe.customers,
    product: stripe.products,
    price: stripe.prices,
    'billing meter': stripe.billing.meters,
    event: stripe.events,
    'webhook endpoint': stripe.webhookEndpoints,
  };
  for (const [noun, resource] of Object.entries(lists)) {
    for (const limit of [0, 101, -1, 'x', 1.5]) {
      await refused(resource.list({ limit }), { param: 'limit' });
    }
    for (const param of ['starting_after', 'ending_before']) {
      const expected = { param, code: 'resource_missing', message: `No such ${noun}: 'x_no'` };
      await refused(resource.list({ [param]: 'x_no' }), expected);
    }
    await refused(resource.list({ starting_after: 'a', ending_before: 'b' }), { statusCode: 400 });
    await refused(resource.list({ colour: 'red' }), { code: 'parameter_unknown', param: 'colour' });
    await refused(resource.list({ expand: ['data.colour'] }), { statusCode: 400 });
  }
});
