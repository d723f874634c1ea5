// kill -9 in a loop under all three loads at once: Stripe (stripe-sim) changes customers, products, prices and
// subscriptions and delivers webhooks, doubled, late and out of order; a program of ours makes, changes and deletes
// customers through the API; usage comes in and is billed. At random moments, and at every failpoint. Each time the
// server starts again on what the last one left behind.
//
// FLEXSYNC_TEST_KILLS=20       random kills; a long run takes 500
// FLEXSYNC_TEST_KILL_ROUNDS=1  visits to each failpoint
// FLEXSYNC_TEST_SEED=          replays the moments of a printed seed
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { ApiTraffic } from '../lib/api_traffic.mjs';
import { CatalogLedger } from '../lib/catalog_ledger.mjs';
import { CatalogTraffic } from '../lib/catalog_traffic.mjs';
import { failpoints, launch, makePlace, provision, skipWithoutFailpoints, startServer } from '../lib/flexsync.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { makeMeters } from '../lib/meters.mjs';
import { startSim } from '../lib/sim.mjs';
import { StripeTraffic } from '../lib/stripe_traffic.mjs';
import { UsageLedger } from '../lib/usage_ledger.mjs';
import { chooseSeed, seededRandom } from '../lib/wait.mjs';

const kills = Number(process.env.FLEXSYNC_TEST_KILLS ?? 20);
const rounds = Number(process.env.FLEXSYNC_TEST_KILL_ROUNDS ?? 1);
const seed = chooseSeed('FLEXSYNC_TEST_SEED');

const lifeMsMax = 1_500; // from exec to the kill: some die while they start, some under full load
const clusterKillShare = 0.2; // PostgreSQL dies with the server
const passMax = 4; // a failpoint kills on one of its first passes
const failpointMsMax = 30_000;
const deliveredMsMax = 60_000;

const random = seededRandom(seed);
let place;
let sim;
let tenant;
let traffic;
let catalog;
let settings;
let ledger;
let api;
let early; // events of before there was an endpoint: nobody was told of them
let meters; // Stripe meter → what of the acknowledged usage it counts
const acknowledged = new Set(); // events that got a 200 at least once
let lastDelivery = 0;

// The simulator's log of attempts is bounded, so it is read as we go.
async function collectAcknowledged() {
  for (let more = true; more; ) {
    const log = await sim.get(`/_sim/webhooks/deliveries?outcome=delivered&limit=100000&after=${lastDelivery}`);
    log.data.forEach((delivery) => acknowledged.add(delivery.event));
    lastDelivery = log.data.at(-1)?.number ?? lastDelivery;
    more = log.has_more;
  }
}

