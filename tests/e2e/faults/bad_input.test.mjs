// What nobody should send, by real sockets to the real server: the right status, one message that names the fault,
// nothing stored, and the server goes on serving.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { makePlace, provision, startServer } from '../lib/flexsync.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { exchange, openSocket } from '../lib/raw_http.mjs';
import { customerEvent, deliver, nowSeconds, post, signature } from '../lib/webhooks.mjs';

const headerTimeoutMs = 1_000;
const bodyTimeoutMs = 1_000;
const bodyMax = 1_048_576;

let place;
let server;
let tenant;
let other;
let stored;

const inboxCount = () => place.cluster.value('SELECT count(*) FROM inbox');
const good = () => customerEvent({ id: 'evt_good', type: 'customer.created', customer: 'cus_good' });

before(async () => {
  place = makePlace();
  server = await startServer(place, {
    FLEXSYNC_HTTP_HEADER_TIMEOUT_MS: String(headerTimeoutMs),
    FLEXSYNC_HTTP_BODY_TIMEOUT_MS: String(bodyTimeoutMs),
  });
  tenant = await provision(server);
  other = await provision(server, { name: 'Other', secret: 'whsec_of_somebody_else' });
  assert.equal((await deliver(server, tenant, good())).status, 200);
  await new Ledger(place.cluster, tenant).waitUntilSettled();
  stored = await inboxCount();
});
after(() => place?.remove());

afterEach(async () => {
  assert.equal(await inboxCount(), stored, 'something was stored');
  assert.equal((await deliver(server, tenant, good())).status, 200, 'the server still serves');
});

// FlexPrice's error body, with a message that names the fault.
function assertRefused({ status, body }, wantedStatus, wantedMessage) {
  const answer = typeof body === 'string' ? JSON.parse(body) : body;
  assert.equal(status, wantedStatus, JSON.stringify(answer));
  assert.equal(answer.success, false);
  assert.equal(answer.error.http_status_code, wantedStatus);
  assert.match(answer.error.message, wantedMessage);
  assert.ok(!answer.error.message.includes('\n'));
}

const sendBody = (body, headers = { 'stripe-signature': signature(body) }, path = tenant.path) =>
  post(server, path, body, headers);

const body = () => JSON.stringify(customerEvent({ id: 'evt_bad', customer: 'cus_bad' }));

const signatures = [
  ['no signature', undefined, /Stripe-Signature.*missing/],
  ['a wrong secret', () => signature(body(), 'whsec_wrong'), /no signature matches/],
  ['a signature of another body', () => signature(`${body()} `), /no signature matches/],
  ['a stale timestamp', () => signature(body(), tenant.secret, nowSeconds() - 400), /300 s in the past/],
  ['a future timestamp', () => signature(body(), tenant.secret, nowSeconds() + 400), /300 s in the future/],
  ['no timestamp', () => signature(body()).replace(/^t=\d+,/, ''), /t is missing/],
  ['a timestamp that is no number', () => signature(body()).replace(/^t=\d+/, 't=soon'), /t is not a time/],
  ['only a v0 signature', () => signature(body()).replace('v1=', 'v0='), /no v1 signature/],
  ['noise for a signature', () => 'abc', /not of the form name=value/],
];
for (const [what, header, message] of signatures) {
  test(`signature: ${what}`, async () => {
    const headers = header === undefined ? {} : { 'stripe-signature': header() };
    assertRefused(await sendBody(body(), headers), 400, message);
  });
}

test('address: another tenant’s, with our signature', async () => {
  assertRefused(await sendBody(body(), undefined, other.path), 400, /no signature matches/);
});

test('address: our tenant with an environment of another', async () => {
  const path = `/v1/webhooks/stripe/${tenant.tenant}/${other.environment}`;
  assertRefused(await sendBody(body(), undefined, path), 400, /connection/i);
});

test('address: an unknown environment, an unknown tenant, and one that is no id', async () => {
  for (const path of [`${tenant.tenant}/env_unknown`, `tenant_unknown/${tenant.environment}`, `%00/%FF`, `../..`]) {
    const { status } = await sendBody(body(), undefined, `/v1/webhooks/stripe/${path}`);
    assert.ok(status === 400 || status === 404, `${path}: ${status}`);
  }
});

test('the global address without a secret refuses', async () => {
  assertRefused(await sendBody(body(), undefined, '/v1/webhooks/stripe'), 400, /secret/i);
});

test('a method and a route that do not exist', async () => {
  const get = await exchange(server.port, `GET ${tenant.path} HTTP/1.1\r\nHost: t\r\n\r\n`);
  assertRefused(get, 405, /./);
  assertRefused(await sendBody('{}', {}, '/v1/nowhere'), 404, /./);
});

