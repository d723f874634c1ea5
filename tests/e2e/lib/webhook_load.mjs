// Webhook load with a model of its own: it knows every event it made, which were acknowledged, and so what each
// object must be in the end. Like Stripe it sends an event again until it gets a 200, and some twice.
//
// `created` differs within an object, so order never depends on the arrival and no event needs a look at Stripe.
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

import { priceObject, productObject, subscriptionObject } from './catalog_objects.mjs';
import { Traffic } from './traffic.mjs';
import { deliver, nowSeconds, objectEvent } from './webhooks.mjs';

const newShare = 0.3;
const duplicateShare = 0.1;
const resendPauseMs = 20;
const createdSpan = 100_000; // seconds back from now, where the first event of an object lies

const prefixes = { customer: 'cus', product: 'prod', price: 'price', subscription: 'sub' };
const mix = [['customer', 0.35], ['product', 0.25], ['price', 0.25], ['subscription', 1]]; // the first that is drawn

export class WebhookLoad extends Traffic {
  // `mixed`: not customers alone, but products, prices and subscriptions, too.
  constructor({ server, tenant, random, clients = 16, name = 'load', mixed = false }) {
    super({ workers: clients });
    Object.assign(this, { server, tenant, random, name, mixed });
    this.agent = new http.Agent({ keepAlive: true, maxSockets: clients });
    this.objects = { customer: [], product: [], price: [], subscription: [] }; // {id, versions, …}
    this.events = new Map(); // id → {id, type, of, version, object, body}
    this.acknowledged = new Set();
    this.answers = []; // {status, ms, at}
    this.unanswered = []; // {id, error}: the connection ended first
  }

  // Resolves once every client has given up or got its answer.
  async stop() {
    await super.stop();
    this.agent.destroy();
  }

  count(status) {
    return this.answers.filter((answer) => answer.status === status).length;
  }

  // Everything of this type that was made, in the state that its newest event of these has: {id → object}.
  expected(storedIds, type = 'customer') {
    const newest = new Map();
    for (const event of storedIds.map((id) => this.events.get(id)).filter((made) => made.type === type)) {
      if (!(newest.get(event.of)?.version > event.version)) {
        newest.set(event.of, event);
      }
    }
    return new Map([...newest].map(([id, event]) => [id, event.object]));
  }

  // Subscription → the item that is its plan's.
  planItems() {
    return new Map(this.objects.subscription.map(({ id }) => [id, `si_${id}_0`]));
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  // Of what Stripe was told is here: what refers to it never waits in vain.
  known(type) {
    return this.objects[type].filter(({ id }) => this.acknowledged.has(`evt_${id}v1`));
  }

  pickType() {
    const [type] = this.mixed ? mix.find(([, share]) => this.random() < share) : ['customer'];
    const needed = { price: ['product'], subscription: ['product', 'customer'] }[type] ?? [];
    return needed.every((parent) => this.known(parent).length > 0) ? type : (needed[0] ?? type);
  }

  makeObject(type) {
    const some = this.objects[type];
    const object = { id: `${prefixes[type]}_${this.name}${some.length}`, versions: 0 };
    if (type === 'price') {
      object.product = this.pick(this.known('product')).id;
    } else if (type === 'subscription') {
      object.customer = this.pick(this.known('customer')).id;
      object.start = nowSeconds();
    }
    some.push(object);
    return object;
  }

  // What Stripe shows of it now.
  show(type, { id, versions: version, ...made }) {
    if (type === 'product') {
      return productObject(id, version);
    }
    if (type === 'price') {
      return priceObject(id, made.product, version);
    }
    if (type === 'subscription') {
      const products = [this.pick(this.known('product')).id, this.pick(this.known('product')).id];
      return subscriptionObject(id, made.customer, products, version, made.start);
    }
    return { name: `${id} v${version}`, email: `${id}@example.com`, metadata: { v: `${version}` } };
  }

  makeEvent() {
    const type = this.pickType();
    const isNew = this.objects[type].length === 0 || this.random() < newShare;
    const object = isNew ? this.makeObject(type) : this.pick(this.objects[type]);
    const version = ++object.versions;
    const { id } = object;
    const event = objectEvent({
      id: `evt_${id}v${version}`,
      type: `${type === 'subscription' ? 'customer.' : ''}${type}.${version === 1 ? 'created' : 'updated'}`,
      created: nowSeconds() - createdSpan + version * 10,
      object: { id, object: type, ...this.show(type, object) },
    });
    const made = { id: event.id, type, of: id, version, object: event.data.object, body: JSON.stringify(event) };
    this.events.set(made.id, made);
    return made;
  }

  // As fast as it is answered.
  async worker() {
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