before(async () => {
  console.log(`# FLEXSYNC_TEST_SEED=${seed}`);
  place = makePlace();
  const retries = ['--retry-base-ms', '20', '--retry-cap-ms', '500', '--tries-max', '100000'];
  sim = await startSim(['--webhook-concurrency', '24', '--seed', String(seed), ...retries]);
  settings = {
    FLEXSYNC_STRIPE_API_BASE: sim.base,
    FLEXSYNC_INBOX_SWEEP_INTERVAL_MS: '500',
    FLEXSYNC_USAGE_WINDOW_MINUTES: '5',
    STRIPE_SYNC_GRACE_PERIOD_MINUTES: '0',
    FLEXSYNC_USAGE_CLOSE_INTERVAL_MS: '200',
    FLEXSYNC_STRIPE_TEST_RATE: '2000',
    FLEXSYNC_STRIPE_ENDPOINT_RATE: '2000',
  };
  const server = await startServer(place, settings);
  settings.FLEXSYNC_HTTP_PORT = String(server.port);
  tenant = await provision(server, { outbound: true });
  meters = await makeMeters(server, sim.stripe, tenant.key);
  api = new ApiTraffic({ base: server.base, key: tenant.key, random, workers: 16 });
  api.usageTime = new Date(Date.now() - 3_600_000).toISOString(); // a window that is over
  api.metered = [await api.create(), await api.create(), await api.create()];
  api.customers = []; // they stay
  await server.stop();
  early = new Set((await sim.objects('event')).map((event) => event.id));
  const { id } = await sim.stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${server.port}${tenant.path}`,
    enabled_events: ['*'],
  });
  await sim.post(`/_sim/webhook_endpoints/${id}/secrets`, { secrets: [tenant.secret] });
  await sim.post('/_sim/webhooks/faults', { seed, duplicate: 0.1, reorder: 0.1, delay: 0.1, drop: 0.05 });
  traffic = new StripeTraffic({ stripe: sim.stripe, random }).start();
  catalog = new CatalogTraffic({ stripe: sim.stripe, random, customers: () => traffic.live }).start();
  api.start();
  ledger = new Ledger(place.cluster, tenant);
});

after(async () => {
  if (api) {
    api.running = false;
  }
  await catalog?.stop();
  await traffic?.stop();
  await sim?.stop();
  await place?.remove();
});

test(`${kills} kills at random moments`, async () => {
  for (let i = 0; i < kills; ++i) {
    const server = launch(place, settings);
    await pause(random() * lifeMsMax);
    const { signal } = await server.stop('SIGKILL');
    assert.equal(signal, 'SIGKILL', `the server ended by itself: ${server.stderr()}`);
    await collectAcknowledged();
    if (random() < clusterKillShare) {
      await place.cluster.stop('SIGKILL');
    }
  }
});

for (const name of failpoints()) {
  test(`killed at ${name}`, { skip: skipWithoutFailpoints }, async () => {
    for (let i = 0; i < rounds; ++i) {
      const passes = 1 + Math.floor(random() * passMax);
      const server = launch(place, { ...settings, FLEXSYNC_FAILPOINT_PLAN: `${name}=kill@${passes}` });
      const { signal } = await server.ended(failpointMsMax);
      assert.equal(signal, 'SIGKILL', `the server ended by itself: ${server.stderr()}`);
      await collectAcknowledged();
    }
  });
}

test('in the end nothing is lost, nothing happened twice, and both sides are equal', async () => {
  await catalog.stop();
  await traffic.stop();
  await sim.post('/_sim/webhooks/faults', {});
  const server = await startServer(place, settings);
  await api.stop();
  await ledger.waitUntilOutboxIsEmpty();
  await sim.idle(deliveredMsMax);
  await ledger.waitUntilSettled();
  const usage = new UsageLedger(place.cluster, sim, tenant);
  await usage.waitUntilBilled();

  await collectAcknowledged();
  const { accounts } = await sim.get('/_sim/state?types=customer,event,product,price,subscription');
  const all = (type) => accounts.flatMap(({ objects }) => objects[type] ?? []);
  const undelivered = all('event').filter(({ id }) => !acknowledged.has(id) && !early.has(id));
  assert.deepEqual(undelivered, [], 'events that Stripe gave up');
  const stored = await ledger.assertStoredOnce(acknowledged);
  const foreign = stored.filter((id) => !acknowledged.has(id) && !early.has(id)); // early ones may be caught up
  assert.deepEqual(foreign, [], 'events that Stripe never delivered');

  await ledger.assertNothingFailed();
  await ledger.assertEffectsOnce();
  const customers = new Map(all('customer').map((object) => [object.id, object]));
  const ours = ({ metadata }) => api.letGo.has(metadata?.flexprice_customer_id);
  const letGo = new Set([...customers.values()].filter(ours).map(({ id }) => id));
  assert.equal(letGo.size, api.letGo.size, 'customers that were deleted here alone are still in Stripe');
  const live = [...customers.values()].filter(({ id, deleted }) => !deleted && !letGo.has(id)).map(({ id }) => id);
  await ledger.assertMappingsAreBijection(live);
  await ledger.assertCustomersEqual(customers, letGo);
  await ledger.assertMadeOnce(all('event'));
  const sold = { products: all('product'), prices: all('price'), subscriptions: all('subscription') };
  await new CatalogLedger(ledger).assertEqual(sold, catalog.planItems);
  const billed = await usage.assertBilledOnce(api.ingested, meters);
  console.log(`# ${customers.size} customers, ${stored.length} events; ${billed.events} calls metered`);
  console.log(
    `# ${sold.products.length} products, ${sold.prices.length} prices, ${sold.subscriptions.length} subscriptions`,
  );
  console.log(`# ${api.made} made here, ${api.changes} changes, ${api.letGo.size} deleted here alone`);
  assert.equal((await server.stop()).code, 0);
  assert.equal(place.cluster.pid, 0, 'PostgreSQL stopped with the server');
});
