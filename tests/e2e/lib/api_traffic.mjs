// A busy program of ours: customers made, changed and deleted through the API, usage sent, each request again until it
// is answered, as a careful client does. It knows what was acknowledged.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import { Traffic } from './traffic.mjs';

const againMs = 20;
const requestMsMax = 5_000;
const endShare = 0.15; // deleted, or pushed by hand
const updateShare = 0.3;
const usageShare = 0.3;
const waitShare = 0.3; // of creations and changes: answered when Stripe has answered
const cleanupShare = 0.6; // of deletions: in Stripe, too

export class ApiTraffic extends Traffic {
  // `base` is where the server is, whenever it is up.
  constructor({ base, key, random, workers = 3, pauseMs = 15 }) {
    super({ workers, pauseMs });
    Object.assign(this, { base, key, random });
    this.customers = []; // {id, external}
    this.letGo = new Set(); // ids of customers deleted here and not in Stripe
    this.metered = []; // external ids
    this.made = 0;
    this.changes = 0;
    this.events = 0;
    this.ingested = new Map(); // external id → {count, sum}: acknowledged, each event once
  }

  // Answers below 500 are answers; everything else is asked again.
  async request(method, path, body) {
    for (;;) {
      try {
        const response = await fetch(this.base + path, {
          method,
          headers: { 'x-api-key': this.key, 'content-type': 'application/json' },
          body: body === undefined ? undefined : JSON.stringify(body),
          signal: AbortSignal.timeout(requestMsMax),
        });
        const text = await response.text();
        if (response.status < 500 && response.status !== 429) {
          return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
        }
      } catch (error) {
        if (error instanceof SyntaxError) {
          throw error;
        }
      }
      await pause(againMs);
    }
  }

  async expect(status, method, path, body) {
    const answer = await this.request(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  // Lost answers are no reason to make it twice: external_id is unique.
  async create() {
    const external = `api-${++this.made}`;
    const wait = this.maybeWait();
    const fields = { external_id: external, name: `A ${external}`, email: `${external}@example.com` };
    let { status, body } = await this.request('POST', `/v1/customers${wait}`, fields);
    if (status === 409) {
      body = await this.expect(200, 'GET', `/v1/customers/external/${external}`);
    } else {
      assert.equal(status, 201, JSON.stringify(body));
    }
    this.customers.push({ id: body.id, external });
    return external;
  }

  async update() {
    const { id } = this.pick(this.customers);
    const change = `${++this.changes}`;
    const { status } = await this.request('PUT', `/v1/customers/${id}${this.maybeWait()}`, {
      contact: `+41 ${change}`,
      address_city: this.random() < 0.3 ? `City ${change}` : undefined,
      metadata: { change },
    });
    assert.ok(status === 200 || status === 404, `PUT was answered ${status}`); // deleted meanwhile
  }

  async sync() {
    const { id } = this.pick(this.customers);
    const { status } = await this.request('POST', `/v1/customers/${id}/sync-to-stripe`);
    assert.ok([200, 202, 404].includes(status), `sync-to-stripe was answered ${status}`);
  }

  // Only one that Stripe knows, so that both sides say which customers there were. Taken out of the list at once: two
  // deletions of one customer would not know whose `provider_cleanup` took effect.
  async remove() {
    const [customer] = this.customers.splice(Math.floor(this.random() * this.customers.length), 1);
    const { status, body } = await this.request('GET', `/v1/customers/${customer.id}`);
    assert.equal(status, 200, 'nobody else deletes it');
    if (!body.metadata.stripe_customer_id) {
      this.customers.push(customer);
      return;
    }
    const cleanup = this.random() < cleanupShare;
    if (!cleanup) {
      this.letGo.add(customer.id);
    }
    const answer = await this.request('DELETE', `/v1/customers/${customer.id}?provider_cleanup=${cleanup}`);
    const isGone = answer.status === 204 || answer.status === 404; // 404: the first answer was lost
    assert.ok(isGone, `DELETE was answered ${answer.status}`);
  }

  async usage() {
    const external = this.pick(this.metered);
    const count = 1 + Math.floor(this.random() * 20);
    const events = Array.from({ length: count }, () => ({
      event_id: `use-${++this.events}`,
      event_name: 'call',
      external_customer_id: external,
      timestamp: this.usageTime,
      properties: { n: 1 + (this.events % 7) },
    }));
    const twice = this.random() < 0.3 ? [...events, ...events.slice(0, 3)] : events;
    if (count === 1) {
      await this.expect(202, 'POST', '/v1/events', events[0]);
    } else {
      await this.expect(202, 'POST', '/v1/events/bulk', { events: twice });
    }
    const known = this.ingested.get(external) ?? { count: 0, sum: 0 };
    known.count += count;
    known.sum += events.reduce((sum, event) => sum + event.properties.n, 0);
    this.ingested.set(external, known);
  }

  maybeWait() {
    return this.random() < waitShare ? '?wait=true' : '';
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  async act() {
    const choice = this.random();
    if (choice < usageShare && this.metered.length > 0) {
      await this.usage();
    } else if (choice < usageShare + updateShare && this.customers.length > 0) {
      await this.update();
    } else if (choice < usageShare + updateShare + endShare && this.customers.length > 3) {
      await (this.random() < 0.5 ? this.remove() : this.sync());
    } else {
      await this.create();
    }
  }
}
