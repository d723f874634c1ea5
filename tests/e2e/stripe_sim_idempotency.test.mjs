// stripe-sim's idempotency keys: Stripe's rules, also where requests are slow or fail.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Stripe from 'stripe';

import { clientFor, postForm, startSim } from './lib/sim.mjs';
import { waitFor } from './lib/wait.mjs';

let sim;

before(async () => {
  sim = await startSim();
});
after(() => sim?.stop());

const count = async (client) => (await client.customers.list({ limit: 100 })).data.length;
const fault = (next) => sim.post('/_sim/api/faults', { next: [{ path_prefix: '/v1/customers', ...next }] });

test('a repeated key gets the first result, word for word, and changes nothing', async () => {
  const key = 'sk_test_replay';
  const client = clientFor(sim, key);
  const headers = { 'idempotency-key': 'k-1' };
  const first = await postForm(sim, '/v1/customers', 'name=A&metadata[a]=1', { key, headers });
  const second = await postForm(sim, '/v1/customers', 'metadata[a]=1&name=A', { key, headers });
  assert.equal(first.status, 200);
  assert.equal(second.text, first.text);
  assert.equal(first.headers.get('idempotent-replayed'), null);
  assert.equal(second.headers.get('idempotent-replayed'), 'true');
  assert.equal(second.headers.get('idempotency-key'), 'k-1');
  assert.equal(second.headers.get('original-request'), first.headers.get('request-id'));
  assert.notEqual(second.headers.get('request-id'), first.headers.get('request-id'));
  assert.equal(await count(client), 1);
  assert.deepEqual((await client.events.list()).data.map(({ type }) => type), ['customer.created']);
});

test('other parameters or another path under a key are refused', async () => {
  const client = clientFor(sim, 'sk_test_mismatch');
  const options = { idempotencyKey: 'k-2' };
  const { id } = await client.customers.create({ name: 'A' }, options);
  const otherParameters = await client.customers.create({ name: 'B' }, options).catch((error) => error);
  assert.ok(otherParameters instanceof Stripe.errors.StripeIdempotencyError);
  assert.equal(otherParameters.statusCode, 400);
  assert.equal(otherParameters.rawType, 'idempotency_error');
  assert.match(
    otherParameters.message,
    /^Keys for idempotent requests can only be used with the same parameters .* key other than 'k-2'/,
  );
  await assert.rejects(client.customers.update(id, { name: 'A' }, options), {
    type: 'StripeIdempotencyError',
    message: new RegExp(`for the same endpoint .*'/v1/customers' vs '/v1/customers/${id}'`),
  });
  assert.equal(await count(client), 1);
});

test('keys belong to one account and one mode', async () => {
  const ids = [];
  for (const key of ['sk_test_k1', 'sk_test_k2', 'sk_live_k1', 'rk_test_k1']) {
    ids.push((await clientFor(sim, key).customers.create({ name: key.slice(8) }, { idempotencyKey: 'same' })
      .catch((error) => error)).id);
  }
  assert.equal(new Set(ids.slice(0, 3)).size, 3);
  assert.equal(ids[3], ids[0]);
});

test('a wrong parameter is not kept, what depends on other objects is', async () => {
  const client = clientFor(sim, 'sk_test_kept');
  await assert.rejects(client.customers.create({ email: 'nobody' }, { idempotencyKey: 'wrong' }), { statusCode: 400 });
  await client.customers.create({ email: 'a@example.com' }, { idempotencyKey: 'wrong' });

  const product = { name: 'P', id: 'prod_later' };
  const price = { currency: 'usd', unit_amount: 1, product: product.id };
  const options = { idempotencyKey: 'missing' };
  await assert.rejects(client.prices.create(price, options), { statusCode: 400, code: 'resource_missing' });
  await client.products.create(product);
  const kept = await client.prices.create(price, options).catch((error) => error);
  assert.equal(kept.code, 'resource_missing');
  assert.equal(kept.headers['idempotent-replayed'], 'true');
  await client.prices.create(price, { idempotencyKey: 'another' });
});

test('a key of more than 255 characters is refused', async () => {
  const client = clientFor(sim, 'sk_test_long');
  await client.customers.create({}, { idempotencyKey: 'k'.repeat(255) });
  await assert.rejects(client.customers.create({}, { idempotencyKey: 'k'.repeat(256) }), {
    statusCode: 400,
    message: /at most 255 characters/,
  });
});

test('a key is forgotten after 24 hours of the simulated clock', async () => {
  const client = clientFor(sim, 'sk_test_day');
  const create = async () => (await client.customers.create({ name: 'A' }, { idempotencyKey: 'day' })).id;
  try {
    await sim.post('/_sim/clock', { freeze_at: 1_900_000_000 });
    const first = await create();
    await sim.post('/_sim/clock', { advance_seconds: 86_399 });
    assert.equal(await create(), first);
    await sim.post('/_sim/clock', { advance_seconds: 1 });
    assert.notEqual(await create(), first);
  } finally {
    await sim.post('/_sim/clock', { follow: true });
  }
});

