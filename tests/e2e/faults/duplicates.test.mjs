// One event, again and again on many connections at once: every answer 200, one row, one effect.
//
// FLEXSYNC_TEST_DUPLICATES=10000  deliveries
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { makePlace, provision, startServer } from '../lib/flexsync.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { customerEvent, deliver } from '../lib/webhooks.mjs';

const deliveries = Number(process.env.FLEXSYNC_TEST_DUPLICATES ?? 10_000);
const connections = 64;

let place;
let server;
let tenant;

before(async () => {
  place = makePlace();
  server = await startServer(place);
  tenant = await provision(server);
});
after(() => place?.remove());

test(`one event ${deliveries} times on ${connections} connections has one effect`, async () => {
  const event = customerEvent({
    id: 'evt_storm',
    type: 'customer.created',
    customer: 'cus_storm',
    object: { name: 'Storm', email: 'storm@example.com' },
  });
  const body = JSON.stringify(event);
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const statuses = new Map();
  let left = deliveries;
  const client = async () => {
    while (left-- > 0) {
      const { status } = await deliver(server, tenant, body, { agent });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
  assert.deepEqual([...statuses], [[200, deliveries]]);

  const ledger = new Ledger(place.cluster, tenant);
  await ledger.waitUntilSettled();
  assert.deepEqual(await ledger.assertStoredOnce(['evt_storm']), ['evt_storm']);
  const outcomes = await ledger.assertNothingFailed();
  assert.deepEqual(outcomes, [{ outcome: 'applied', count: 1 }]);
  await ledger.assertEffectsOnce();
  await ledger.assertMappingsAreBijection(['cus_storm']);
  await ledger.assertCustomersEqual(new Map([['cus_storm', event.data.object]]));
});
