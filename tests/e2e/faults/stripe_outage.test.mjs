// Stripe is away for one of two tenants: first it resets every connection, then it answers 503. What arrives meanwhile
// is kept and told afterwards, all of it, in order per customer and within the rate limit; the other tenant never
// notices. The server's clock is the real one, so the outage here is short; tests/actor has one of ten minutes by a
// clock of its own.
//
// FLEXSYNC_TEST_OUTAGE_SECONDS=20  a long run takes 600
// FLEXSYNC_TEST_SEED=              replays the changes of a printed seed
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { Business, promptUsage } from '../lib/business.mjs';
import { makePlace, startServer } from '../lib/flexsync.mjs';
import { startSim } from '../lib/sim.mjs';
import { chooseSeed, seededRandom } from '../lib/wait.mjs';

const outageMs = Number(process.env.FLEXSYNC_TEST_OUTAGE_SECONDS ?? 20) * 1_000;
const seed = chooseSeed('FLEXSYNC_TEST_SEED');

const testRate = 25; // a second: Stripe's own, of which the server takes its default of 20 and their burst of 5
const pauseMs = 150; // between two requests of a tenant
const drainMsMax = 90_000 + outageMs; // the breaker's longest pause; the backlog is below the rate times the outage

const random = seededRandom(seed);
let place;
let sim;
let server;
let unlucky;
let lucky;

const outage = (fault) => sim.post('/_sim/api/faults', { outage: fault && { api_key: unlucky.stripeKey, ...fault } });

before(async () => {
  console.log(`# FLEXSYNC_TEST_SEED=${seed}`);
  place = makePlace();
  sim = await startSim(['--seed', String(seed)]);
  server = await startServer(place, { ...promptUsage, FLEXSYNC_STRIPE_API_BASE: sim.base });
  const shared = { server, place, sim, random, pauseMs };
  unlucky = await Business.open({ ...shared, name: 'unlucky' });
  lucky = await Business.open({ ...shared, name: 'lucky' });
  await unlucky.waitUntilDrained();
  await lucky.waitUntilDrained();
  await sim.post('/_sim/api/limits', { on: true, global_test: testRate, endpoint: testRate });
  await sim.post('/_sim/api/stats/reset');
});

after(async () => {
  for (const business of [unlucky, lucky]) {
    if (business) {
      business.running = false;
    }
  }
  await place?.remove();
  await sim?.stop();
});

// A change of the other tenant's is in Stripe when its request is answered. Returns how many were.
async function changeTheOthers(ms) {
  const end = performance.now() + ms;
  let changes = 0;
  for (; performance.now() < end; ++changes) {
    const { id, version } = await lucky.update({ wait: true });
    assert.equal((await lucky.inStripe(id)).name, `v${version}`, 'it was in Stripe when it was answered');
    await pause(pauseMs);
  }
  return changes;
}

async function assertNothingArrives() {
  const before = (await unlucky.objects('event')).length;
  return async () => assert.equal((await unlucky.objects('event')).length, before, 'Stripe is away');
}

test('while Stripe is away for one tenant its work waits, and the other tenant does not', async () => {
  const nothingArrived = await assertNothingArrives();
  await outage({ reset: true });
  unlucky.start();
  const first = await changeTheOthers(outageMs / 2);
  await outage({ status: 503 });
  const second = await changeTheOthers(outageMs / 2);
  await nothingArrived();

  const waiting = await unlucky.outbox();
  assert.ok(waiting.pagination.total > 0, 'changes wait');
  assert.ok((await unlucky.batches()).pagination.total > 0, 'usage waits');
  assert.equal((await lucky.outbox()).pagination.total, 0, 'nothing of the other tenant waits');
  const { requests } = await unlucky.asked();
  console.log(`# ${waiting.pagination.total} intents wait, after ${requests} requests; ${first + second} of the other`);
});

test('afterwards all of it is told in order, within the rate limit', async () => {
  await outage(null);
  await unlucky.stop(); // it has gone on until here
  const back = performance.now();
  await unlucky.waitUntilDrained(drainMsMax);
  console.log(`# drained within ${Math.round(performance.now() - back)} ms`);
  await lucky.waitUntilDrained();
  for (const business of [unlucky, lucky]) {
    const { rate_limited: limited, peak_per_second: peak } = await business.asked();
    assert.equal(limited, 0, `${business.name} was never told to slow down`);
    assert.ok(peak <= testRate, `${business.name} asked ${peak} times in a second`);
    await business.assertToldInOrder();
  }
  console.log(`# ${unlucky.customers.length} customers, ${unlucky.changes} changes, ${unlucky.events} usage events`);
  assert.equal((await server.stop()).code, 0);
});
