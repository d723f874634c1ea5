// A busy Stripe account: customers created, changed (often twice within a second, which is a tie) and deleted in
// stripe-sim at a steady pace, whose webhooks then go to the server.
import { setTimeout as pause } from 'node:timers/promises';

const updateShare = 0.6;
const doubleShare = 0.3; // of the updates: a second one at once
const deleteShare = 0.08;

export class StripeTraffic {
  constructor({ stripe, random, workers = 4, pauseMs = 20 }) {
    Object.assign(this, { stripe, random, workers, pauseMs });
    this.live = [];
    this.made = 0;
    this.changes = 0;
  }

  start() {
    this.running = true;
    this.work = Promise.all(Array.from({ length: this.workers }, () => this.worker()));
    return this;
  }

  async stop() {
    this.running = false;
    await this.work;
  }

  async worker() {
    while (this.running) {
      await this.act();
      await pause(this.pauseMs);
    }
  }

  async act() {
    const { customers } = this.stripe;
    const choice = this.random();
    const index = Math.floor(this.random() * this.live.length);
    ++this.changes;
    if (this.live.length > 0 && choice < updateShare) {
      const id = this.live[index];
      const changes = this.random() < doubleShare ? 2 : 1;
      for (let i = 0; i < changes; ++i) {
        const change = { name: `n${this.changes}.${i}`, metadata: { change: `${this.changes}` } };
        await customers.update(id, change).catch(toleratingDeletion);
      }
    } else if (this.live.length > 0 && choice < updateShare + deleteShare) {
      await customers.del(this.live.splice(index, 1)[0]).catch(toleratingDeletion);
    } else {
      const { id } = await customers.create({ name: `c${++this.made}`, email: `c${this.made}@example.com` });
      this.live.push(id);
    }
  }
}

// Another worker deleted it first.
function toleratingDeletion(error) {
  if (error.code !== 'resource_missing') {
    throw error;
  }
}
