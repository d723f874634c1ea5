// What must be true of a business that has come to rest: both sides equal, object by object; each event stored once and
// settled, each effect once; the mappings a bijection.
import assert from 'node:assert/strict';

import { customerOf, fieldsLike, productOf, subscriptionOf } from './simulation_mirror.mjs';
import { waitFor } from './wait.mjs';

const stateTypes = ['customer', 'product', 'price', 'subscription', 'event'];

const awayMsMax = 120_000; // server and database, killed on a busy machine

const byId = (list) => new Map(list.map((object) => [object.id, object]));
const isLive = ({ deleted }) => !deleted;

// Everything our side has of it: what the API shows, and what it does not, past the server.
async function readOurs(business, cluster) {
  const { tenant } = business;
  const list = async (path) => {
    const { items, pagination } = await business.api('GET', path);
    assert.equal(items.length, pagination.total, `${path} fits on a page`);
    return byId(items);
  };
  const own = `(tenant_id, environment_id) = ('${tenant.tenant}', '${tenant.environment}')`;
  const [customers, plans, addons, subscriptions, [ledger]] = await Promise.all([
    list('/v1/customers?limit=1000'),
    list('/v1/plans?limit=1000&expand=prices'),
    list('/v1/addons?limit=1000&expand=prices'),
    list('/v1/subscriptions?limit=1000'),
    // It may be killed just now.
    waitFor(() => cluster.rows(ledgerSql(own)).catch(() => undefined), 'the database', awayMsMax),
  ]);
  return { customers, plans, addons, subscriptions, ...ledger };
}

// One query, because a hundred businesses ask.
function ledgerSql(own) {
  const all = (sql) => `(SELECT coalesce(json_agg(r), '[]') FROM (${sql}) r)`;
  const outcomes = `SELECT i.event_id, i.seq, i.event_type, o.outcome, o.reason
    FROM (SELECT * FROM inbox WHERE ${own}) i
    LEFT JOIN (SELECT * FROM inbox_outcomes WHERE ${own}) o USING (seq)`;
  const twice = `SELECT entity_type, entity_id, actor, action, count(*) FROM audit_log
    WHERE ${own} AND actor NOT LIKE 'api_key:%' AND actor NOT LIKE 'stripe:%'
    GROUP BY 1, 2, 3, 4 HAVING count(*) > 1`;
  // One that was unmapped may be mapped again, to another of Stripe's.
  const times = (action) => `count(*) FILTER (WHERE action = '${action}')`;
  const made = `SELECT entity_type, entity_id, ${times('create')} AS created, ${times('map')} AS mapped,
    ${times('unmap')} AS unmapped FROM audit_log WHERE ${own} GROUP BY 1, 2
    HAVING ${times('create')} > 1 OR ${times('map')} - ${times('unmap')} NOT IN (0, 1)`;
  return `SELECT
    ${all(outcomes)} AS events,
    ${all(`SELECT event_id, state, error_code, error_message FROM parked_events WHERE ${own}`)} AS parked,
    ${all(`SELECT entity_type, entity_id, provider_entity_id FROM entity_integration_mappings
           WHERE ${own} AND status = 'published'`)} AS mappings,
    ${all(`SELECT object_type, stripe_id, entity_id, deleted FROM stripe_objects
           WHERE ${own}`)} AS shadows,
    ${all(`SELECT object_type, stripe_id FROM stripe_objects WHERE ${own} AND needs_reconcile`)} AS marked,
    ${all(`SELECT operation, entity_id, error_message FROM outbox WHERE ${own} AND state = 'refused'`)} AS refused,
    ${all(twice)} AS twice, ${all(made)} AS made_twice`;
}

