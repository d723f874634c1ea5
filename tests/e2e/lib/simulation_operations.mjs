// What the simulation does in Stripe and through our API, by the names in simulation_plan.mjs. Each operation chooses
// among what there is at its time, with numbers of its own; what Stripe or the API refuses is a refusal, not a failure.
import { day } from './simulation_plan.mjs';

const behaviors = ['default_incomplete', 'error_if_incomplete', 'pending_if_incomplete', 'allow_incomplete'];
const currencies = ['usd', 'usd', 'usd', 'usd', 'eur', 'jpy', 'kwd'];

const manyItems = 12;

const word = (random) => Math.floor(random.next() * 36 ** 6).toString(36);

// Some of the fields, each with its own chance.
const some = (random, share, fields) =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(() => random.chance(share))
      .map(([name, value]) => [name, value()]),
  );

const stripeAddress = (random) =>
  random.pick([
    '',
    { line1: word(random), city: `Z${word(random)}`, country: random.pick(['CH', 'DE', 'US']) },
    { line2: word(random), state: 'ZH', postal_code: `${random.below(9999)}` },
  ]);

const customerFields = (random, share) =>
  some(random, share, {
    name: () => random.pick([`N ${word(random)}`, `Ü ${word(random)} 'quoted' "twice"`, '']),
    email: () => random.pick([`${word(random)}@example.com`, '']),
    phone: () => random.pick([`+41 ${random.below(1e6)}`, '']),
    address: () => stripeAddress(random),
    metadata: () => ({ [random.pick(['a', 'b'])]: random.pick([word(random), '']) }),
    description: () => word(random), // mirrored by nobody: an event without a change
  });

const ourFields = (random, share) =>
  some(random, share, {
    name: () => `O ${word(random)}`,
    email: () => `${word(random)}@example.org`,
    contact: () => `+44 ${random.below(1e6)}`,
    address_line1: () => word(random),
    address_city: () => `B${word(random)}`,
    address_country: () => random.pick(['GB', 'FR']),
    metadata: () => ({ [random.pick(['a', 'c'])]: word(random) }),
  });

const customers = {
  createCustomer: ({ ask, random }) => ask('POST', '/v1/customers', customerFields(random, 0.7)),
  updateCustomer: ({ ask, random, there }) =>
    ask('POST', `/v1/customers/${random.pick(there.customers)}`, customerFields(random, 0.4)),
  deleteCustomer: ({ ask, random, there }) => ask('DELETE', `/v1/customers/${random.pick(there.customers)}`),
};

const productFields = (random, share) =>
  some(random, share, {
    name: () => `P ${word(random)}`,
    description: () => random.pick([`D ${word(random)}`, '']),
    active: () => random.chance(0.7),
    metadata: () => ({ [random.pick(['tier', 'team'])]: random.pick([word(random), '']) }),
  });

function amountOf(random) {
  if (random.chance(0.15)) {
    const tiers = [{ up_to: 10, unit_amount: random.below(900) }, { up_to: 'inf', unit_amount_decimal: '12.5' }];
    return { billing_scheme: 'tiered', tiers_mode: random.pick(['graduated', 'volume']), tiers };
  }
  const odd = random.chance(0.1);
  const amount = odd ? { unit_amount_decimal: `${random.below(1e4)}.125` } : { unit_amount: random.below(1e5) };
  return random.chance(0.1) ? { ...amount, transform_quantity: packageOf(random) } : amount;
}

const packageOf = (random) => ({ divide_by: 2 + random.below(1000), round: random.pick(['up', 'down']) });

const interval = (random) => random.pick(['month', 'month', 'month', 'week', 'year']);
const nickname = (random) => random.pick([word(random), '']);

const catalog = {
  createProduct: ({ ask, random }) =>
    ask('POST', '/v1/products', { name: `P ${word(random)}`, ...productFields(random, 0.3), active: true }),
  updateProduct: ({ ask, random, there }) =>
    ask('POST', `/v1/products/${random.pick(there.products)}`, productFields(random, 0.4)),
  deleteProduct: ({ ask, random, there }) => ask('DELETE', `/v1/products/${random.pick(there.products)}`),
  createPrice: ({ ask, random, there }) =>
    ask('POST', '/v1/prices', {
      product: random.pick(there.products),
      currency: random.pick(currencies),
      nickname: nickname(random),
      ...amountOf(random),
      ...(random.chance(0.9) && { recurring: { interval: interval(random), interval_count: 1 + random.below(2) } }),
    }),
  updatePrice: ({ ask, random, there }) =>
    ask('POST', `/v1/prices/${random.pick(there.prices)}`, {
      ...some(random, 0.6, { nickname: () => nickname(random), active: () => random.chance(0.7) }),
      metadata: { m: word(random) },
    }),
  createPlan: ({ ask, random, there }) =>
    ask('POST', '/v1/plans', {
      product: random.chance(0.3) ? { name: `L ${word(random)}` } : random.pick(there.products),
      currency: random.pick(currencies),
      amount: random.below(1e5),
      ...(random.chance(0.1) && { transform_usage: packageOf(random) }),
      interval: interval(random),
      nickname: nickname(random),
    }),
  updatePlan: ({ ask, random, there }) =>
    ask('POST', `/v1/plans/${random.pick(there.recurring)}`, {
      nickname: nickname(random),
      ...(random.chance(0.2) && { product: random.pick(there.products) }),
    }),
  deletePlan: ({ ask, random, there }) => ask('DELETE', `/v1/plans/${random.pick(there.recurring)}`),
};

