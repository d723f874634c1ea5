// A busy Stripe account: customers created, changed (often twice within a second, which is a tie) and deleted in
// stripe-sim at a steady pace, whose webhooks then go to the server.
import { Traffic } from './traffic.mjs';

const updateShare = 0.6;
const doubleShare = 0.3; // of the updates: a second one at once
const deleteShare = 0.08;

export class StripeTraffic extends Traffic {
  constructor({ stripe, random, workers = 4, pauseMs = 20 }) {
    super({ workers, pauseMs });
    Object.assign(this, { stripe, random });
    this.live = [];
    this.made = 0;
    this.changes = 0;
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
