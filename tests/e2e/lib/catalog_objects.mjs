// Products, prices and subscriptions as Stripe's events carry them, each version different from the one before it.
const month = 2_592_000;

export const productObject = (id, version) => ({
  id,
  object: 'product',
  name: `${id} v${version}`,
  description: version % 2 === 0 ? `the ${version}th` : null,
  active: version % 5 !== 0,
  metadata: {},
});

export const priceObject = (id, product, version) => ({
  id,
  object: 'price',
  product,
  active: version % 4 !== 0,
  currency: 'usd',
  unit_amount: 1_050,
  unit_amount_decimal: '1050',
  billing_scheme: 'per_unit',
  type: 'recurring',
  recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed' },
  nickname: `v${version}`,
  metadata: {},
});

// The first item is the plan's, of whatever product it is now; the other one is an addon that comes and goes.
export function subscriptionObject(id, customer, products, version, start) {
  const item = (number, created) => ({
    id: `si_${id}_${number}`,
    object: 'subscription_item',
    created,
    quantity: version,
    current_period_start: start,
    current_period_end: start + month,
    metadata: {},
    price: priceObject(`price_of_${products[number]}`, products[number], 1),
  });
  const data = version % 3 === 2 ? [item(0, start), item(1, start + 1)] : [item(0, start)];
  return {
    id,
    object: 'subscription',
    customer,
    status: version % 4 === 3 ? 'past_due' : 'active',
    currency: 'usd',
    collection_method: 'charge_automatically',
    start_date: start,
    cancel_at_period_end: version % 2 === 0,
    metadata: {},
    items: { object: 'list', has_more: false, data },
  };
}
