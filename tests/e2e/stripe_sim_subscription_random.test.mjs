// Random lives of stripe-sim's subscriptions: whatever is done to them, their events tell all of it, in order.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startSim } from './lib/sim.mjs';
import { day, startBilling } from './lib/sim_billing.mjs';

const start = 1_900_000_000;
const steps = 400;
const behaviors = ['default_incomplete', 'error_if_incomplete', 'pending_if_incomplete'];

let sim;

before(async () => (sim = await startSim()));
after(() => sim?.stop());

function randomFrom(seed) {
  let state = seed;
  const below = (n) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor(state / 65_536) % n;
  };
  return { below, pick: (list) => list[below(list.length)], sometimes: (params) => (below(5) === 0 ? params() : {}) };
}

// What an update or a creation asks for, sensible or not.
function someParams({ below, pick, sometimes }, now) {
  return {
    ...sometimes(() => ({ trial_end: pick(['now', now + below(40) * day]) })),
    ...sometimes(() => ({ payment_behavior: pick(behaviors) })),
    ...sometimes(() => ({ proration_behavior: pick(['always_invoice', 'none']) })),
    ...sometimes(() => ({ cancel_at_period_end: pick([true, false]) })),
    ...sometimes(() => ({ cancel_at: pick(['', 'max_period_end', now + below(60) * day + 1]) })),
    ...sometimes(() => pick([{ collection_method: 'send_invoice', days_until_due: below(20) }, { description: 'D' }])),
    ...sometimes(() => ({ trial_settings: { end_behavior: { missing_payment_method: pick(['pause', 'cancel']) } } })),
    ...sometimes(() => ({ metadata: pick([{ a: String(below(9)) }, '']) })),
  };
}

const operations = {
  create: async ({ billing, random, prices, now, ids }) => {
    const items = [{ price: random.pick(prices), quantity: random.below(4) }, { price: random.pick(prices) }];
    ids.push((await billing.subscribe({ ...someParams(random, now), items })).id);
  },
  update: async ({ billing, random, prices, now, id }) => {
    const { data } = (await billing.client.subscriptions.retrieve(id)).items;
    const { id: item } = random.pick(data);
    const change = [{ id: item, price: random.pick(prices) }, { id: item, deleted: true }, { id: item, quantity: 7 }];
    const items = random.pick([undefined, [random.pick([...change, { price: random.pick(prices) }])]]);
    const pause_collection = random.pick([undefined, undefined, '', { behavior: 'void', resumes_at: now + day }]);
    const params = { ...someParams(random, now), items, pause_collection };
    await billing.client.subscriptions.update(id, params);
  },
  addItem: ({ billing, random, prices, id }) =>
    billing.client.subscriptionItems.create({ subscription: id, price: random.pick(prices) }),
  cancel: ({ billing, random, id }) => random.below(4) === 0 && billing.client.subscriptions.cancel(id),
  pause: ({ billing, random, id }) => random.below(4) === 0 && billing.client.subscriptions.pause(id),
  resume: ({ billing, id }) => billing.client.subscriptions.resume(id),
  pay: ({ billing, random }) =>
    billing.payments({ succeed: random.below(2) === 0, after_last_try: random.pick(['canceled', 'unpaid']) }),
  advance: ({ billing, random }) => billing.advance(random.pick([5, day, 5 * day, 30 * day])),
};

// What the events say: each continues where the one before it ended.
function fold(events) {
  const last = new Map();
  let moment = 0;
  for (const { id, type, created, data } of events) {
    assert.ok(created >= moment, `${id} is of an earlier moment than the event before it`);
    moment = created;
    const old = last.get(data.object.id);
    if (type === 'customer.subscription.updated') {
      for (const [field, value] of Object.entries(data.previous_attributes)) {
        if (field === 'items') {
          assert.deepEqual(value.data, old.items.data, id);
        } else if (value === null || typeof value !== 'object') {
          assert.deepEqual(value, old[field] ?? null, `${id} ${field}`);
        }
      }
      assert.notDeepEqual(data.object, old, id);
    } else if (old && type !== 'customer.subscription.deleted') {
      assert.deepEqual(data.object, old, `${id} changes something without customer.subscription.updated`);
    }
    last.set(data.object.id, data.object);
  }
  return last;
}

for (const seed of [1, 2, 3]) {
  test(`events tell the whole life, seed ${seed}`, async () => {
    const key = `sk_test_random_${seed}`;
    const billing = await startBilling(sim, key, start);
    const random = randomFrom(seed);
    const others = [await billing.price(5, 'week'), await billing.price(0, 'year')];
    const prices = [billing.gold, billing.silver, ...others.map(({ id }) => id)];
    const ids = [];
    for (let step = 0; step < steps; ++step) {
      const { now } = await sim.get('/_sim/clock');
      const operation = ids.length === 0 ? 'create' : random.pick(Object.keys(operations));
      try {
        await operations[operation]({ billing, random, prices, now, ids, id: random.pick(ids) });
      } catch (error) {
        assert.ok((error.statusCode ?? error.status) < 500, `${operation}: ${error.message}`);
      }
    }
    const { now } = await sim.get('/_sim/clock');
    const last = fold((await billing.events()).filter(({ data }) => data.object.object === 'subscription'));
    const kept = await sim.objects('subscription', key);
    assert.ok(kept.length > 5);
    for (const subscription of kept) {
      assert.deepEqual(last.get(subscription.id), subscription);
      if (!['paused', 'canceled', 'incomplete_expired'].includes(subscription.status)) {
        assert.ok(subscription.items.data.every((item) => item.current_period_end > now), subscription.id);
      }
    }
  });
}
