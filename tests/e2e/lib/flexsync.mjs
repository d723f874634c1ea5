// The server under test: started on a data_dir of its own below /tmp, provisioned by its API, killed in many ways.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Cluster, processesIn, processesNaming } from './cluster.mjs';
import { within } from './programs.mjs';
import { waitFor } from './wait.mjs';
import { webhookSecret } from './webhooks.mjs';

const startMsMax = 60_000; // the first start on a busy machine makes a cluster
const endMsMax = 20_000;
const stderrMax = 65_536;

export const adminKey = 'admin-key-of-the-fault-tests';
export const stripeKey = 'sk_test_flexsync';

const here = path.dirname(fileURLToPath(import.meta.url));
const buildDir = path.resolve(process.env.FLEXSYNC_BUILD_DIR ?? path.join(here, '../../../build/dev'));
export const program = path.join(buildDir, 'flexsync');

// What this process was given for itself is no setting of the server's.
const ownEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(FLEXSYNC|STRIPE)_/.test(name)),
);

const places = new Set();
const children = new Set();

// Nothing outlives the tests, not even those that fail.
process.on('exit', () => {
  for (const child of children) {
    child.kill('SIGKILL');
  }
  for (const place of places) {
    try {
      const { pgdata } = new Cluster(place.dataDir);
      [...processesIn(pgdata), ...processesNaming(place.root)].forEach((pid) => process.kill(pid, 'SIGKILL'));
    } catch {
      // there is no cluster, or it ended meanwhile
    }
    fs.rmSync(place.root, { recursive: true, force: true });
  }
});
process.on('SIGTERM', () => process.exit(143));
process.on('SIGINT', () => process.exit(130));

// A directory that PostgreSQL's own user can enter.
export function makePlace() {
  const root = fs.mkdtempSync('/tmp/flexsync-faults-');
  fs.chmodSync(root, 0o755);
  const place = {
    root,
    dataDir: path.join(root, 'var'),
    get cluster() {
      return new Cluster(place.dataDir);
    },
    children: new Set(),
    async remove() {
      for (const server of place.children) {
        await server.stop('SIGKILL');
      }
      if (fs.existsSync(place.dataDir)) {
        await place.cluster.stop('SIGQUIT');
      }
      await waitFor(() => processesNaming(root).length === 0, `the processes of ${root} to end`);
      fs.rmSync(root, { recursive: true, force: true });
      places.delete(place);
    },
  };
  places.add(place);
  return place;
}

// Starts and does not wait. `listening` resolves to {port, admin_port}, `ended` to {code, signal}.
export function launch(place, env = {}, args = ['serve']) {
  const child = spawn(program, args, {
    cwd: place.root,
    env: {
      ...ownEnvironment,
      FLEXSYNC_DATA_DIR: place.dataDir,
      FLEXSYNC_HTTP_PORT: '0',
      FLEXSYNC_ADMIN_PORT: '0',
      FLEXSYNC_ADMIN_KEY: adminKey,
      FLEXSYNC_LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-stderrMax);
  });
  const ended = once(child, 'close').then(([code, signal]) => {
    children.delete(child);
    place.children.delete(server);
    return { code, signal };
  });
  const listening = once(readline.createInterface({ input: child.stdout }), 'line').then(([line]) => JSON.parse(line));
  const endedFirst = ended.then(({ code, signal }) => {
    throw new Error(`flexsync ended (${code ?? signal}) before it listened: ${stderr}`);
  });
  // Not everybody waits for it.
  const outcome = Promise.race([listening, endedFirst]);
  for (const promise of [listening, endedFirst, outcome]) {
    promise.catch(() => {});
  }
  const server = {
    pid: child.pid,
    stderr: () => stderr,
    listening: outcome,
    ended: (ms = endMsMax) => within(ms, ended, 'flexsync did not end'),
    kill(signal) {
      child.kill(signal);
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return this.ended();
    },
  };
  place.children.add(server);
  return server;
}

// Starts and waits until it serves.
export async function startServer(place, env = {}, args = ['serve']) {
  const server = launch(place, env, args);
  const { port, admin_port: adminPort } = await within(startMsMax, server.listening, 'flexsync did not listen');
  return Object.assign(server, { port, adminPort, base: `http://127.0.0.1:${port}` });
}

// For commands that are meant to end by themselves.
export async function runToEnd(place, env, args = ['serve']) {
  const run = launch(place, env, args);
  return { ...(await run.ended()), stderr: run.stderr() };
}

export async function call(server, method, route, body, key = adminKey) {
  const response = await fetch(server.base + route, {
    method,
    headers: { 'x-api-key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const answer = text === '' ? {} : JSON.parse(text);
  if (!response.ok) {
    throw new Error(`${method} ${route}: ${response.status} ${text}`);
  }
  return answer;
}

// A tenant with one environment and a Stripe connection: {tenant, environment, key, path, secret}.
export async function provision(
  server,
  { name = 'Acme', secret = webhookSecret, outbound = false, secretKey = stripeKey } = {},
) {
  const tenant = await call(server, 'POST', '/v1/tenants', { name });
  const environment = await call(server, 'POST', '/v1/environments', {
    tenant_id: tenant.id,
    name: 'Test',
    type: 'development',
  });
  const { api_key: key } = await call(server, 'POST', '/v1/secrets/api/keys', {
    name: 'tests',
    type: 'private_key',
    tenant_id: tenant.id,
    environment_id: environment.id,
  });
  const connection = {
    name: 'Stripe',
    provider_type: 'stripe',
    sync_config: { customer: { inbound: true, outbound } },
    encrypted_secret_data: { secret_key: secretKey, webhook_secret: secret },
  };
  await call(server, 'POST', '/v1/connections', connection, key);
  return {
    tenant: tenant.id,
    environment: environment.id,
    key,
    secret,
    path: `/v1/webhooks/stripe/${tenant.id}/${environment.id}`,
  };
}

// A release build has none: what needs them is skipped there.
export const skipWithoutFailpoints = fs.readFileSync(program).includes('no such failpoint')
  ? false
  : 'this build has no failpoints';

// The names of all failpoints, as the server itself knows them.
export function failpoints() {
  const source = fs.readFileSync(path.join(here, '../../../src/telemetry/failpoint.cpp'), 'utf8');
  const list = /std::vector<std::string_view> all = \{([^}]*)\}/.exec(source);
  const names = [...(list?.[1] ?? '').matchAll(/"([a-z._]+)"/g)].map(([, name]) => name);
  if (names.length === 0) {
    throw new Error('no failpoint found in src/telemetry/failpoint.cpp');
  }
  return names;
}
