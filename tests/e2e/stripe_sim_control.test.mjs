// stripe-sim's control API, the seed, and faults on the API's answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Stripe from 'stripe';

import { startProgram } from './lib/programs.mjs';
import { clientFor, startSim } from './lib/sim.mjs';

let sim;
let stripe;

before(async () => {
  sim = await startSim();
  stripe = sim.stripe;
});
after(() => sim?.stop());

test('it ends cleanly on SIGTERM and SIGINT, also while a request waits', async () => {
  const first = await startSim(['--seed', '77']);
  assert.match(first.stderr(), /seed 77/);
  const endpoint = { url: 'http://127.0.0.1:9/hook', enabled_events: ['*'] };
  await first.stripe.webhookEndpoints.create(endpoint);
  await first.stripe.customers.create();
  const waiting = fetch(`${first.base}/_sim/webhooks/idle?timeout_ms=600000`).catch((error) => error);
  await first.get('/_sim/clock');
  assert.equal(await first.stop('SIGTERM'), 0);
  await waiting;
  const second = await startSim();
  assert.equal(await second.stop('SIGINT'), 0);
});

test('a port that is taken is said so', async () => {
  await assert.rejects(
    startProgram('stripe-sim', ['--port', String(sim.port)]),
    /cannot listen on 127\.0\.0\.1:\d+: Address already in use; choose another/,
  );
});

test('the same seed and the same requests give the same ids', async () => {
  const story = async (seed) => {
    const one = await startSim(['--seed', seed, '--start-time', '1800000000']);
    try {
      await one.post('/_sim/clock', { freeze_at: 1_800_000_000 });
      const { id } = await one.stripe.customers.create({ name: 'A' });
      await one.stripe.customers.retrieve(id);
      await one.stripe.customers.update(id, { name: 'B' });
      const { secret } = await one.stripe.webhookEndpoints.create({
        url: 'http://127.0.0.1:9/',
        enabled_events: ['invoice.paid'],
      });
      const { accounts } = await one.get('/_sim/state?types=customer,event,webhook_endpoint');
      return { secret, accounts };
    } finally {
      await one.stop();
    }
  };
  const first = await story('5');
  // The idempotency keys are the client's own random choice.
  const comparable = (state) => JSON.stringify(state).replaceAll(/"idempotency_key":"[^"]*"/g, '');
  assert.equal(comparable(await story('5')), comparable(first));
  assert.notEqual(comparable(await story('6')), comparable(first));
});

test('state: all objects, those of one key, the kinds asked for', async () => {
  const other = clientFor(sim, 'sk_test_state');
  const kept = await other.customers.create({ name: 'Kept' });
  const gone = await other.customers.create({ name: 'Gone' });
  await other.customers.del(gone.id);
  const { accounts } = await sim.get('/_sim/state?api_key=sk_test_state');
  assert.equal(accounts.length, 1);
  assert.deepEqual(accounts[0].objects, {
    customer: [{ ...kept }, { id: gone.id, object: 'customer', deleted: true }],
  });
  const withEvents = await sim.get('/_sim/state?api_key=sk_test_state&types=event');
  assert.deepEqual(withEvents.accounts[0].objects.event.map(({ type }) => type), [
    'customer.created',
    'customer.created',
    'customer.deleted',
  ]);
});

test('the clock: frozen, advanced, following', async () => {
  assert.equal((await sim.post('/_sim/clock', { freeze_at: 1_900_000_000 })).now, 1_900_000_000);
  assert.equal((await stripe.customers.create()).created, 1_900_000_000);
  assert.equal((await sim.post('/_sim/clock', { advance_seconds: 60 })).now, 1_900_000_060);
  const { now, frozen } = await sim.post('/_sim/clock', { follow: true });
  assert.equal(frozen, false);
  assert.ok(Math.abs(now - Date.now() / 1000) < 60);
  const later = await sim.post('/_sim/clock', { advance_seconds: 3600 });
  assert.ok(Math.abs(later.now - Date.now() / 1000 - 3600) < 60);
  await sim.post('/_sim/clock', { follow: true });
});

