// One seed of the simulation: a Stripe of its own (clock, faults, ids), a tenant of the one server, and the rounds of
// its plan. It ends settled: everything delivered, nothing waiting on either side.
import { setTimeout as pause } from 'node:timers/promises';

import { provision } from './flexsync.mjs';
import { clientFor, postForm, startSim } from './sim.mjs';
import { operations } from './simulation_operations.mjs';
import { hour, randomOf } from './simulation_plan.mjs';
import { waitFor } from './wait.mjs';

const requestMsMax = 60_000;
const settledMsMax = 180_000;
const idleMsMax = 60_000;
const againMs = 50;
const keysAreSafeFor = hour;
const settlingsMax = 40;
const ended = ['canceled', 'incomplete_expired'];
const kinds = ['customer', 'product', 'price', 'subscription'];

// {a: {b: [1]}} → a[b][0]=1
function formOf(value, name = '', form = new URLSearchParams()) {
  if (value !== null && typeof value === 'object') {
    Object.entries(value).forEach(([key, inner]) => formOf(inner, name === '' ? key : `${name}[${key}]`, form));
  } else if (value !== undefined) {
    form.append(name, String(value));
  }
  return form;
}

// What is killed meanwhile is begun anew.
async function untilDone(work) {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TypeError) && !/: 50\d /.test(error.message)) {
        throw error;
      }
      await pause(againMs);
    }
  }
}

export class SimulatedBusiness {
  static async open({ server, gateway, plan }) {
    const business = new SimulatedBusiness();
    const counts = { done: 0, refusals: 0, sinceAnswered: 0 };
    Object.assign(business, { server, gateway, plan, account: `seed${plan.seed}`, ...counts, letGo: new Set() });
    business.key = `sk_test_${business.account}`; // the server's; ours is not struck by faults
    business.ownKey = `rk_test_${business.account}`;
    const settings = ['--threads', '2', '--retry-base-ms', '20', '--retry-cap-ms', '200', '--tries-max', '1000'];
    business.sim = await startSim(['--seed', String(plan.seed), ...settings]);
    await business.prepare();
    return business;
  }

  async prepare() {
    const { sim, plan, server, key, ownKey } = this;
    await sim.post('/_sim/clock', { freeze_at: plan.start });
    this.gateway.lead(this.account, sim.port);
    this.client = clientFor(sim, ownKey);
    this.tenant = await untilDone(() => provision(server, { name: this.account, outbound: true, secretKey: key }));
    const endpoint = await this.client.webhookEndpoints.create({
      url: `${server.base}${this.tenant.path}`,
      enabled_events: ['*'],
      api_version: plan.endpointVersion,
    });
    await sim.post(`/_sim/webhook_endpoints/${endpoint.id}/secrets`, { secrets: [this.tenant.secret] });
    await sim.post('/_sim/versions/default', { api_version: plan.accountVersion, api_key: ownKey });
    await sim.post('/_sim/webhooks/faults', plan.deliveryFaults);
    await sim.post('/_sim/api/silence', plan.silence);
  }

  // --- what the operations have in hand ---

  // Stripe's API; undefined where Stripe refuses.
  async ask(method, path, params = {}) {
    if (path.includes('undefined')) {
      return undefined; // there was nothing to choose from
    }
    ++this.done;
    try {
      return this.plan.throughClient || method !== 'POST'
        ? await this.client.rawRequest(method, path, method === 'POST' ? params : undefined)
        : await this.askByForm(path, params);
    } catch (error) {
      if (!(error.statusCode < 500)) {
        throw error;
      }
      ++this.refusals;
      return undefined;
    }
  }

  async askByForm(path, params) {
    const { status, text } = await postForm(this.sim, path, formOf(params), { key: this.ownKey });
    if (status >= 400) {
      throw Object.assign(new Error(`${path}: ${status} ${text}`), { statusCode: status });
    }
    return JSON.parse(text);
  }

