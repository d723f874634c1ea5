// stripe-sim with the official client pointed at it, and its control API.
import Stripe from 'stripe';

import { startProgram } from './programs.mjs';
import { waitFor } from './wait.mjs';

export const apiKey = 'sk_test_flexsync';

export function clientFor(program, key = apiKey, options = {}) {
  return new Stripe(key, {
    host: program.address,
    port: program.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    ...options,
  });
}

// A POST as the form says it, for headers and bytes the official client does not show.
export async function postForm(sim, path, body, { key = apiKey, headers = {} } = {}) {
  const response = await fetch(sim.base + path, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export async function startSim(args = []) {
  const program = await startProgram('stripe-sim', ['--port', '0', '--address', '127.0.0.1', ...args]);
  const base = `http://${program.address}:${program.port}`;

  async function control(method, path, body) {
    const response = await fetch(base + path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
    });
    const answer = await response.json();
    if (!response.ok) {
      throw Object.assign(new Error(`${method} ${path}: ${response.status} ${answer.error?.message}`), {
        status: response.status,
        answer,
      });
    }
    return answer;
  }

  return {
    ...program,
    base,
    stripe: clientFor(program),
    get: (path) => control('GET', path),
    post: (path, body = {}) => control('POST', path, body),
    // Resolves once nothing is queued or on its way, so that no test needs to sleep.
    idle: (timeoutMs = 10_000) => control('GET', `/_sim/webhooks/idle?timeout_ms=${timeoutMs}`),
    // What one account has asked of /v1 until now; undefined when it has asked nothing.
    stats: async (key = apiKey) => (await control('GET', `/_sim/api/stats?api_key=${key}`)).accounts[0],
    // Resolves once so many requests of the key wait for their answers.
    async untilInFlight(key, requests) {
      await waitFor(async () => (await this.stats(key))?.in_flight >= requests, `${requests} requests of ${key}`);
    },
    // The objects of one kind of one account, by Stripe's name for the kind.
    async objects(kind, key = apiKey) {
      const { accounts } = await control('GET', `/_sim/state?types=${kind}&api_key=${key}`);
      return accounts[0]?.objects[kind] ?? [];
    },
    // An endpoint that delivers every event to the receiver, verified with the endpoint's secret.
    async connect(receiver, enabledEvents = ['*']) {
      const endpoint = await this.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: enabledEvents });
      receiver.secret = endpoint.secret;
      return endpoint;
    },
  };
}