test('a DELETE takes no key: the second one finds nothing', async () => {
  const client = clientFor(sim, 'sk_test_delete');
  const { id } = await client.customers.create();
  await client.customers.del(id, undefined, { idempotencyKey: 'd' });
  await assert.rejects(client.customers.del(id, undefined, { idempotencyKey: 'd' }), { code: 'resource_missing' });
});

for (const when of ['before', 'after']) {
  test(`while the first request is slow ${when} execution, its key is in use`, async () => {
    const client = clientFor(sim, `sk_test_slow_${when}`);
    const options = { idempotencyKey: 'slow' };
    await fault({ delay_ms: 600_000, after: when === 'after', api_key: `sk_test_slow_${when}` });
    const controller = new AbortController();
    const slow = fetch(`${sim.base}/v1/customers`, {
      method: 'POST',
      body: 'name=A',
      headers: {
        authorization: `Bearer sk_test_slow_${when}`,
        'content-type': 'application/x-www-form-urlencoded',
        'idempotency-key': 'slow',
      },
      signal: controller.signal,
    }).catch((error) => error);
    await sim.untilInFlight(`sk_test_slow_${when}`, 1);
    const second = await client.customers.create({ name: 'A' }, options).catch((error) => error);
    assert.equal(second.statusCode, 409);
    assert.equal(second.code, 'idempotency_key_in_use');
    assert.equal(await count(client), when === 'after' ? 1 : 0);
    await assert.rejects(client.customers.create({ name: 'B' }, options), { rawType: 'idempotency_error' });
    controller.abort();
    await slow;
  });
}

test('slow answers come in the end, and are kept', async () => {
  const client = clientFor(sim, 'sk_test_slow');
  for (const after of [false, true]) {
    const options = { idempotencyKey: `slow-${after}` };
    await fault({ delay_ms: 30, after });
    const { id } = await client.customers.create({ name: 'A' }, options);
    assert.equal((await client.customers.create({ name: 'A' }, options)).id, id);
  }
  assert.equal(await count(client), 2);
});

test('a client that gives up does not stop a request that is under way', async () => {
  const key = 'sk_test_gone';
  const client = clientFor(sim, key);
  await fault({ delay_ms: 200, method: 'POST' });
  const controller = new AbortController();
  const headers = { authorization: `Bearer ${key}`, 'idempotency-key': 'gone' };
  const url = `${sim.base}/v1/customers`;
  const given = fetch(url, { method: 'POST', headers, signal: controller.signal }).catch((error) => error.name);
  await sim.untilInFlight(key, 1);
  controller.abort();
  assert.equal(await given, 'AbortError');
  await waitFor(async () => (await sim.stats(key)).in_flight === 0, 'a request that nobody waits for');
  assert.equal(await count(client), 1);
  const again = await postForm(sim, '/v1/customers', '', { key, headers: { 'idempotency-key': 'gone' } });
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
});

test('a 500 before execution leaves no trace; one after is kept as that 500', async () => {
  const client = clientFor(sim, 'sk_test_500');
  await fault({ status: 500 });
  await assert.rejects(client.customers.create({}, { idempotencyKey: 'early' }), { statusCode: 500 });
  assert.equal(await count(client), 0);
  await client.customers.create({}, { idempotencyKey: 'early' });
  assert.equal(await count(client), 1);

  await fault({ status: 500, after: true });
  await assert.rejects(client.customers.create({}, { idempotencyKey: 'late' }), { statusCode: 500 });
  const again = await client.customers.create({}, { idempotencyKey: 'late' }).catch((error) => error);
  assert.equal(again.statusCode, 500);
  assert.equal(again.headers['idempotent-replayed'], 'true');
  assert.equal(await count(client), 2);
});

test('what the edge answers after execution hides a result that is kept', async () => {
  const client = clientFor(sim, 'sk_test_edge');
  let expected = 0;
  for (const struck of [{ status: 502 }, { status: 503 }, { reset: true, count: 2 }]) {
    const options = { idempotencyKey: JSON.stringify(struck) };
    await fault({ ...struck, after: true });
    // The client itself tries a reset connection once more, which is why that fault strikes twice.
    await assert.rejects(client.customers.create({}, options), (error) =>
      struck.reset ? error instanceof Stripe.errors.StripeConnectionError : error.statusCode === struck.status,
    );
    assert.equal(await count(client), (expected += 1));
    const { lastResponse } = await client.customers.create({}, options);
    assert.equal(lastResponse.headers['idempotent-replayed'], 'true');
    assert.equal(await count(client), expected);
  }
});

test('a 429 and a 401 are not kept', async () => {
  const client = clientFor(sim, 'sk_test_429');
  const options = { idempotencyKey: 'early' };
  await fault({ kind: 'lock_timeout' });
  await assert.rejects(client.customers.create({}, options), { statusCode: 429, code: 'lock_timeout' });
  await sim.post('/_sim/api/faults', { revoked_keys: ['sk_test_429'] });
  await assert.rejects(client.customers.create({}, options), { statusCode: 401, code: 'api_key_expired' });
  await sim.post('/_sim/api/faults', {});
  const { lastResponse } = await client.customers.create({}, options);
  assert.equal(lastResponse.headers['idempotent-replayed'], undefined);
});
