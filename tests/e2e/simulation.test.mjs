// Seeded runs of stripe-sim and the server, with random operations and faults on both sides. Once nothing is under way
// any more: every event stored once, each effect once, the mappings a bijection, every mirrored object equal to
// Stripe's, no event unsettled. Each seed is a Stripe account and a tenant of its own; they share one server, many at
// once.
//
// SEEDS=100    how many: 1 to that; the long run takes 5000
// SEED=n       that one alone, as it was, or several: 7,23
// KILLS=4      how often the server dies (kill -9) meanwhile, every other time with PostgreSQL; of one seed: never
// LANES=24     how many seeds at once
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { makePlace, startServer } from './lib/flexsync.mjs';
import { SimulatedBusiness } from './lib/simulation_business.mjs';
import { startGateway } from './lib/simulation_gateway.mjs';
import { planOf } from './lib/simulation_plan.mjs';
import { prove } from './lib/simulation_proof.mjs';
import { findings, reconcile } from './lib/reconcile.mjs';
import { waitFor } from './lib/wait.mjs';

const alone = process.env.SEED;
const count = Number(process.env.SEEDS ?? 100);
const lanes = Number(process.env.LANES ?? 24);
const seeds = alone === undefined ? Array.from({ length: count }, (_, i) => i + 1) : alone.split(',').map(Number);

const kills = Number(process.env.KILLS ?? (alone === undefined ? 4 : 0));

let place;
let gateway;
let server;
let settings;

before(async () => {
  place = makePlace();
  gateway = await startGateway();
  settings = {
    FLEXSYNC_STRIPE_API_BASE: gateway.base,
    FLEXSYNC_STRIPE_TEST_RATE: '2000',
    FLEXSYNC_STRIPE_ENDPOINT_RATE: '2000',
    FLEXSYNC_CATCH_UP_INTERVAL_SECONDS: '5', // of what was lost, some is found before it is delivered again
    FLEXSYNC_RECONCILE_CALLS_PER_MINUTE: '6000',
    FLEXSYNC_INBOX_RETRY_BASE_MS: '50',
    FLEXSYNC_INBOX_RETRY_CAP_MS: '1000',
  };
  server = await startServer(place, settings);
  settings.FLEXSYNC_HTTP_PORT = String(server.port); // it comes back where it was
});

after(async () => {
  await place?.remove();
  await gateway?.stop();
});

// A command shares the running server's database, and would start it where there is none: no kill while one runs.
let comparing = 0;
let restarting = Promise.resolve();

async function killAndRestart(number) {
  await waitFor(() => comparing === 0, 'comparisons to end', 120_000);
  await server.stop('SIGKILL');
  gateway.serverDied();
  if (number % 2 === 0) {
    await place.cluster.stop('SIGKILL');
  }
  server = await startServer(place, settings);
}

async function live(seed) {
  const business = await SimulatedBusiness.open({ server, gateway, plan: planOf(seed) });
  try {
    await business.run();
    await business.settle();
    const repaired = await repair(business);
    return { ...(await prove(business, place.cluster)), repaired };
  } catch (error) {
    error.story = business.story?.() ?? [];
    throw error;
  } finally {
    await business.close();
  }
}

// What no event told of is found by comparing, and nothing else; a second comparison finds nothing and writes nothing.
async function repair(business) {
  const compare = async () => {
    await restarting;
    ++comparing;
    try {
      const report = await reconcile(place, settings, business.tenant, '--repair');
      assert.ok(report.differences, report.stderr);
      return report;
    } finally {
      --comparing;
    }
  };
  const first = findings(await compare());
  if (Object.keys(business.plan.silence).length === 0) {
    const { items: dead } = await business.api('GET', '/v1/dead-letters?limit=10');
    assert.deepEqual(first, [], `events told of everything; dead letters: ${JSON.stringify(dead)}`);
  }
  await business.settle();
  assert.deepEqual(findings(await compare()), [], 'a second comparison repairs nothing');
  return first.length;
}

test(`${alone ? `seed ${alone}` : `${count} seeds`}: both sides end equal`, async () => {
  const waiting = [...seeds];
  const failed = [];
  const totals = {};
  let done = 0;
  let killed = 0;
  const lane = async () => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      try {
        const result = await live(seed);
        Object.entries(result).forEach(([name, value]) => (totals[name] = (totals[name] ?? 0) + value));
      } catch (error) {
        failed.push(seed);
        console.log([`# SEED=${seed} failed: ${error.stack}`, ...(error.story ?? [])].join('\n#   '));
      }
      if (++done >= ((killed + 1) * seeds.length) / (kills + 1) && killed < kills) {
        const number = ++killed;
        restarting = restarting.then(() => killAndRestart(number));
        await restarting;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  console.log(`# ${seeds.length} seeds, ${killed} kills: ${JSON.stringify(totals)}`);
  const replay = failed.map((seed) => `SEED=${seed}`).join(', ');
  assert.equal(failed.length, 0, `replay each with E2E_FILES=simulation.test.mjs and ${replay}`);
});