const item = ({ random, there }) => ({ price: random.pick(there.recurring), quantity: random.below(5) });

const subscriptionFields = (random, now) =>
  some(random, 0.2, {
    trial_end: () => random.pick(['now', now + (1 + random.below(40)) * day]),
    payment_behavior: () => random.pick(behaviors),
    proration_behavior: () => random.pick(['always_invoice', 'none']),
    description: () => word(random),
    trial_settings: () => ({ end_behavior: { missing_payment_method: random.pick(['pause', 'cancel']) } }),
    metadata: () => random.pick([{ a: word(random) }, '']),
  });

// Of `there` when the round began: another operation of the round may have changed it since.
async function changedItems({ ask, random, there }, id) {
  const subscription = await ask('GET', `/v1/subscriptions/${id}`);
  const { id: old } = random.pick(subscription?.items.data ?? [{}]);
  const price = random.pick(there.recurring);
  return random.pick([
    [{ id: old, price }],
    [{ id: old, quantity: 1 + random.below(9) }],
    [{ price, quantity: random.below(3) }],
    [{ id: old, deleted: true }],
    [{ id: old, deleted: true }, { price }],
  ]);
}

const update = ({ ask, random, there }, params) =>
  ask('POST', `/v1/subscriptions/${random.pick(there.subscriptions)}`, params);

const subscriptions = {
  subscribe: ({ ask, random, there }) =>
    ask('POST', '/v1/subscriptions', {
      customer: random.pick(there.customers),
      items: Array.from({ length: 1 + random.below(3) }, () => item({ random, there })),
      ...subscriptionFields(random, there.now),
    }),
  // More items than an event shows.
  subscribeToMany: async ({ ask, random, there }) => {
    const product = random.pick(there.products);
    const price = () =>
      ask('POST', '/v1/prices', { product, currency: 'usd', unit_amount: 1, recurring: { interval: 'month' } });
    const items = [];
    for (let i = 0; i < manyItems; ++i) {
      items.push({ price: (await price())?.id });
    }
    await ask('POST', '/v1/subscriptions', { customer: random.pick(there.customers), items });
  },
  updateSubscription: (act) => update(act, subscriptionFields(act.random, act.there.now)),
  changeItems: async (act) => {
    const id = act.random.pick(act.there.subscriptions);
    const items = await changedItems(act, id);
    await act.ask('POST', `/v1/subscriptions/${id}`, { items, ...subscriptionFields(act.random, act.there.now) });
  },
  // All that Stripe lets change in them.
  updateEnded: ({ ask, random, there }) =>
    ask('POST', `/v1/subscriptions/${random.pick(there.endedSubscriptions)}`, { metadata: { a: word(random) } }),
  cancel: ({ ask, random, there }) => ask('DELETE', `/v1/subscriptions/${random.pick(there.subscriptions)}`),
  endLater: (act) =>
    update(
      act,
      act.random.pick([
        { cancel_at_period_end: true },
        { cancel_at_period_end: false },
        { cancel_at: act.there.now + (1 + act.random.below(60)) * day },
        { cancel_at: '' },
      ]),
    ),
  pause: async (act) => {
    if (act.random.chance(0.5)) {
      await act.ask('POST', `/v1/subscriptions/${act.random.pick(act.there.subscriptions)}/pause`);
    } else {
      const until = act.random.chance(0.5) ? { resumes_at: act.there.now + 7 * day } : {};
      await update(act, { pause_collection: { behavior: 'void', ...until } });
    }
  },
  resume: async (act) => {
    await act.ask('POST', `/v1/subscriptions/${act.random.pick(act.there.subscriptions)}/resume`);
    await update(act, { pause_collection: '' });
  },
  pay: ({ control, random, there }) =>
    control(`/_sim/api/customers/${random.pick(there.customers)}/payments`, {
      succeed: random.chance(0.5),
      payment_method: random.chance(0.5),
      after_last_try: random.pick(['canceled', 'unpaid', 'past_due']),
    }),
};

const ours = {
  createOurs: ({ api, random, there }) =>
    api('POST', `/v1/customers${random.pick(['', '?wait=true'])}`, {
      external_id: `ours-${there.seed}-${random.seed()}`,
      name: `O ${word(random)}`,
      ...ourFields(random, 0.5),
    }),
  updateOurs: ({ api, random, there }) =>
    api('PUT', `/v1/customers/${random.pick(there.ours)}${random.pick(['', '?wait=true'])}`, ourFields(random, 0.5)),
  deleteOurs: ({ api, random, there }) =>
    api('DELETE', `/v1/customers/${random.pick(there.ours)}?provider_cleanup=true`),
  // Deleted here alone: Stripe keeps its customer, and one that it may be making for us just now; we do not look after
  // them any more.
  letGo: async ({ api, random, there, letGo }) => {
    const [id, stripeId] = random.pick(there.told) ?? [];
    await api('DELETE', `/v1/customers/${id}`);
    if (id && (await api('GET', `/v1/customers/${id}`)) === undefined) {
      letGo.add(stripeId).add(id);
    }
  },
  syncOurs: ({ api, random, there }) => api('POST', `/v1/customers/${random.pick(there.ours)}/sync-to-stripe`),
};

export const operations = { ...customers, ...catalog, ...subscriptions, ...ours };
