// Bad configuration: exit code 2 and one line that names the setting; no database is made, nothing listens.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { makePlace, runToEnd } from '../lib/flexsync.mjs';

let place;

before(() => {
  place = makePlace();
});
after(() => place?.remove());

async function assertRefused(message, env, args) {
  const { code, stderr } = await runToEnd(place, env, args);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /^flexsync: [^\n]+\n$/, 'one line');
  assert.match(stderr, message);
  assert.ok(!fs.existsSync(path.join(place.dataDir, 'postgres')), 'a database was made');
}

const base64Of = (bytes) => Buffer.alloc(bytes, 7).toString('base64');

const variables = [
  ['an unknown variable', { FLEXSYNC_HTTP_PROT: '8080' }, /FLEXSYNC_HTTP_PROT.*FLEXSYNC_HTTP_PORT/],
  ['a port that is no number', { FLEXSYNC_HTTP_PORT: 'http' }, /FLEXSYNC_HTTP_PORT.*whole number/],
  ['a port out of range', { FLEXSYNC_HTTP_PORT: '65536' }, /FLEXSYNC_HTTP_PORT.*0 to 65535/],
  ['a negative port', { FLEXSYNC_ADMIN_PORT: '-1' }, /FLEXSYNC_ADMIN_PORT/],
  ['an address that is a name', { FLEXSYNC_HTTP_ADDRESS: 'localhost' }, /FLEXSYNC_HTTP_ADDRESS.*IP address/],
  ['plain HTTP beyond loopback', { FLEXSYNC_HTTP_ADDRESS: '0.0.0.0' }, /allow_plaintext|ALLOW_PLAINTEXT/],
  ['plain HTTP beyond loopback, IPv6', { FLEXSYNC_HTTP_ADDRESS: '::' }, /allow_plaintext|ALLOW_PLAINTEXT/],
  ['a master key without id', { FLEXSYNC_MASTER_KEY: base64Of(32) }, /FLEXSYNC_MASTER_KEY|master_key/],
  ['a master key that is too short', { FLEXSYNC_MASTER_KEY: `k1:${base64Of(16)}` }, /FLEXSYNC_MASTER_KEY|master_key/],
  ['a master key that is no base64', { FLEXSYNC_MASTER_KEY: 'k1:§§§' }, /FLEXSYNC_MASTER_KEY|master_key/],
  ['a short admin key', { FLEXSYNC_ADMIN_KEY: 'short' }, /FLEXSYNC_ADMIN_KEY.*16/],
  ['a secret’s file that is missing', { FLEXSYNC_MASTER_KEY_FILE: '/nowhere/k' }, /MASTER_KEY_FILE.*\/nowhere\/k /],
  ['an unknown choice', { FLEXSYNC_SYNC_ORDERING: 'random' }, /FLEXSYNC_SYNC_ORDERING.*payload or refetch/],
  ['a number with a unit', { FLEXSYNC_INBOX_SWEEP_INTERVAL_MS: '5s' }, /FLEXSYNC_INBOX_SWEEP_INTERVAL_MS/],
  ['a database URL that is none', { FLEXSYNC_DATABASE_URL: 'mysql' }, /FLEXSYNC_DATABASE_URL/],
  ['a Stripe address that is none', { FLEXSYNC_STRIPE_API_BASE: 'api.stripe.com' }, /FLEXSYNC_STRIPE_API_BASE/],
];
for (const [what, env, message] of variables) {
  test(`environment: ${what}`, () => assertRefused(message, env));
}

const files = [
  ['an unknown key', '[http]\nprot = 8080\n', /:2: http\.prot is no setting.*http\.port/],
  ['an unknown section', '[htpp]\nport = 8080\n', /:2: htpp\.port/],
  ['a value of the wrong type', '[http]\nport = "8080"\n', /:2: http\.port/],
  ['no TOML', '[http\nport\n', /:1: this is not TOML/],
];
for (const [what, text, message] of files) {
  test(`file: ${what}`, async () => {
    const file = path.join(place.root, 'flexsync.toml');
    fs.writeFileSync(file, text);
    await assertRefused(message, { FLEXSYNC_HTTP_PORT: '', FLEXSYNC_ADMIN_PORT: '' }, ['serve', '--config', file]);
  });
}

test('file: one that does not exist', () =>
  assertRefused(/\/nowhere\.toml cannot be read/, {}, ['serve', '--config', '/nowhere.toml']));

test('a secret is never shown', async () => {
  const { code, stderr } = await runToEnd(place, { FLEXSYNC_MASTER_KEY: 'k1:topsecret' });
  assert.equal(code, 2);
  assert.ok(!stderr.includes('topsecret'), stderr);
});
