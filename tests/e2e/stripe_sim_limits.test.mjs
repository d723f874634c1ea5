// stripe-sim's rate limits, what it counts, and the faults a client has to live with.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import Stripe from 'stripe';

import { clientFor, startSim } from './lib/sim.mjs';

const hour = 3_600_000;

let sim;

before(async () => {
  sim = await startSim();
});
after(() => sim?.stop());
afterEach(async () => {
  await sim.post('/_sim/api/faults', {});
  await sim.post('/_sim/api/limits', {
    on: false,
    global_live: 100,
    global_test: 25,
    endpoint: 25,
    meter_events_live: 1000,
    global_concurrent: 0,
    endpoint_concurrent: 0,
    window_ms: 1000,
  });
});

const faults = (body) => sim.post('/_sim/api/faults', body);

// The reasons of those that were refused; a request that came through counts as "ok".
async function reasons(calls) {
  const outcomes = {};
  for (const call of calls) {
    const reason = await call().then(
      () => 'ok',
      (error) => {
        assert.ok(error instanceof Stripe.errors.StripeRateLimitError, error.message);
        assert.equal(error.code, 'rate_limit');
        return error.headers['stripe-rate-limited-reason'];
      },
    );
    outcomes[reason] = (outcomes[reason] ?? 0) + 1;
  }
  return outcomes;
}

const times = (count, call) => Array.from({ length: count }, () => call);

test('limits are off until they are switched on, and have Stripe\'s numbers', async () => {
  assert.deepEqual(await sim.get('/_sim/api/limits'), {
    on: false,
    global_live: 100,
    global_test: 25,
    endpoint: 25,
    meter_events_live: 1000,
    global_concurrent: 0,
    endpoint_concurrent: 0,
    window_ms: 1000,
  });
  const client = clientFor(sim, 'sk_live_off');
  assert.deepEqual(await reasons(times(30, () => client.customers.list())), { ok: 30 });
});

test('per account and mode globally, and per endpoint', async () => {
  // An hour for a second: the outcome does not depend on how fast this machine is.
  await sim.post('/_sim/api/limits', { on: true, global_live: 10, global_test: 4, endpoint: 6, window_ms: hour });
  const live = clientFor(sim, 'sk_live_rates');
  assert.deepEqual(await reasons(times(8, () => live.customers.list())), { ok: 6, 'endpoint-rate': 2 });
  assert.deepEqual(await reasons(times(8, () => live.customers.create())), { ok: 4, 'global-rate': 4 });
  const test = clientFor(sim, 'sk_test_rates');
  assert.deepEqual(await reasons(times(6, () => test.customers.list())), { ok: 4, 'global-rate': 2 });
  const other = clientFor(sim, 'sk_live_rates_other');
  assert.deepEqual(await reasons(times(6, () => other.customers.list())), { ok: 6 });
  // Objects of one endpoint share its limit.
  const { id } = await other.customers.create();
  const retrieve = [...times(4, () => other.customers.retrieve(id)), ...times(4, () => other.events.list())];
  assert.deepEqual(await reasons(retrieve), { ok: 3, 'global-rate': 5 });
  assert.equal((await live.customers.list().catch((error) => error)).statusCode, 429);
});

test('meter events have a limit of their own in live mode, and none in test mode', async () => {
  const payload = (customer) => ({ event_name: 'm', payload: { stripe_customer_id: customer.id, value: '1' } });
  const world = async (key) => {
    const client = clientFor(sim, key);
    await client.billing.meters.create({
      display_name: 'm',
      event_name: 'm',
      default_aggregation: { formula: 'sum' },
    });
    const customer = await client.customers.create();
    return { list: () => client.customers.list(), send: () => client.billing.meterEvents.create(payload(customer)) };
  };
  const live = await world('sk_live_meters');
  const test = await world('sk_test_meters');
  const limits = { on: true, global_live: 3, global_test: 3, endpoint: 2, meter_events_live: 5, window_ms: hour };
  await sim.post('/_sim/api/limits', limits);
  assert.deepEqual(await reasons(times(6, live.send)), { ok: 5, 'endpoint-rate': 1 });
  assert.deepEqual(await reasons(times(2, live.list)), { ok: 2 });
  assert.deepEqual(await reasons(times(4, test.send)), { ok: 3, 'global-rate': 1 });
  assert.deepEqual(await reasons(times(1, test.list)), { 'global-rate': 1 });
});

