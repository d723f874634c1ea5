// What a killed server left undone is done by the next one, or by another that is running, without a new webhook.
//
// FLEXSYNC_TEST_FIRST_STARTS=4  killed first starts
// FLEXSYNC_TEST_SEED=           replays the moments of a printed seed
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { launch, makePlace, provision, skipWithoutFailpoints, startServer } from '../lib/flexsync.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { chooseSeed, seededRandom } from '../lib/wait.mjs';
import { customerEvent, deliver } from '../lib/webhooks.mjs';

const firstStarts = Number(process.env.FLEXSYNC_TEST_FIRST_STARTS ?? 4);
const seed = chooseSeed('FLEXSYNC_TEST_SEED');
const firstStartMsMax = 2_500;
const needsFailpoints = { skip: skipWithoutFailpoints };
const events = 50;
const sweepMsMax = 20_000;
// Catching up would start a supervisor for every tenant that is connected, before any webhook has come.
const onWebhooksAlone = { FLEXSYNC_CATCH_UP_INTERVAL_SECONDS: '0' };

let place;
let tenant;
let batch = 0;

before(async () => {
  console.log(`# FLEXSYNC_TEST_SEED=${seed}`);
  place = makePlace();
  const server = await startServer(place);
  tenant = await provision(server);
  await server.stop();
});
after(() => place?.remove());

// Sends events of as many customers at once, to a server that may die; returns those that were answered 200.
async function deliverSome(server, to) {
  const prefix = `r${++batch}x`;
  const ids = Array.from({ length: events }, (_, i) => `${prefix}${i}`);
  const results = await Promise.allSettled(
    ids.map((id) => {
      const object = { name: id, email: `${id}@example.com` };
      const event = customerEvent({ id: `evt_${id}`, type: 'customer.created', customer: `cus_${id}`, object });
      return deliver(server, to, event);
    }),
  );
  return ids.filter((_, i) => results[i].value?.status === 200).map((id) => `evt_${id}`);
}

async function assertAllApplied(ledger, acknowledged) {
  await ledger.waitUntilSettled(sweepMsMax);
  await ledger.assertStoredOnce(acknowledged);
  await ledger.assertNothingFailed();
  await ledger.assertEffectsOnce();
  const stored = await ledger.storedEvents();
  await ledger.assertMappingsAreBijection(stored.map((id) => id.replace('evt_', 'cus_')));
}

for (const failpoint of ['supervisor.page_read', 'changes.before_commit', 'entity.before_submit']) {
  test(`the next server applies what one killed at ${failpoint} left`, needsFailpoints, async () => {
    const doomed = await startServer(place, { ...onWebhooksAlone, FLEXSYNC_FAILPOINT_PLAN: `${failpoint}=kill` });
    const acknowledged = await deliverSome(doomed, tenant);
    assert.equal((await doomed.ended()).signal, 'SIGKILL');
    const ledger = new Ledger(place.cluster, tenant);
    assert.ok((await ledger.unsettledCount()) > 0, 'nothing was left undone');
    const next = await startServer(place);
    await assertAllApplied(ledger, acknowledged);
    assert.equal((await next.stop()).code, 0);
  });
}

test('work that another process stored for an unknown tenant is found by the sweep', needsFailpoints, async () => {
  const server = await startServer(place);
  const other = await startServer(place, {
    FLEXSYNC_DATA_DIR: path.join(place.root, 'other'),
    FLEXSYNC_DATABASE_URL: place.cluster.url('flexsync_server'),
    FLEXSYNC_MASTER_KEY_FILE: path.join(place.dataDir, 'master.key'),
    ...onWebhooksAlone,
    FLEXSYNC_FAILPOINT_PLAN: 'supervisor.page_read=kill', // it stores, and applies nothing
  });
  const newcomer = await provision(other, { name: 'Newcomer' });
  const acknowledged = await deliverSome(other, newcomer);
  assert.equal((await other.ended()).signal, 'SIGKILL');
  const ledger = new Ledger(place.cluster, newcomer);
  assert.ok((await ledger.inboxCount()) > 0, 'nothing was stored');
  await assertAllApplied(ledger, acknowledged);
  assert.equal((await server.stop()).code, 0);
});

test('two servers on one database share a tenant without doing anything twice', async () => {
  const server = await startServer(place);
  const other = await startServer(place, {
    FLEXSYNC_DATA_DIR: path.join(place.root, 'other'),
    FLEXSYNC_DATABASE_URL: place.cluster.url('flexsync_server'),
    FLEXSYNC_MASTER_KEY_FILE: path.join(place.dataDir, 'master.key'),
  });
  const shared = await provision(server, { name: 'Shared' });
  const acknowledged = (await Promise.all([server, other, server, other].map((to) => deliverSome(to, shared)))).flat();
  assert.equal(acknowledged.length, 4 * events);
  await assertAllApplied(new Ledger(place.cluster, shared), acknowledged);
  assert.equal((await other.stop()).code, 0);
  assert.equal((await server.stop()).code, 0);
});

test(`${firstStarts} first starts killed at random moments, half of a cluster made: the next one starts`, async () => {
  const random = seededRandom(seed);
  for (let i = 0; i < firstStarts; ++i) {
    const fresh = makePlace();
    try {
      const doomed = launch(fresh);
      await pause(random() * firstStartMsMax);
      assert.equal((await doomed.stop('SIGKILL')).signal, 'SIGKILL', doomed.stderr());
      const next = await startServer(fresh);
      const newcomer = await provision(next);
      const acknowledged = await deliverSome(next, newcomer);
      assert.equal(acknowledged.length, events);
      await assertAllApplied(new Ledger(fresh.cluster, newcomer), acknowledged);
      assert.equal((await next.stop()).code, 0);
    } finally {
      await fresh.remove();
    }
  }
});
