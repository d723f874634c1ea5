// An account of stripe-sim with a customer and prices, for tests about subscriptions.
import { clientFor } from './sim.mjs';

export const hour = 3_600;
export const day = 86_400;

// The client makes Decimals of what travels as a string.
export const plain = ({ lastResponse, ...object }) => JSON.parse(JSON.stringify(object));

export async function startBilling(sim, key, now) {
  await sim.post('/_sim/clock', { freeze_at: now });
  const client = clientFor(sim, key);
  const { id: product } = await client.products.create({ name: 'P' });
  const { id: customer } = await client.customers.create({ name: 'C' });
  const price = (amount, interval = 'month', more = {}) =>
    client.prices.create({ product, currency: 'usd', unit_amount: amount, recurring: { interval }, ...more });
  const gold = (await price(2000)).id;
  const silver = (await price(1000)).id;
  let seen = (await sim.objects('event', key)).length;
  return {
    client,
    customer,
    product,
    price,
    gold,
    silver,
    subscribe: (params = {}) => client.subscriptions.create({ customer, items: [{ price: gold }], ...params }),
    payments: (habits) => sim.post(`/_sim/api/customers/${customer}/payments`, habits),
    advance: (seconds) => sim.post('/_sim/clock', { advance_seconds: seconds }),
    // The events since it was last asked, oldest first: as they are kept, because a list goes back 30 days only.
    async events() {
      const all = await sim.objects('event', key);
      const fresh = all.slice(seen);
      seen = all.length;
      return fresh;
    },
    // The same, short: type without "customer.subscription.", the status shown, seconds since `now`.
    async story() {
      return (await this.events()).map(({ type, created, data }) => [
        type.replace('customer.subscription.', ''),
        data.object.status,
        created - now,
      ]);
    },
  };
}
