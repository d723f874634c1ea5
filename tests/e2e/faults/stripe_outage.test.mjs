// Stripe is away for one tenant while work arrives for two: the other notices nothing, and afterwards everything
// drains, in order per customer and within Stripe's limits. (Ten minutes of it, on a clock that is moved, are in
// tests/actor.)
//
// FLEXSYNC_TEST_OUTAGE_MS=8000  how long Stripe resets every connection, then answers 503; a long run takes 600000
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { call, makePlace, provision, startServer } from '../lib/flexsync.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { startSim } from '../lib/sim.mjs';

const outageMs = Number(process.env.FLEXSYNC_TEST_OUTAGE_MS ?? 8_000);
const customersMade = 30;
const drainMsMax = 60_000;
const downKey = 'sk_test_flexsync_down';
const upKey = 'sk_test_flexsync_up';

let place;
let sim;
let server;
let down;
let up;

const create = (tenant, external, wait = '') =>
  call(server, 'POST', `/v1/customers${wait}`, { external_id: external, name: external }, tenant.key);
const rename = (tenant, id, name) => call(server, 'PUT', `/v1/customers/${id}`, { name }, tenant.key);

before(async () => {
  place = makePlace();
  sim = await startSim(['--threads', '8']);
  server = await startServer(place, { FLEXSYNC_STRIPE_API_BASE: sim.base });
  down = await provision(server, { name: 'Down', outbound: true, secretKey: downKey });
  up = await provision(server, { name: 'Up', outbound: true, secretKey: upKey });
  await create(down, 'first', '?wait=true');
});

after(async () => {
  await server?.stop();
  await sim?.stop();
  await place?.remove();
});

test('another tenant notices nothing, and everything drains in order afterwards', async () => {
  await sim.post('/_sim/api/limits', { on: true });
  await sim.post('/_sim/api/faults', { outage: { reset: true, api_key: downKey } });
  const began = performance.now();
  const made = [];
  let others = 0;
  for (let i = 0; i < customersMade || performance.now() - began < outageMs; ++i) {
    if (i < customersMade) {
      const { id } = await create(down, `down-${i}`); // answered at once, Stripe or not
      await rename(down, id, `down-${i} second`);
      await rename(down, id, `down-${i} third`);
      made.push(id);
    }
    if (i === customersMade) {
      await sim.post('/_sim/api/faults', { outage: { status: 503, api_key: downKey } });
    }
    const other = await create(up, `up-${i}`, '?wait=true');
    assert.ok(other.metadata.stripe_customer_id, 'Stripe had answered for the other tenant');
    ++others;
  }
  assert.equal((await sim.objects('customer', downKey)).length, 1, 'nothing came through');
  const { items } = await call(server, 'GET', '/v1/outbox?state=ready', undefined, down.key);
  assert.ok(items.length >= customersMade, 'it waits, for everybody to see');

  await sim.post('/_sim/api/faults', {});
  await new Ledger(place.cluster, down).waitUntilOutboxIsEmpty(drainMsMax);
  const events = await sim.objects('event', downKey);
  for (const [i, id] of made.entries()) {
    const names = events
      .filter(({ data }) => data.object.metadata?.flexprice_customer_id === id)
      .map(({ type, data }) => [type, data.object.name]);
    assert.deepEqual(
      names,
      [
        ['customer.created', `down-${i}`],
        ['customer.updated', `down-${i} second`],
        ['customer.updated', `down-${i} third`],
      ],
      `${id}: made once, and changed in order`,
    );
  }
  const stats = await sim.stats(downKey);
  assert.equal(stats.rate_limited, 0, 'no call was told off with 429');
  console.log(`# ${made.length} customers waited, ${others} of the other tenant did not`);
});
