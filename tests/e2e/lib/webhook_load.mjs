// Webhook load with a model of its own: it knows every event it made, which were acknowledged, and so what each
// customer must be in the end. Like Stripe it sends an event again until it gets a 200, and some twice.
//
// `created` differs within a customer, so order never depends on the arrival and no event needs a look at Stripe.
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

import { customerEvent, deliver, nowSeconds } from './webhooks.mjs';

const newCustomerShare = 0.3;
const duplicateShare = 0.1;
const resendPauseMs = 20;
const createdSpan = 100_000; // seconds back from now, where the first event of a customer lies

export class WebhookLoad {
  constructor({ server, tenant, random, clients = 16, name = 'load' }) {
    Object.assign(this, { server, tenant, random, clients, name });
    this.agent = new http.Agent({ keepAlive: true, maxSockets: clients });
    this.customers = []; // {id, versions}
    this.events = new Map(); // id → {id, customer, version, object, body}
    this.acknowledged = new Set();
    this.answers = []; // {status, ms, at}
    this.unanswered = []; // {id, error}: the connection ended first
    this.running = false;
  }

  start() {
    this.running = true;
    this.work = Promise.all(Array.from({ length: this.clients }, () => this.client()));
    return this;
  }

  // Resolves once every client has given up or got its answer.
  async stop() {
    this.running = false;
    await this.work;
    this.agent.destroy();
  }

  count(status) {
    return this.answers.filter((answer) => answer.status === status).length;
  }

  // Everything that was made, in the state that its newest event of these has: {customer id → object}.
  expected(storedIds) {
    const newest = new Map();
    for (const id of storedIds) {
      const event = this.events.get(id);
      if (!(newest.get(event.customer)?.version > event.version)) {
        newest.set(event.customer, event);
      }
    }
    return new Map([...newest].map(([customer, event]) => [customer, event.object]));
  }

  makeEvent() {
    const isNew = this.customers.length === 0 || this.random() < newCustomerShare;
    if (isNew) {
      this.customers.push({ id: `cus_${this.name}${this.customers.length}`, versions: 0 });
    }
    const customer = isNew ? this.customers.at(-1) : this.customers[Math.floor(this.random() * this.customers.length)];
    const version = ++customer.versions;
    const { id } = customer;
    const event = customerEvent({
      id: `evt_${id.slice(4)}v${version}`,
      type: version === 1 ? 'customer.created' : 'customer.updated',
      created: nowSeconds() - createdSpan + version * 10,
      customer: id,
      object: { name: `${id} v${version}`, email: `${id}@example.com`, metadata: { v: `${version}` } },
    });
    const made = { id: event.id, customer: id, version, object: event.data.object, body: JSON.stringify(event) };
    this.events.set(made.id, made);
    return made;
  }

  async client() {
    while (this.running) {
      const event = this.makeEvent();
      await this.sendUntilAcknowledged(event);
      if (this.random() < duplicateShare) {
        await this.send(event);
      }
    }
  }

  async sendUntilAcknowledged(event) {
    while (!(await this.send(event)) && this.running) {
      await pause(resendPauseMs);
    }
  }

  async send(event) {
    const begin = performance.now();
    try {
      const { status } = await deliver(this.server, this.tenant, event.body, { agent: this.agent });
      const at = performance.now();
      this.answers.push({ status, ms: at - begin, at });
      if (status === 200) {
        this.acknowledged.add(event.id);
      }
      return status === 200;
    } catch (error) {
      this.unanswered.push({ id: event.id, error });
      return false;
    }
  }
}