test('many customers at once', async () => {
  const bulk = { count: 1200, prefix: 'many', api_key: 'sk_test_bulk' };
  const { created, first_id: firstId, last_id: lastId } = await sim.post('/_sim/customers/bulk', bulk);
  assert.equal(created, 1200);
  const other = clientFor(sim, 'sk_test_bulk');
  const all = await other.customers.list({ limit: 100 }).autoPagingToArray({ limit: 5000 });
  assert.equal(all.length, 1200);
  assert.equal(all[0].id, lastId);
  assert.equal(all.at(-1).id, firstId);
  assert.equal(all.at(-1).email, 'many-000001@example.com');
  assert.equal((await other.events.list({ limit: 100 }).autoPagingToArray({ limit: 5000 })).length, 1200);
});

test('api faults: a status instead of the answer, before or after the effect', async () => {
  const other = clientFor(sim, 'sk_test_faults');
  const count = async () => (await other.customers.list({ limit: 100 })).data.length;
  await sim.post('/_sim/api/faults', {
    next: [{ method: 'POST', path_prefix: '/v1/customers', status: 500, headers: { 'Stripe-Should-Retry': 'false' } }],
  });
  const failed = await other.customers.create().catch((error) => error);
  assert.ok(failed instanceof Stripe.errors.StripeAPIError);
  assert.equal(failed.statusCode, 500);
  assert.equal(failed.headers['stripe-should-retry'], 'false');
  assert.equal(await count(), 0);

  await sim.post('/_sim/api/faults', { next: [{ method: 'POST', status: 429 }] });
  await assert.rejects(other.customers.create(), Stripe.errors.StripeRateLimitError);

  await sim.post('/_sim/api/faults', { next: [{ method: 'POST', status: 503, after: true }] });
  await assert.rejects(other.customers.create(), { statusCode: 503 });
  assert.equal(await count(), 1);
});

test('api faults: reset connections are retried by the client, delays only delay', async () => {
  const other = clientFor(sim, 'sk_test_resets');
  // Even without retries asked for, the client tries a closed connection once more.
  await sim.post('/_sim/api/faults', { next: [{ method: 'POST', reset: true, count: 2 }] });
  await assert.rejects(other.customers.create(), Stripe.errors.StripeConnectionError);
  await sim.post('/_sim/api/faults', { next: [{ method: 'POST', reset: true, count: 2 }] });
  await clientFor(sim, 'sk_test_resets', { maxNetworkRetries: 2 }).customers.create({ name: 'at last' });
  assert.equal((await other.customers.list()).data.length, 1);

  await sim.post('/_sim/api/faults', { next: [{ method: 'GET', path_prefix: '/v1/', delay_ms: 60 }] });
  const start = performance.now();
  await other.customers.list();
  assert.ok(performance.now() - start >= 59);
  assert.equal((await sim.post('/_sim/api/faults', {})).left, 0);
});

test('wrong control requests are told what is wrong', async () => {
  const refused = (path, body, message) => assert.rejects(sim.post(path, body), { status: 400, message });
  await refused('/_sim/webhooks/faults', { drop: 2 }, /body\.drop must be a probability from 0 to 1, not 2/);
  await refused('/_sim/webhooks/faults', { dorp: 1 }, /body has no field 'dorp'/);
  await refused('/_sim/webhooks/faults', { next: [{ action: 'explode' }] }, /next\[\]\.action must be one of/);
  await refused('/_sim/api/faults', { next: [{ status: 200 }] }, /must be 400 to 599/);
  await refused('/_sim/clock', { advance_seconds: 'long' }, /body\.advance_seconds must be a whole number/);
  await assert.rejects(sim.get('/_sim/nothing'), { status: 404 });
  await assert.rejects(sim.post('/_sim/events/evt_no/resend'), { message: /No such event: 'evt_no'/ });
});
