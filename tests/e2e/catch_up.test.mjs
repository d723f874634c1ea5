// What webhooks never brought, because there was no endpoint, it was disabled, or no server ran, is found in Stripe's
// list of events.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { call, makePlace, program, provision, startServer } from './lib/flexsync.mjs';
import { clientFor, startSim } from './lib/sim.mjs';
import { waitFor } from './lib/wait.mjs';

let sim;
let place;
const env = () => ({ FLEXSYNC_STRIPE_API_BASE: sim.base, FLEXSYNC_CATCH_UP_INTERVAL_SECONDS: '1' });

before(async () => {
  sim = await startSim();
  place = makePlace();
});
after(async () => {
  await place?.remove();
  await sim?.stop();
});

const accountOf = (name) => ({ key: `sk_test_${name}`, stripe: clientFor(sim, `sk_test_${name}`) });

async function customers(server, tenant) {
  const { items } = await call(server, 'GET', '/v1/customers?limit=1000', undefined, tenant.key);
  return items.map(({ name }) => name).sort();
}

async function untilThereAre(server, tenant, wanted) {
  await waitFor(
    async () => (await customers(server, tenant)).length >= wanted.length,
    `${wanted.length} customers`,
  );
  assert.deepEqual(await customers(server, tenant), [...wanted].sort());
}

async function create(stripe, names) {
  for (const name of names) {
    await stripe.customers.create({ name });
  }
}

const named = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

test('customers that Stripe made while no server ran, and no endpoint was there, all appear', async () => {
  const { key, stripe } = accountOf('absent');
  let server = await startServer(place, env());
  const tenant = await provision(server, { name: 'Absent', secretKey: key });
  await untilThereAre(server, tenant, []);
  assert.equal((await server.stop()).code, 0);

  const missed = named('missed', 120); // two pages
  await create(stripe, missed);
  server = await startServer(place, env());
  await untilThereAre(server, tenant, missed);
  const events = await call(server, 'GET', '/v1/webhook-events?limit=1000', undefined, tenant.key);
  assert.equal(events.items.length, missed.length);
  assert.ok(events.items.every(({ request_id: request }) => request === 'catch-up'));
  assert.equal((await server.stop()).code, 0);
});

test('customers made while the endpoint is disabled appear, later walks store nothing again', async () => {
  const { key, stripe } = accountOf('disabled');
  const server = await startServer(place, env());
  const tenant = await provision(server, { name: 'Disabled', secretKey: key });
  const url = `${server.base}${tenant.path}`;
  const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: ['*'] });
  await stripe.webhookEndpoints.update(endpoint.id, { disabled: true });
  await create(stripe, ['one', 'two']);
  await untilThereAre(server, tenant, ['one', 'two']);
  await create(stripe, ['three']);
  await untilThereAre(server, tenant, ['one', 'two', 'three']);
  const events = await call(server, 'GET', '/v1/webhook-events?limit=1000', undefined, tenant.key);
  assert.equal(events.items.length, 3);
  assert.equal((await server.stop()).code, 0);
});

test('events from before the connection are read once somebody asks for them', async () => {
  const { key, stripe } = accountOf('backfill');
  const { now } = await sim.get('/_sim/clock');
  await sim.post('/_sim/clock', { freeze_at: now - 2 * 86_400 });
  await create(stripe, ['old']);
  await sim.post('/_sim/clock', { follow: true });
  const server = await startServer(place, env());
  const tenant = await provision(server, { name: 'Backfill', secretKey: key });
  await create(stripe, ['new']);
  await untilThereAre(server, tenant, ['new']);

  const scope = ['--tenant', tenant.tenant, '--environment', tenant.environment];
  const run = (...args) =>
    spawnSync(program, ['backfill', ...scope, ...args], {
      encoding: 'utf8',
      env: { ...process.env, FLEXSYNC_DATA_DIR: path.join(place.dataDir) },
    });
  const tooFar = run('--since', '31d');
  assert.equal(tooFar.status, 2);
  assert.match(tooFar.stderr, /30 days/);
  assert.deepEqual(await customers(server, tenant), ['new']);
  const done = run('--since', '3d', '--json');
  assert.equal(done.status, 0, done.stderr);
  assert.equal(JSON.parse(done.stdout).since, JSON.parse(done.stdout).events_read_from);
  await untilThereAre(server, tenant, ['new', 'old']);
  assert.equal((await server.stop()).code, 0);
});
