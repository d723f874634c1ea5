// A busy catalog in stripe-sim: products and prices made, changed and retired; subscriptions of the customers there
// are, upgraded, with addon items that come and go, ended at once or to end with their period.
import { Traffic } from './traffic.mjs';

const productShare = 0.1;
const priceShare = 0.2;
const subscribeShare = 0.3;
const cancelShare = 0.04;
const productsMax = 12;

export class CatalogTraffic extends Traffic {
  // `customers` returns the ids of those that may subscribe.
  constructor({ stripe, random, customers, workers = 3, pauseMs = 25 }) {
    super({ workers, pauseMs });
    Object.assign(this, { stripe, random, customers });
    this.products = [];
    this.prices = [];
    this.subscriptions = [];
    this.planItems = new Map(); // subscription → the item that it was made with: the plan's, whatever comes beside it
    this.changes = 0;
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  act() {
    return this.change().catch(toleratingRefusal);
  }

  change() {
    ++this.changes;
    const choice = this.random();
    if (choice < productShare || this.prices.length < 3) {
      return this.changeProduct();
    }
    if (choice < priceShare) {
      return this.changePrice();
    }
    if (choice < subscribeShare || this.subscriptions.length === 0) {
      return this.subscribe();
    }
    return this.changeSubscription();
  }

  async changeProduct() {
    if (this.products.length < productsMax) {
      const { id } = await this.stripe.products.create({ name: `P${this.products.length}` });
      this.products.push(id);
      await this.makePrice(id);
    } else {
      const fields = { name: `P ${this.changes}`, description: `of ${this.changes}`, active: this.random() < 0.8 };
      await this.stripe.products.update(this.pick(this.products), fields);
    }
  }

  async makePrice(product) {
    const { id } = await this.stripe.prices.create({
      product,
      currency: 'usd',
      unit_amount: 100 + this.changes,
      recurring: { interval: 'month' },
    });
    this.prices.push(id);
  }

  changePrice() {
    return this.random() < 0.3
      ? this.makePrice(this.pick(this.products))
      : this.stripe.prices.update(this.pick(this.prices), { nickname: `of ${this.changes}` });
  }

  async subscribe() {
    const customer = this.pick(this.customers());
    if (customer !== undefined) {
      const made = await this.stripe.subscriptions.create({ customer, items: [{ price: this.pick(this.prices) }] });
      this.planItems.set(made.id, made.items.data[0].id);
      this.subscriptions.push(made.id);
    }
  }

  async changeSubscription() {
    const id = this.pick(this.subscriptions);
    const choice = this.random();
    const plan = this.planItems.get(id);
    if (choice < cancelShare) {
      this.subscriptions = this.subscriptions.filter((other) => other !== id);
      await this.stripe.subscriptions.cancel(id);
    } else if (choice < 0.3) {
      await this.stripe.subscriptions.update(id, { items: [{ id: plan, price: this.pick(this.prices) }] });
    } else if (choice < 0.5) {
      await this.stripe.subscriptions.update(id, { items: [{ id: plan, quantity: 1 + (this.changes % 9) }] });
    } else if (choice < 0.7) {
      await this.stripe.subscriptions.update(id, { cancel_at_period_end: this.random() < 0.5 });
    } else if (choice < 0.85) {
      await this.stripe.subscriptionItems.create({ subscription: id, price: this.pick(this.prices) });
    } else {
      const { data } = (await this.stripe.subscriptions.retrieve(id)).items;
      const addon = this.pick(data.filter((item) => item.id !== plan));
      await (addon && this.stripe.subscriptionItems.del(addon.id));
    }
  }
}

// Another worker was faster: the customer is gone, the subscription has ended, the price is taken, or its product is
// retired.
function toleratingRefusal(error) {
  if (error.type !== 'StripeInvalidRequestError') {
    throw error;
  }
}