// Each event of Stripe's is stored, once, and came to an end that it may have.
function proveEvents(theirs, ours) {
  const stored = ours.events.filter(({ event_type: type }) => type !== 'flexsync.reconcile').map((event) => event.event_id);
  assert.equal(new Set(stored).size, stored.length, 'an event is stored twice');
  const there = new Set(theirs.event.map(({ id }) => id));
  assert.deepEqual(stored.filter((id) => !there.has(id)), [], 'events that Stripe does not know');
  stored.forEach((id) => there.delete(id));
  assert.deepEqual([...there], [], 'events that are not stored');
  assert.deepEqual(ours.parked, [], 'events that wait or are dead');
  const isGood = ({ outcome, reason }) =>
    ['applied', 'unchanged', 'superseded'].includes(outcome) ||
    (outcome === 'ignored' && reason.startsWith('our customer was deleted'));
  assert.deepEqual(ours.events.filter((event) => !isGood(event)), [], 'events with another outcome');
}

function proveEffects(theirs, ours) {
  assert.deepEqual(ours.twice, [], 'an event took effect twice');
  assert.deepEqual(ours.made_twice, [], 'created twice, or mapped twice at once');
  // What we told a customer that was deleted there meanwhile.
  const gone = theirs.customer.filter((object) => !isLive(object)).map(({ id }) => `No such customer: '${id}'`);
  const refused = ours.refused.filter(({ error_message: message }) => !gone.includes(message));
  assert.deepEqual(refused, [], 'intents that Stripe refused');
}

// What is mapped, and to whom: each of Stripe's once, each of ours once, and exactly those there are.
function proveMappings(theirs, ours) {
  const wanted = [
    ...theirs.customer.filter(theirs.isOurs).map(({ id }) => `customer ${id}`),
    ...theirs.product.filter(isLive).flatMap(({ id }) => [`plan ${id}`, `addon ${id}`]),
    ...theirs.subscription.map(({ id }) => `subscription ${id}`),
  ];
  const mapped = ours.mappings.map((row) => `${row.entity_type} ${row.provider_entity_id}`);
  assert.deepEqual(mapped.sort(), wanted.sort(), 'what is mapped, and what is in Stripe');
  const entities = ours.mappings.map((row) => `${row.entity_type} ${row.entity_id}`);
  assert.equal(new Set(entities).size, entities.length, 'one of ours with two of Stripe\'s');
}

// What we have beyond that is over, or was never told to Stripe.
function proveNothingElse(theirs, ours) {
  const mapped = new Set(ours.mappings.map((row) => row.entity_id));
  const isAlone = ({ id, status }) => !mapped.has(id) && status === 'published';
  const alone = (records) => [...records.values()].filter(isAlone);
  assert.deepEqual(alone(ours.plans), [], 'plans without a product');
  assert.deepEqual(alone(ours.addons), [], 'addons without a product');
  assert.equal(ours.subscriptions.size, theirs.subscription.length, 'as many subscriptions here as there');
  const gone = new Set(ours.shadows.filter(({ deleted }) => deleted).map((row) => row.entity_id));
  const lost = alone(ours.customers).filter(({ id }) => !gone.has(id));
  assert.deepEqual(lost, [], 'customers without one in Stripe, where nobody deleted it');
}

function goneId(gone, type, stripeId) {
  const product = gone.get(`product ${stripeId}`);
  const twins = { plan: product, addon: product?.replace('plan_', 'addon_') };
  return type in twins ? twins[type] : gone.get(`${type} ${stripeId}`);
}