const event = (change) => JSON.stringify({ ...JSON.parse(body()), ...change });
const without = (field) => event({ [field]: undefined });
const contents = [
  ['an empty body', '', /JSON|body/],
  ['cut-off JSON', body().slice(0, -5), /JSON/],
  ['no JSON at all', 'id=evt_1&type=customer.updated', /JSON/],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), /JSON|UTF-8/],
  ['an array', '[]', /object/],
  ['a text', '"event"', /object/],
  ['null', 'null', /object/],
  ['100,000 brackets deep', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /nest|deep/],
  ['100,000 objects deep', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, /nest|deep/],
  ['no id', without('id'), /\bid is missing/],
  ['no type', without('type'), /type is missing/],
  ['no created', without('created'), /created is missing/],
  ['no data', without('data'), /data.*is missing/],
  ['data without an object', event({ data: {} }), /data\.object is missing/],
  ['no object', without('object'), /object is missing/],
  ['another object than an event', event({ object: 'customer' }), /object must be "event"/],
  ['a number for an id', event({ id: 5 }), /id must be a string/],
  ['an empty id', event({ id: '' }), /id is empty/],
  ['an id of 10,000 letters', event({ id: 'e'.repeat(10_000) }), /id is longer/],
  ['an id with a line break', event({ id: 'evt\n1' }), /id must be printable/],
  ['an id with a NUL', event({ id: 'evt\0' }), /id must be printable/],
  ['a text for created', event({ created: 'now' }), /created must be a number/],
  ['a time before 1970', event({ created: -1 }), /created must be/],
  ['a time beyond all numbers', body().replace(/"created":\d+/, '"created":1e400'), /created must be|JSON/],
  ['a text for livemode', event({ livemode: 'no' }), /livemode must be/],
  ['a list for data', event({ data: [] }), /data must be an object/],
];
for (const [what, text, message] of contents) {
  test(`content: ${what}`, async () => {
    const headers = { 'stripe-signature': signature(text) };
    assertRefused(await sendBody(text, headers), 400, message);
  });
}

test('size: announced over 1 MiB is refused before it is sent', async () => {
  const head = `POST ${tenant.path} HTTP/1.1\r\nHost: t\r\nStripe-Signature: t=1,v1=0\r\n`;
  assertRefused(await exchange(server.port, `${head}Content-Length: ${bodyMax + 1}\r\n\r\n`), 413, /1048576 bytes/);
});

test('size: a chunked body over 1 MiB is refused while it comes', async () => {
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const head = `POST ${tenant.path} HTTP/1.1\r\nHost: t\r\nStripe-Signature: t=1,v1=0\r\n`;
  const chunks = `Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`;
  assertRefused(await exchange(server.port, head + chunks), 413, /1048576 bytes/);
});

test('size: exactly 1 MiB is read', async () => {
  const text = 'x'.repeat(bodyMax);
  assertRefused(await sendBody(text, { 'stripe-signature': signature(text) }), 400, /JSON/);
});

test('slow: a header that does not end gets 408 in time', async () => {
  const socket = await openSocket(server.port);
  socket.write(`POST ${tenant.path} HTTP/1.1\r\nHost: t\r\nStripe-Sig`);
  const text = await socket.untilClosed(headerTimeoutMs + 10_000);
  assert.match(text, /^HTTP\/1\.1 408 /);
  assert.match(text, /headers did not arrive in time/);
});

test('slow: a body that does not end gets 408 in time', async () => {
  const socket = await openSocket(server.port);
  const head = `POST ${tenant.path} HTTP/1.1\r\nHost: t\r\nStripe-Signature: ${signature(body())}\r\n`;
  socket.write(`${head}Content-Length: ${body().length}\r\n\r\n${body().slice(0, 20)}`);
  const text = await socket.untilClosed(bodyTimeoutMs + 10_000);
  assert.match(text, /^HTTP\/1\.1 408 /);
  assert.match(text, /body did not arrive in time/);
});

test('slow: 200 clients that say nothing do not keep others out', async () => {
  const sockets = await Promise.all(Array.from({ length: 200 }, () => openSocket(server.port)));
  const begin = performance.now();
  assert.equal((await deliver(server, tenant, good())).status, 200);
  assert.ok(performance.now() - begin < 5_000);
  sockets.forEach((socket) => socket.destroy());
});

test('a client that goes away in the middle of its body leaves nothing behind', async () => {
  const socket = await openSocket(server.port);
  socket.write(`POST ${tenant.path} HTTP/1.1\r\nHost: t\r\nStripe-Signature: ${signature(body())}\r\n`);
  socket.write(`Content-Length: ${body().length}\r\n\r\n${body().slice(0, -1)}`);
  socket.end();
  await socket.untilClosed();
});

const garbage = [
  ['a TLS greeting', Buffer.from('16030100c8010000c40303', 'hex')],
  ['words', 'hello server\r\n\r\n'],
  ['HTTP/0.9', 'GET /\r\n\r\n'],
  ['an unknown version', 'POST / HTTP/9.9\r\n\r\n'],
  ['HTTP/2’s greeting', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a negative length', 'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -5\r\n\r\n'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['a length and chunks', 'POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a chunk size that is none', 'POST /v1/tenants HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n'],
  ['a header without a colon', 'GET / HTTP/1.1\r\nHost t\r\n\r\n'],
  ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n'],
];
for (const [what, data] of garbage) {
  test(`garbage: ${what}`, async () => {
    const socket = await openSocket(server.port);
    socket.write(data);
    socket.end();
    const text = await socket.untilClosed();
    assert.match(text, /^(HTTP\/1\.1 (400|401|404|405|408|505) |$)/);
  });
}

test('garbage: a header of 20 kB gets 431', async () => {
  const answer = await exchange(server.port, `GET / HTTP/1.1\r\nHost: t\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
  assertRefused(answer, 431, /16384 bytes/);
});
