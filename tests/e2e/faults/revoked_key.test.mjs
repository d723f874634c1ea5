// The Stripe key of one of two tenants is revoked: its changes and its usage wait and say why, Stripe is asked at most
// once a minute whether the key works again, and the other tenant goes on. A new key makes all of it go out at once.
//
// FLEXSYNC_TEST_REVOKED_SECONDS=65  how long the key stays revoked; a minute and a little shows one probe
// FLEXSYNC_TEST_SEED=               replays the changes of a printed seed
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { Business, promptUsage } from '../lib/business.mjs';
import { call, makePlace, startServer } from '../lib/flexsync.mjs';
import { startSim } from '../lib/sim.mjs';
import { chooseSeed, seededRandom, waitFor } from '../lib/wait.mjs';

const revokedMs = Number(process.env.FLEXSYNC_TEST_REVOKED_SECONDS ?? 65) * 1_000;
const seed = chooseSeed('FLEXSYNC_TEST_SEED');

const probeMs = 60_000;
const pauseMs = 150;
const drainMsMax = 30_000;

const random = seededRandom(seed);
let place;
let sim;
let server;
let revoked;
let other;

before(async () => {
  console.log(`# FLEXSYNC_TEST_SEED=${seed}`);
  place = makePlace();
  sim = await startSim(['--seed', String(seed)]);
  server = await startServer(place, { ...promptUsage, FLEXSYNC_STRIPE_API_BASE: sim.base });
  const shared = { server, place, sim, random, pauseMs };
  revoked = await Business.open({ ...shared, name: 'revoked' });
  other = await Business.open({ ...shared, name: 'other' });
  await revoked.waitUntilDrained();
  await other.waitUntilDrained();
  await sim.post('/_sim/api/stats/reset');
});

after(async () => {
  for (const business of [revoked, other]) {
    if (business) {
      business.running = false;
    }
  }
  await place?.remove();
  await sim?.stop();
});

test('a revoked key pauses its tenant, and is probed at most once a minute', async () => {
  await sim.post('/_sim/api/faults', { revoked_keys: [revoked.stripeKey] });
  await revoked.update(); // Stripe tells of it here
  await waitFor(async () => (await revoked.asked()).requests > 0, 'the request that finds out');
  const begin = performance.now();
  revoked.start();
  while (performance.now() - begin < revokedMs) {
    const { id, version } = await other.update({ wait: true });
    assert.equal((await other.inStripe(id)).name, `v${version}`, 'it was in Stripe when it was answered');
    const { requests } = await revoked.asked();
    const probesMax = Math.floor((performance.now() - begin) / probeMs);
    assert.ok(requests - 1 <= probesMax, `${requests - 1} probes, ${Math.round(performance.now() - begin)} ms`);
    await pause(pauseMs);
  }
  const { requests, statuses } = await revoked.asked();
  assert.deepEqual(statuses, { 401: requests });
  console.log(`# ${revoked.changes} changes and ${revoked.events} usage events made ${requests} requests`);
});

test('what waits says why', async () => {
  const waiting = await revoked.outbox();
  assert.ok(waiting.pagination.total > 0, 'changes wait');
  const { error, attempts } = waiting.items.at(-1); // the oldest, which was the first to find out
  assert.equal(error?.code, 'not_connected');
  assert.match(error.message, /key/i);
  assert.equal(attempts, 0, 'an attempt that never was');
  const batches = await revoked.batches();
  assert.ok(batches.pagination.total > 0, 'usage waits');
  assert.ok(batches.items.some((batch) => /key/i.test(batch.error_message)), 'no batch has a reason');
  assert.equal((await other.outbox()).pagination.total, 0, 'nothing of the other tenant waits');
});

test('a new key makes all of it go out at once', async () => {
  const { connections } = await call(server, 'GET', '/v1/connections', undefined, revoked.tenant.key);
  const secrets = { secret_key: revoked.stripeKey.replace('sk_', 'rk_') }; // of the same account
  const [{ id }] = connections;
  await call(server, 'PUT', `/v1/connections/${id}`, { encrypted_secret_data: secrets }, revoked.tenant.key);
  await revoked.stop();
  await revoked.waitUntilDrained(drainMsMax);
  await other.waitUntilDrained();
  await revoked.assertToldInOrder();
  await other.assertToldInOrder();
  assert.equal((await server.stop()).code, 0);
});