  // Our API: 4xx is an answer, anything else is asked again, as a careful client does.
  async api(method, path, body) {
    if (path.includes('undefined')) {
      return undefined;
    }
    ++this.done;
    for (;;) {
      const response = await fetch(this.server.base + path, {
        method,
        headers: { 'x-api-key': this.tenant.key, 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(requestMsMax),
      }).catch(() => undefined); // the server was killed
      const text = await response?.text().catch(() => undefined);
      if (text !== undefined && response.status < 500 && response.status !== 429) {
        this.refusals += response.ok ? 0 : 1;
        return response.ok ? JSON.parse(text || '{}') : undefined;
      }
      await pause(againMs);
    }
  }

  async control(path, body) {
    if (!path.includes('undefined')) {
      await this.sim.post(path, body).catch((error) => {
        if (!(error.status < 500)) {
          throw error;
        }
      });
    }
  }

  // All objects, oldest first: {customer: [...], …}.
  async objects(types = kinds) {
    const { accounts } = await this.sim.get(`/_sim/state?types=${types.join(',')}&api_key=${this.ownKey}`);
    return Object.fromEntries(types.map((type) => [type, accounts[0]?.objects[type] ?? []]));
  }

  async lookAround() {
    const [all, { now }, ours] = await Promise.all([
      this.objects(),
      this.sim.get('/_sim/clock'),
      this.api('GET', '/v1/customers?limit=1000&status=published'),
    ]);
    const ids = (list) => list.filter(({ deleted }) => !deleted).map(({ id }) => id);
    const byAge = (list) => [...list].sort((a, b) => (a.created_at + a.id < b.created_at + b.id ? -1 : 1));
    const subscribed = new Set(all.subscription.map(({ customer }) => customer));
    const told = byAge(ours.items).map(({ id, metadata }) => [id, metadata.stripe_customer_id]);
    return {
      seed: this.plan.seed,
      now,
      customers: ids(all.customer).filter((id) => !this.letGo.has(id)),
      told: told.filter(([, stripeId]) => stripeId && !subscribed.has(stripeId)),
      products: ids(all.product),
      prices: ids(all.price),
      recurring: ids(all.price.filter(({ recurring }) => recurring)),
      subscriptions: ids(all.subscription.filter(({ status }) => !ended.includes(status))),
      endedSubscriptions: ids(all.subscription.filter(({ status }) => ended.includes(status))),
      ours: ids(byAge(ours.items)),
    };
  }

  // --- rounds ---

  async run() {
    for (const { steps, apiFaults, clock } of this.plan.rounds) {
      const there = await this.lookAround();
      await this.sim.post('/_sim/api/faults', { next: apiFaults.map((fault) => ({ ...fault, api_key: this.key })) });
      await Promise.all(steps.map(({ name, seed }) => this.step(name, randomOf(seed), there)));
      await this.advance(clock);
    }
  }

  step(name, random, there) {
    return operations[name]({
      random,
      there,
      letGo: this.letGo,
      ask: (...args) => this.ask(...args),
      api: (...args) => this.api(...args),
      control: (...args) => this.control(...args),
    });
  }

  // Stripe forgets idempotency keys after a day of its own clock. The server counts that day by another clock here, so
  // it must not have been a day for Stripe before what is on its way is answered: also not step by step.
  async advance(seconds) {
    this.sinceAnswered += seconds;
    if (this.sinceAnswered >= keysAreSafeFor) {
      await this.waitUntilQuiet(['outbox']);
      const isAnswered = () => this.gateway.doubts(this.account) === 0;
      await waitFor(isAnswered, () => `seed ${this.plan.seed}: calls to be made again`, settledMsMax);
      this.sinceAnswered = 0;
    }
    if (seconds > 0) {
      await this.sim.post('/_sim/clock', { advance_seconds: seconds });
    }
  }

  // --- settling ---

  // Faults end, everything is delivered, whatever the clock must show for it; until nothing new comes of it.
  async settle() {
    await this.sim.post('/_sim/webhooks/faults', {});
    await this.sim.post('/_sim/api/faults', {});
    await this.sim.post('/_sim/api/silence', {});
    for (let i = 0; i < settlingsMax; ++i) {
      const before = await this.deliverAll();
      await this.waitUntilQuiet();
      await waitFor(() => !this.gateway.isAtWork(this.account), 'calls that Stripe still works on', settledMsMax);
      const { data } = await this.sim.get('/_sim/webhooks/pending?limit=1');
      if (data.length === 0 && (await this.objects(['event'])).event.length === before) {
        return;
      }
    }
    throw new Error(`seed ${this.plan.seed} does not come to rest`);
  }

  // Returns how many events there are.
  async deliverAll() {
    for (;;) {
      await this.sim.idle(idleMsMax);
      const { data: lost } = await this.sim.get('/_sim/webhooks/undelivered');
      for (const { event } of lost) {
        await this.sim.post(`/_sim/events/${event}/resend`);
      }
      const { last_due: due, data } = await this.sim.get('/_sim/webhooks/pending?limit=1');
      if (due) {
        const { now } = await this.sim.get('/_sim/clock');
        await this.advance(Math.max(1, due - now));
      } else if (data.length === 0 && lost.length === 0) {
        return (await this.objects(['event'])).event.length;
      }
    }
  }

  // Of events in these states, or of intents, there are none. Intents last: events make them.
  async waitUntilQuiet(kinds = ['pending', 'retrying', 'blocked', 'redriven', 'outbox']) {
    let left = {};
    const isQuiet = async () => {
      left = {};
      for (const kind of kinds) {
        const path = kind === 'outbox' ? '/v1/outbox?state=ready' : `/v1/webhook-events?state=${kind}`;
        left[kind] = (await this.api('GET', `${path}&limit=1`)).pagination.total;
      }
      return Object.values(left).every((count) => count === 0) || (await pause(againMs));
    };
    await waitFor(isQuiet, () => `seed ${this.plan.seed} to settle: ${JSON.stringify(left)}`, settledMsMax);
  }

  async close() {
    this.gateway.forget(this.account);
    await this.sim.stop('SIGKILL');
  }
}
