// kill -9 at every step from "intent committed" to "mapping committed", while customers are made through the API and
// their echoes come in as webhooks: each ends as one Stripe customer with one mapping. Stripe takes its time with some
// answers, so that kills also fall between a request and its answer.
//
// PostgreSQL runs on its own here: the server that is started again and again does not start it as well.
//
// FLEXSYNC_TEST_OUTBOX_KILLS=20  kills at each step
// FLEXSYNC_TEST_SEED=            replays the moments of a printed seed
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ApiTraffic } from '../lib/api_traffic.mjs';
import { launch, makePlace, provision, skipWithoutFailpoints, startServer } from '../lib/flexsync.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { startSim } from '../lib/sim.mjs';
import { chooseSeed, seededRandom } from '../lib/wait.mjs';

const kills = Number(process.env.FLEXSYNC_TEST_OUTBOX_KILLS ?? 20);
const seed = chooseSeed('FLEXSYNC_TEST_SEED');

const steps = [
  'changes.before_commit', // the first commit is that of customer and intent
  'changes.after_commit',
  'outbox.intent_committed',
  'outbox.before_send',
  'outbox.answered',
  'outbox.before_booking',
  'entity.after_commit', // of the mapping too
];
const passMax = 12; // several customers per life, in different places
const stepMsMax = 30_000;
const deliveredMsMax = 60_000;
const slowShare = 0.2;
const slowMs = 150;

const random = seededRandom(seed);
let place;
let sim;
let tenant;
let settings;
let ledger;
let api;

// Customers are made and, so that there is something to keep in order, half of them changed at once.
class Newcomers extends ApiTraffic {
  async act() {
    await this.create();
    if (this.random() < 0.5) {
      await this.update();
    }
  }
}

before(async () => {
  console.log(`# FLEXSYNC_TEST_SEED=${seed}`);
  place = makePlace();
  const retries = ['--retry-base-ms', '20', '--retry-cap-ms', '500', '--tries-max', '100000'];
  sim = await startSim(['--seed', String(seed), ...retries]);
  const first = await startServer(place, { FLEXSYNC_STRIPE_API_BASE: sim.base });
  tenant = await provision(first, { outbound: true });
  await first.stop();
  await place.cluster.start();
  settings = {
    FLEXSYNC_STRIPE_API_BASE: sim.base,
    FLEXSYNC_DATABASE_URL: place.cluster.url('flexsync_server'),
    FLEXSYNC_HTTP_PORT: String(first.port),
    FLEXSYNC_INBOX_SWEEP_INTERVAL_MS: '500',
    FLEXSYNC_STRIPE_TEST_RATE: '2000',
    FLEXSYNC_STRIPE_ENDPOINT_RATE: '2000',
  };
  const { id } = await sim.stripe.webhookEndpoints.create({ url: first.base + tenant.path, enabled_events: ['*'] });
  await sim.post(`/_sim/webhook_endpoints/${id}/secrets`, { secrets: [tenant.secret] });
  const slow = { method: 'POST', path_prefix: '/v1/customers', delay_ms: slowMs, count: 1_000_000, seed };
  await sim.post('/_sim/api/faults', {
    next: [
      { ...slow, after: true, probability: slowShare },
      { ...slow, probability: slowShare },
    ],
  });
  ledger = new Ledger(place.cluster, tenant);
  api = new Newcomers({ base: first.base, key: tenant.key, random, workers: 4 }).start();
});

after(async () => {
  if (api) {
    api.running = false;
  }
  await sim?.stop();
  await place?.remove();
});

for (const step of steps) {
  test(`${kills} kills at ${step}`, { skip: skipWithoutFailpoints }, async () => {
    const made = api.made;
    for (let i = 0; i < kills; ++i) {
      const pass = 1 + Math.floor(random() * passMax);
      const server = launch(place, { ...settings, FLEXSYNC_FAILPOINT_PLAN: `${step}=kill@${pass}` });
      const { signal } = await server.ended(stepMsMax);
      assert.equal(signal, 'SIGKILL', `the server ended by itself: ${server.stderr()}`);
    }
    console.log(`# ${api.made - made} customers`);
  });
}

test('in the end each is one Stripe customer with one mapping, and both sides are equal', async () => {
  await sim.post('/_sim/api/faults', { next: [] });
  const server = await startServer(place, settings);
  await api.stop();
  await ledger.waitUntilOutboxIsEmpty();
  await sim.idle(deliveredMsMax);
  await ledger.waitUntilSettled();

  const objects = await sim.objects('customer');
  const customers = new Map(objects.map((object) => [object.id, object]));
  assert.equal(customers.size, api.made, 'as many in Stripe as were made');
  await ledger.assertMadeOnce(await sim.objects('event'));
  await ledger.assertMappingsAreBijection(customers.keys());
  await ledger.assertCustomersEqual(customers);
  await ledger.assertNothingFailed();
  await ledger.assertEffectsOnce();
  console.log(`# ${api.made} customers, ${api.changes} changes`);
  assert.equal((await server.stop()).code, 0);
});