test('requests on their way at once can be limited, too', async () => {
  const limits = { global_concurrent: 'global-concurrency', endpoint_concurrent: 'endpoint-concurrency' };
  for (const [limit, reason] of Object.entries(limits)) {
    const key = `sk_test_${limit}`;
    const client = clientFor(sim, key);
    await sim.post('/_sim/api/limits', { on: true, global_concurrent: 0, [limit]: 1 });
    // One after the other: each leaves before the next comes.
    assert.deepEqual(await reasons(times(3, () => client.customers.list())), { ok: 3 });
    await faults({ next: [{ api_key: key, delay_ms: hour / 6 }] });
    const controller = new AbortController();
    const headers = { authorization: `Bearer ${key}` };
    const slow = fetch(`${sim.base}/v1/customers`, { headers, signal: controller.signal }).catch((error) => error);
    await sim.untilInFlight(key, 1);
    assert.deepEqual(await reasons(times(2, () => client.customers.list())), { [reason]: 2 });
    const elsewhere = limit === 'global_concurrent' ? { [reason]: 1 } : { ok: 1 };
    assert.deepEqual(await reasons([() => client.events.list()]), elsewhere);
    controller.abort();
    await slow;
  }
});

test('stats count requests by endpoint and status, replays, peak and limits', async () => {
  const key = 'sk_test_stats';
  const client = clientFor(sim, key);
  assert.equal(await sim.stats(key), undefined);
  const { id } = await client.customers.create({}, { idempotencyKey: 'k' });
  await client.customers.create({}, { idempotencyKey: 'k' });
  await client.customers.retrieve(id);
  await assert.rejects(client.customers.retrieve('cus_no'));
  await faults({ next: [{ api_key: key, kind: 'endpoint-rate' }, { api_key: key, reset: true, count: 2 }] });
  await assert.rejects(client.customers.list());
  await assert.rejects(client.customers.list());
  const { account, peak_per_second: peak, in_flight_max: most, ...stats } = await sim.stats(key);
  assert.match(account, /^acct_/);
  assert.ok(peak >= 1 && peak <= 7, String(peak));
  assert.ok(most >= 1 && most <= 2, String(most));
  assert.deepEqual(stats, {
    livemode: false,
    requests: 7,
    replayed: 1,
    rate_limited: 1,
    in_flight: 0,
    statuses: { 200: 3, 404: 1, 429: 1, reset: 2 },
    endpoints: {
      'POST /v1/customers': { requests: 2, statuses: { 200: 2 } },
      'GET /v1/customers/{id}': { requests: 2, statuses: { 200: 1, 404: 1 } },
      'GET /v1/customers': { requests: 3, statuses: { 429: 1, reset: 2 } },
    },
  });
  const before = await sim.post('/_sim/api/stats/reset');
  assert.ok(before.accounts.some((counted) => counted.account === account && counted.requests === 7));
  assert.equal((await sim.stats(key)).requests, 0);
  await fetch(`${sim.base}/v1/customers`);
  const { accounts } = await sim.get('/_sim/api/stats');
  assert.deepEqual(accounts.find((counted) => counted.account === null).statuses, { 401: 1 });
});

