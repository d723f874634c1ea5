// SIGTERM under load: out within 10 s with code 0, every answer kept, PostgreSQL stopped; and one server per data_dir.
//
// FLEXSYNC_TEST_STOPS=3  stops under load
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { processesIn } from '../lib/cluster.mjs';
import { makePlace, provision, runToEnd, startServer } from '../lib/flexsync.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { openSocket } from '../lib/raw_http.mjs';
import { chooseSeed, seededRandom, waitFor } from '../lib/wait.mjs';
import { WebhookLoad } from '../lib/webhook_load.mjs';
import { customerEvent, signature } from '../lib/webhooks.mjs';

const stops = Number(process.env.FLEXSYNC_TEST_STOPS ?? 3);
const seed = chooseSeed('FLEXSYNC_TEST_SEED');
const stopMsMax = 10_000;
const warmUp = 300;

let place;
let tenant;

before(async () => {
  console.log(`# FLEXSYNC_TEST_SEED=${seed}`);
  place = makePlace();
  const server = await startServer(place);
  tenant = await provision(server);
  await server.stop();
});
after(() => place?.remove());

const isListening = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

test('SIGTERM under load: code 0 in time, and what was stored was answered, what was answered is stored', async () => {
  const random = seededRandom(seed);
  const loads = [];
  for (let i = 0; i < stops; ++i) {
    const server = await startServer(place);
    const load = new WebhookLoad({ server, tenant, random, clients: 64, name: `stop${i}x` }).start();
    loads.push(load);
    await waitFor(() => load.acknowledged.size >= warmUp, 'load');
    const begin = performance.now();
    const { code } = await server.stop('SIGTERM');
    const ms = performance.now() - begin;
    load.running = false;
    await load.stop();
    assert.equal(code, 0, server.stderr());
    assert.ok(ms < stopMsMax, `it took ${Math.round(ms)} ms`);
    assert.deepEqual(processesIn(place.cluster.pgdata), [], 'processes of PostgreSQL that are left');
    const statuses = [...new Set(load.answers.map((answer) => answer.status))];
    assert.deepEqual(statuses.filter((status) => status !== 200 && status !== 503), []);
    console.log(`# stopped in ${Math.round(ms)} ms with ${load.acknowledged.size} webhooks acknowledged`);
  }
  const server = await startServer(place);
  const ledger = new Ledger(place.cluster, tenant);
  await ledger.waitUntilSettled();
  const acknowledged = new Set(loads.flatMap((load) => [...load.acknowledged]));
  const stored = await ledger.assertStoredOnce(acknowledged);
  // A request that was taken in was answered: nothing is in the store whose sender knows nothing of it.
  assert.deepEqual(stored.filter((id) => !acknowledged.has(id)), [], 'stored without an answer');
  await ledger.assertNothingFailed();
  await ledger.assertEffectsOnce();
  assert.equal((await server.stop()).code, 0);
});

test('a request that is half sent when SIGTERM comes is still stored and answered', async () => {
  const server = await startServer(place);
  const body = JSON.stringify(customerEvent({ id: 'evt_half', type: 'customer.created', customer: 'cus_half' }));
  const half = Math.floor(body.length / 2);
  const socket = await openSocket(server.port);
  socket.write(
    `POST ${tenant.path} HTTP/1.1\r\nHost: test\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n` +
      `Stripe-Signature: ${signature(body)}\r\n\r\n`,
  );
  await socket.until((text) => text.includes('100 Continue'), 'the server to have read the header');
  socket.write(body.slice(0, half));
  server.kill('SIGTERM');
  await waitFor(async () => !(await isListening(server.port)), 'the listener to close');
  socket.write(body.slice(half));
  const answer = await socket.until((text) => text.includes('Webhook received'), 'the answer');
  assert.match(answer, /HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /^connection: close\r$/im);
  const { code } = await server.ended(stopMsMax);
  assert.equal(code, 0);

  const next = await startServer(place);
  const ledger = new Ledger(place.cluster, tenant);
  await ledger.waitUntilSettled();
  await ledger.assertStoredOnce(['evt_half']);
  await next.stop();
});

test('a client that never finishes its request cannot keep the server from ending', async () => {
  const server = await startServer(place);
  const socket = await openSocket(server.port);
  socket.write(`POST ${tenant.path} HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\nExpect: 100-continue\r\n`);
  socket.write(`Stripe-Signature: t=1,v1=0\r\n\r\n`);
  await socket.until((text) => text.includes('100 Continue'), 'the server to have read the header');
  server.kill('SIGTERM');
  const { code } = await server.ended(stopMsMax);
  assert.equal(code, 0);
  socket.destroy();
});

test('a second server on the same data_dir is refused, and the first goes on', async () => {
  const server = await startServer(place);
  const second = await runToEnd(place, {});
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`^flexsync: .*another flexsync \\(pid ${server.pid}\\) uses `, 'm'));
  assert.ok(await isListening(server.port));
  assert.ok(await place.cluster.answers(), 'the first server’s PostgreSQL still runs');
  assert.equal((await server.stop()).code, 0);
});

test('Ctrl-C is a stop like SIGTERM', async () => {
  const server = await startServer(place);
  assert.notEqual(place.cluster.pid, 0);
  const begun = performance.now();
  assert.equal((await server.stop('SIGINT')).code, 0);
  assert.ok(performance.now() - begun < stopMsMax);
  assert.deepEqual(processesIn(place.cluster.pgdata), []);
});
