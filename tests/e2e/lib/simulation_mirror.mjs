// Stripe's objects in FlexPrice's words: what our API must show of them once nothing is under way. The rules of
// docs/mapping.md stand here once more, without the server's code.
import { customerFields } from './customer_fields.mjs';

const periods = { day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY', year: 'ANNUAL' };
const statuses = { canceled: 'cancelled', incomplete_expired: 'inactive' };
const places = { jpy: 0, kwd: 3 };

const time = (seconds) => (seconds ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') : '');
const shown = (text) => (text ? text.replace(/\.0+Z$/, 'Z') : '');
const open = (metadata) =>
  Object.fromEntries(Object.entries(metadata ?? {}).filter(([key]) => !/^(flexprice_|stripe_\w+_id$)/.test(key)));

// Minor units, perhaps with a fraction, as a decimal of the main unit.
export function mainUnit(minor, currency) {
  if (minor === null || minor === undefined) {
    return null;
  }
  const [whole, fraction = ''] = String(minor).split('.');
  const digits = places[currency] ?? 2;
  const padded = whole.padStart(digits + 1, '0');
  const cut = padded.length - digits;
  const rest = `${padded.slice(cut)}${fraction}`.replace(/0+$/, '');
  return rest === '' ? padded.slice(0, cut) : `${padded.slice(0, cut)}.${rest}`;
}

export function customerOf(object) {
  return {
    ...customerFields(object),
    metadata: { ...open(object.metadata), stripe_customer_id: object.id },
    status: 'published',
  };
}

const tierOf = (tier, currency) => ({
  up_to: tier.up_to ?? null,
  unit_amount: mainUnit(tier.unit_amount_decimal ?? tier.unit_amount, currency),
  flat_amount: mainUnit(tier.flat_amount_decimal ?? tier.flat_amount, currency),
});

export function priceOf(object) {
  return {
    amount: mainUnit(object.unit_amount_decimal ?? object.unit_amount, object.currency),
    currency: object.currency,
    billing_period: object.recurring ? periods[object.recurring.interval] : 'ONETIME',
    billing_period_count: object.recurring?.interval_count ?? 1,
    type: object.recurring?.usage_type === 'metered' ? 'USAGE' : 'FIXED',
    tier_mode: { graduated: 'SLAB', volume: 'VOLUME' }[object.tiers_mode] ?? null,
    tiers: object.tiers?.map((tier) => tierOf(tier, object.currency)) ?? null,
    transform_quantity: object.transform_quantity ?? null,
    display_name: object.nickname ?? '',
    status: object.active ? 'published' : 'archived',
  };
}

// Of a plan and of its twin addon.
export function productOf(object, prices) {
  return {
    name: object.name || object.id,
    description: object.description ?? '',
    metadata: open(object.metadata),
    status: object.active ? 'published' : 'archived',
    prices: Object.fromEntries(prices.map((price) => [price.id, priceOf(price)])),
  };
}

// By all events there were, and what stands: the item that was the plan's stays it; when it is gone, the oldest made after it was last
// seen follows, else the oldest there is.
export function planItem(subscription, events) {
  const seen = new Map();
  for (const { type, created, data } of events) {
    for (const item of data.object.items.data) {
      const known = seen.get(item.id) ?? { id: item.id, created: item.created, last: 0, first: false };
      known.last = Math.max(known.last, created, item.created);
      known.first ||= type === 'customer.subscription.created';
      seen.set(item.id, known);
    }
  }
  for (const { id, created } of subscription.items.data.filter((item) => !seen.has(item.id))) {
    seen.set(id, { id, created, last: created, first: false }); // no event showed it
  }
  const rank = ({ first, created, id }) => `${first ? 0 : 1} ${String(created).padStart(12, '0')} ${id}`;
  const known = [...seen.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  const present = new Set(subscription.items.data.map(({ id }) => id));
  let plan = known[0];
  while (plan && !present.has(plan.id)) {
    plan = known.find(({ created }) => created > plan.last);
  }
  return (plan ?? known.find(({ id }) => present.has(id)))?.id;
}

const endsFirst = (a, b) =>
  a.current_period_end - b.current_period_end || b.current_period_start - a.current_period_start;

// `idOf(type, stripe id)`: ours, by the mappings.
export function subscriptionOf(object, events, idOf) {
  const items = object.items.data;
  const plan = items.find(({ id }) => id === planItem(object, events));
  const entity = (item) => (item === plan ? 'plan' : 'addon');
  const [next] = [...items].sort(endsFirst);
  return {
    customer_id: idOf('customer', object.customer),
    plan_id: plan && idOf('plan', plan.price.product),
    subscription_status: statuses[object.status] ?? object.status,
    currency: object.currency,
    collection_method: object.collection_method,
    cancel_at_period_end: object.cancel_at_period_end,
    pause_status: object.pause_collection ? 'active' : 'none',
    start_date: time(object.start_date),
    end_date: time(object.ended_at),
    trial_start: time(object.trial_start),
    trial_end: time(object.trial_end),
    billing_anchor: time(object.billing_cycle_anchor),
    cancel_at: time(object.cancel_at),
    cancelled_at: time(object.canceled_at),
    current_period_start: time(next.current_period_start),
    current_period_end: time(next.current_period_end),
    metadata: open(object.metadata),
    line_items: Object.fromEntries(
      items.map((item) => [
        item.id,
        {
          entity_type: entity(item),
          entity_id: idOf(entity(item), item.price.product),
          price_id: item.price.id,
          quantity: item.quantity === undefined ? null : String(item.quantity),
        },
      ]),
    ),
  };
}

// Our record with the fields of `wanted` alone, written like it.
export function fieldsLike(wanted, record) {
  return Object.fromEntries(
    Object.keys(wanted).map((name) => {
      const value = record?.[name];
      const isTime = typeof wanted[name] === 'string' && (value === null || /^\d{4}-\d\d-\d\dT/.test(value ?? ''));
      if (name === 'prices' || name === 'line_items') {
        const own = new Map((value ?? []).map((part) => [part.id, part]));
        const keys = new Set([...Object.keys(wanted[name]), ...own.keys()]);
        return [
          name,
          Object.fromEntries([...keys].map((id) => [id, own.has(id) ? likeOne(wanted[name][id], own.get(id)) : null])),
        ];
      }
      return [name, isTime ? shown(value) : value];
    }),
  );
}

const likeOne = (wanted, record) => (wanted ? fieldsLike(wanted, record) : 'too many');