test('every kind of 429 can be had as a fault', async () => {
  const client = clientFor(sim, 'sk_test_kinds');
  const kinds = ['global-rate', 'global-concurrency', 'endpoint-rate', 'endpoint-concurrency', 'resource-specific'];
  for (const kind of kinds) {
    await faults({ next: [{ kind }] });
    const error = await client.customers.create().catch((reason) => reason);
    assert.ok(error instanceof Stripe.errors.StripeRateLimitError);
    assert.equal(error.headers['stripe-rate-limited-reason'], kind);
    assert.equal(error.code, 'rate_limit');
  }
  await faults({ next: [{ kind: 'lock_timeout' }] });
  const locked = await client.customers.create().catch((reason) => reason);
  assert.equal(locked.statusCode, 429);
  assert.equal(locked.code, 'lock_timeout');
  assert.equal(locked.headers['stripe-rate-limited-reason'], undefined);
  assert.equal((await client.customers.list()).data.length, 0);
  await assert.rejects(faults({ next: [{ kind: 'too-much' }] }), { message: /must be global-rate/ });
});

test('faults strike only the key, account, method and path they are bound to', async () => {
  const one = clientFor(sim, 'sk_test_bound');
  const two = clientFor(sim, 'sk_test_free');
  await faults({ next: [{ api_key: 'sk_test_bound', method: 'POST', status: 500, count: 1 }] });
  await two.customers.create();
  await one.customers.list();
  await assert.rejects(one.customers.create(), { statusCode: 500 });
  const { account } = await sim.stats('sk_test_bound');
  await faults({ next: [{ account, path_prefix: '/v1/events', status: 502, count: 2 }] });
  await two.events.list();
  await one.customers.list();
  await assert.rejects(one.events.list(), { statusCode: 502 });
  await assert.rejects(clientFor(sim, 'rk_test_bound').events.list(), { statusCode: 502 });
});

test('an outage stands until it is ended, for all or for one account', async () => {
  const one = clientFor(sim, 'sk_test_down');
  const two = clientFor(sim, 'sk_test_up');
  const isDown = (client) => client.customers.list().then(() => false, (error) => error.statusCode ?? error.type);
  assert.equal((await faults({ outage: 503 })).outages, 1);
  for (const client of [one, two, one]) {
    assert.equal(await isDown(client), 503);
  }
  await faults({ outage: 'reset' });
  assert.equal(await isDown(two), 'StripeConnectionError');
  await faults({ outage: { api_key: 'sk_test_down', status: 502 } });
  assert.equal(await isDown(one), 502);
  assert.equal(await isDown(two), false);
  // What is for the next requests comes first, and setting it leaves the outage.
  await faults({ next: [{ status: 500 }] });
  assert.equal(await isDown(one), 500);
  assert.equal(await isDown(one), 502);
  await faults({ outage: null });
  assert.equal(await isDown(one), false);
});

test('an outage of some requests: the same seed strikes the same ones', async () => {
  const story = async (seed, name) => {
    const client = clientFor(sim, 'sk_test_chance');
    await faults({ outage: { status: 503, probability: 0.5, seed } });
    const struck = [];
    for (let i = 0; i < 24; ++i) {
      const options = { idempotencyKey: `${name ?? 'chance'}-${i}` };
      struck.push(await client.customers.create({}, options).then(() => 0, () => 1));
    }
    await faults({});
    return struck.join('');
  };
  const first = await story(7);
  assert.equal(await story(7), first);
  assert.notEqual(await story(8), first);
  assert.match(first, /0/);
  assert.match(first, /1/);
});

test('revoked keys are answered 401 until they are no more', async () => {
  const revoked = clientFor(sim, 'sk_test_revoked');
  const sameAccount = clientFor(sim, 'rk_test_revoked');
  await faults({ revoked_keys: ['sk_test_revoked'] });
  const error = await revoked.customers.list().catch((reason) => reason);
  assert.ok(error instanceof Stripe.errors.StripeAuthenticationError);
  assert.equal(error.code, 'api_key_expired');
  assert.match(error.message, /^Expired API Key provided: sk_test_\*+oked$/);
  await sameAccount.customers.list();
  await faults({ revoked_keys: [] });
  await revoked.customers.list();
});
