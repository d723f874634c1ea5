// PostgreSQL goes away under a load of customers, products, prices and subscriptions: stopped, restarted, its backends
// killed, killed itself. While it is away webhooks get 503 and never 200; nothing acknowledged is lost; the server
// comes back by itself.
//
// There is no Stripe here to ask: a subscription that is read before its customer or its plan is blocked until they
// appear.
//
// The server restarts its embedded PostgreSQL, so the first tests run it in URL mode on a cluster that only they stop
// and start.
//
// FLEXSYNC_TEST_DATABASE_STOPS=2  stops in the first test
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { makePlace, provision, startServer } from '../lib/flexsync.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { chooseSeed, seededRandom, waitFor } from '../lib/wait.mjs';
import { WebhookLoad } from '../lib/webhook_load.mjs';

const stops = Number(process.env.FLEXSYNC_TEST_DATABASE_STOPS ?? 2);
const seed = chooseSeed('FLEXSYNC_TEST_SEED');
const recoveryMsMax = 5_000;
const answerMsMax = 10_000; // no client waits longer, whatever happens to PostgreSQL
const warmUp = 200; // acknowledged webhooks before a fault
const refused = 50; // of 503 while it is away
const waitForParents = {
  FLEXSYNC_SYNC_CREATE_MISSING_CUSTOMER: 'false',
  FLEXSYNC_SYNC_CREATE_MISSING_PLAN: 'false',
};

let place;
let server;
let tenant;
let load;

console.log(`# FLEXSYNC_TEST_SEED=${seed}`);

// A cluster as the server makes it, but run by the test.
async function startOnOwnCluster() {
  place = makePlace();
  const first = await startServer(place);
  tenant = await provision(first);
  await first.stop();
  await place.cluster.start();
  server = await startServer(place, {
    FLEXSYNC_DATABASE_URL: place.cluster.url('flexsync_server'),
    ...waitForParents,
  });
}

async function startEmbedded() {
  place = makePlace();
  server = await startServer(place, waitForParents);
  tenant = await provision(server);
}

function startLoad() {
  load = new WebhookLoad({ server, tenant, random: seededRandom(seed), mixed: true }).start();
}

const acknowledgedMore = (count, ms) => {
  const wanted = load.acknowledged.size + count;
  return waitFor(() => load.acknowledged.size >= wanted, `${count} more acknowledged webhooks`, ms);
};

const refusedMore = (count) => {
  const wanted = load.count(503) + count;
  return waitFor(() => load.count(503) >= wanted, `${count} more answers of 503`);
};

async function readiness() {
  const response = await fetch(`http://127.0.0.1:${server.adminPort}/health/ready`);
  return response.status;
}

// Acknowledged again, in time, counted from when PostgreSQL answers.
async function assertBackInTime() {
  const up = performance.now();
  await acknowledgedMore(1, recoveryMsMax);
  const firstMs = performance.now() - up;
  await waitFor(async () => (await readiness()) === 200, 'readiness', recoveryMsMax);
  await acknowledgedMore(warmUp);
  console.log(`# the first webhook was acknowledged ${Math.round(firstMs)} ms after PostgreSQL answered`);
}

async function assertNothingLost() {
  await load.stop();
  const stored = await new Ledger(place.cluster, tenant).assertEqualsLoad(load);
  assert.deepEqual(load.unanswered, [], 'requests without an answer');
  const slowest = Math.max(...load.answers.map((answer) => answer.ms));
  assert.ok(slowest < answerMsMax, `a client waited ${Math.round(slowest)} ms`);
  const statuses = [...new Set(load.answers.map((answer) => answer.status))].sort();
  assert.deepEqual(statuses.filter((status) => status !== 200 && status !== 503), []);
  assert.equal((await server.stop()).code, 0);
  console.log(`# ${stored.length} events stored, ${load.count(503)} refused, slowest answer ${Math.round(slowest)} ms`);
}

async function clean() {
  if (load?.running) {
    load.running = false; // the server's end below lets its clients go
  }
  await place?.remove();
}

describe('a PostgreSQL that others run', () => {
  beforeEach(startOnOwnCluster);
  afterEach(clean);

  test('stopped and started under load', async () => {
    startLoad();
    for (let i = 0; i < stops; ++i) {
      await acknowledgedMore(warmUp);
      await place.cluster.stop('SIGINT');
      const before = load.acknowledged.size;
      await refusedMore(refused);
      assert.equal(await readiness(), 503);
      // What was acknowledged in the instant before the stop may be counted late, but nothing is while it is away.
      const acknowledgedAway = load.acknowledged.size;
      await refusedMore(refused);
      assert.equal(load.acknowledged.size, acknowledgedAway, '200 while PostgreSQL is away');
      assert.ok(acknowledgedAway - before <= load.workers);
      await place.cluster.start();
      await assertBackInTime();
    }
    await assertNothingLost();
  });

  test('restarted under load, again and again', async () => {
    startLoad();
    for (let i = 0; i < 2 * stops; ++i) {
      await acknowledgedMore(warmUp);
      await place.cluster.stop('SIGINT');
      await place.cluster.start();
      await assertBackInTime();
    }
    await assertNothingLost();
  });

  test('its backends killed under load', async () => {
    startLoad();
    for (let i = 0; i < 5; ++i) {
      await acknowledgedMore(warmUp);
      const killed = await place.cluster.value(
        `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'flexsync %'`,
      );
      assert.ok(killed > 0, 'the server has connections');
      await acknowledgedMore(1, recoveryMsMax);
    }
    await assertNothingLost();
  });

  test('crashed with kill -9 and started under load', async () => {
    startLoad();
    await acknowledgedMore(warmUp);
    await place.cluster.stop('SIGKILL');
    await refusedMore(refused);
    await place.cluster.start();
    await assertBackInTime();
    await assertNothingLost();
  });

  test('away when the server is to start: one clear message and exit code 1', async () => {
    await server.stop();
    await place.cluster.stop();
    await assert.rejects(
      startServer(place, { FLEXSYNC_DATABASE_URL: place.cluster.url('flexsync_server') }),
      (error) => /ended \(1\) before it listened: flexsync: .*(connect|database)/s.test(error.message),
    );
  });
});

describe('the embedded PostgreSQL', () => {
  beforeEach(startEmbedded);
  afterEach(clean);

  test('killed with kill -9 under load: the server starts it again', async () => {
    startLoad();
    for (let i = 0; i < 2; ++i) {
      await acknowledgedMore(warmUp);
      const { pid } = place.cluster;
      process.kill(pid, 'SIGKILL');
      await waitFor(() => place.cluster.pid !== 0 && place.cluster.pid !== pid, 'a new PostgreSQL');
      await waitFor(() => place.cluster.answers(), 'an answer of the new PostgreSQL');
      await assertBackInTime();
    }
    await assertNothingLost();
  });
});
