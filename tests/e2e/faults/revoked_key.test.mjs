// A key that Stripe does not accept any more pauses its tenant, and that one only; a new key resumes at once. (At most
// one probe a minute, over an hour, is tests/actor/stripe_client_connection_test.cpp's.)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { call, makePlace, provision, startServer } from '../lib/flexsync.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { startSim } from '../lib/sim.mjs';

const oldKey = 'sk_test_flexsync_paused'; // what follows sk_test_ and rk_test_ names the account
const newKey = 'rk_test_flexsync_paused';
const otherKey = 'sk_test_flexsync_other';
const changes = 20;

let place;
let sim;
let server;
let paused;
let other;

before(async () => {
  place = makePlace();
  sim = await startSim();
  server = await startServer(place, { FLEXSYNC_STRIPE_API_BASE: sim.base });
  paused = await provision(server, { name: 'Paused', outbound: true, secretKey: oldKey });
  other = await provision(server, { name: 'Other', outbound: true, secretKey: otherKey });
});

after(async () => {
  await server?.stop();
  await sim?.stop();
  await place?.remove();
});

test('a revoked key pauses its tenant only; a new one resumes at once', async () => {
  const create = (tenant, external, wait = '') =>
    call(server, 'POST', `/v1/customers${wait}`, { external_id: external, name: external }, tenant.key);
  await sim.post('/_sim/api/faults', { revoked_keys: [oldKey] });
  for (let i = 0; i < changes; ++i) {
    await create(paused, `paused-${i}`);
    const { metadata } = await create(other, `other-${i}`, '?wait=true');
    assert.ok(metadata.stripe_customer_id, 'the other tenant is not held up');
  }
  const waiting = await call(server, 'GET', '/v1/outbox?state=ready', undefined, paused.key);
  assert.equal(waiting.pagination.total, changes, 'all of it waits');
  const stats = await sim.stats(oldKey);
  assert.ok((stats?.requests ?? 1) <= 1 + changes, 'no storm of calls with a key that is not accepted');

  const { connections } = await call(server, 'GET', '/v1/connections', undefined, paused.key);
  const secrets = { encrypted_secret_data: { secret_key: newKey } };
  await call(server, 'PUT', `/v1/connections/${connections[0].id}`, secrets, paused.key);
  await new Ledger(place.cluster, paused).waitUntilOutboxIsEmpty();
  assert.equal((await sim.objects('customer', newKey)).length, changes, 'each made once');
});