// One line for each field that differs: none, when both sides are equal.
function differences(theirs, ours) {
  const id = new Map(ours.mappings.map((row) => [`${row.entity_type} ${row.provider_entity_id}`, row.entity_id]));
  // What is deleted in Stripe has no mapping any more: subscriptions to it still name it.
  const gone = new Map(ours.shadows.map((row) => [`${row.object_type} ${row.stripe_id}`, row.entity_id]));
  const idOf = (type, stripeId) => id.get(`${type} ${stripeId}`) ?? goneId(gone, type, stripeId);
  const found = [];
  const compare = (type, stripeId, wanted, record) => {
    const [stripe, own] = [leaves(wanted), leaves(fieldsLike(wanted, record))];
    for (const name of new Set([...stripe.keys(), ...own.keys()])) {
      if (stripe.get(name) !== own.get(name)) {
        found.push(`${type} ${stripeId} ${name}: Stripe ${show(stripe.get(name))}, ours ${show(own.get(name))}`);
      }
    }
  };
  for (const object of theirs.customer.filter(theirs.isOurs)) {
    compare('customer', object.id, customerOf(object), ours.customers.get(idOf('customer', object.id)));
  }
  for (const object of theirs.product.filter(isLive)) {
    const wanted = productOf(object, theirs.price.filter(({ product }) => product === object.id));
    const plan = ours.plans.get(idOf('plan', object.id));
    compare('plan', object.id, wanted, withoutDeleted(plan));
    compare('addon', object.id, wanted, withoutDeleted(ours.addons.get(idOf('addon', object.id))));
  }
  for (const object of theirs.subscription) {
    const events = theirs.event.filter(({ data }) => data.object.id === object.id);
    const record = ours.subscriptions.get(idOf('subscription', object.id));
    compare('subscription', object.id, subscriptionOf(object, events, idOf), record);
  }
  return found;
}

const withoutDeleted = (plan) => plan && { ...plan, prices: plan.prices.filter(({ status }) => status !== 'deleted') };

const show = (value) => (value === undefined ? 'nothing' : JSON.stringify(value));

// {path → value}, of whatever is nested.
function leaves(value, path = '', all = new Map()) {
  if (value === null || typeof value !== 'object') {
    all.set(path, value);
  } else {
    Object.entries(value).forEach(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`, all));
  }
  return all;
}

// Compares both sides, repairs what no event can have brought, and compares again.
export async function compareAndRepair(business, cluster) {
  const theirs = await business.objects(stateTypes);
  const isLetGo = ({ id, metadata }) => business.letGo.has(id) || business.letGo.has(metadata?.flexprice_customer_id);
  theirs.isOurs = (customer) => isLive(customer) && !isLetGo(customer);
  const ours = await readOurs(business, cluster);
  return { theirs, ours, found: differences(theirs, ours) };
}

// What happened to the objects that something is wrong with, and to those that claim the same customer: a line for
// each event.
function storyOf(theirs, ours, found) {
  const outcomes = new Map(ours.events.map((event) => [event.event_id, event]));
  const dead = new Set(ours.parked.map((event) => event.event_id));
  const wrong = new Set(found.flatMap((line) => line.match(/(?<=\w |prices\.)(?:cus|prod|sub|price|plan)_\w+/g)));
  theirs.event.filter(({ id }) => dead.has(id)).forEach(({ data }) => wrong.add(data.object.id));
  const claimOf = ({ object }) => object.metadata?.flexprice_customer_id;
  const claims = new Set(theirs.event.filter(({ data }) => wrong.has(data.object.id)).map(({ data }) => claimOf(data)));
  claims.delete(undefined);
  return theirs.event
    .filter(({ data }) => wrong.has(data.object.id) || claims.has(claimOf(data)))
    .map(({ id, type, created, data, request }) => {
      const { seq, outcome = 'not stored', reason = '' } = outcomes.get(id) ?? {};
      const asked = request.idempotency_key ? ` asked for with ${request.idempotency_key}` : '';
      return `${data.object.id} ${created} ${type} ${id}${asked}, stored as ${seq}: ${outcome} ${reason}`;
    });
}

export async function prove(business, cluster) {
  const { theirs, ours, found } = await compareAndRepair(business, cluster);
  business.story = () => storyOf(theirs, ours, found);
  proveEvents(theirs, ours);
  assert.deepEqual(found, [], 'where both sides differ');
  proveMappings(theirs, ours);
  proveNothingElse(theirs, ours);
  proveEffects(theirs, ours);
  return { events: theirs.event.length, marked: ours.marked.length, done: business.done, refusals: business.refusals };
}
