// stripe-sim's billing meters, meter events and summaries, driven by the official client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { clientFor, startSim } from './lib/sim.mjs';

const start = 1_900_000_800; // a full hour
const day = 86_400;

let sim;

before(async () => {
  sim = await startSim();
  await sim.post('/_sim/clock', { freeze_at: start });
});
after(() => sim?.stop());

// A client of its own account with one meter and one customer.
async function world(name, meterParams = {}) {
  const key = `sk_test_${name}`;
  const client = clientFor(sim, key);
  const meter = await client.billing.meters.create({
    display_name: 'Tokens',
    event_name: 'tokens',
    default_aggregation: { formula: 'sum' },
    ...meterParams,
  });
  const customer = await client.customers.create();
  const send = (params = {}, options = {}) =>
    client.billing.meterEvents.create(
      { event_name: 'tokens', payload: { stripe_customer_id: customer.id, value: '5' }, ...params },
      options,
    );
  const summaries = async (params) =>
    (await client.billing.meters.listEventSummaries(meter.id, { customer: customer.id, ...params })).data;
  return { key, client, meter, customer, send, summaries };
}

test('a meter has the whole shape, and its changes are events', async () => {
  const { client, meter } = await world('shape');
  const { id, lastResponse, ...rest } = meter;
  assert.match(id, /^mtr_test_[0-9A-Za-z]{32}$/);
  assert.deepEqual(rest, {
    object: 'billing.meter',
    created: start,
    customer_mapping: { event_payload_key: 'stripe_customer_id', type: 'by_id' },
    default_aggregation: { formula: 'sum' },
    display_name: 'Tokens',
    event_name: 'tokens',
    event_time_window: null,
    livemode: false,
    status: 'active',
    status_transitions: { deactivated_at: null },
    updated: start,
    value_settings: { event_payload_key: 'value' },
  });
  assert.equal((await client.billing.meters.update(id, { display_name: 'New' })).display_name, 'New');
  const inactive = await client.billing.meters.deactivate(id);
  assert.equal(inactive.status, 'inactive');
  assert.equal(inactive.status_transitions.deactivated_at, start);
  await assert.rejects(client.billing.meters.deactivate(id), { message: /inactive already/ });
  assert.equal((await client.billing.meters.list({ status: 'active' })).data.length, 0);
  const active = await client.billing.meters.reactivate(id);
  assert.deepEqual({ ...(await client.billing.meters.retrieve(id)) }, { ...active });
  assert.deepEqual((await client.events.list({ type: 'billing.meter.*' })).data.map(({ type }) => type).reverse(), [
    'billing.meter.created',
    'billing.meter.updated',
    'billing.meter.deactivated',
    'billing.meter.reactivated',
  ]);
});

test('one active meter per event name', async () => {
  const { client, meter } = await world('names');
  const another = { display_name: 'x', event_name: 'tokens', default_aggregation: { formula: 'count' } };
  await assert.rejects(client.billing.meters.create(another), { param: 'event_name', message: new RegExp(meter.id) });
  await client.billing.meters.deactivate(meter.id);
  await client.billing.meters.create(another);
  await assert.rejects(client.billing.meters.reactivate(meter.id), { param: 'event_name' });
});

test('a wrong meter is refused', async () => {
  const { client } = await world('wrong_meter');
  const good = { display_name: 'x', event_name: 'x', default_aggregation: { formula: 'sum' } };
  const refused = (params, expected) =>
    assert.rejects(client.billing.meters.create({ ...good, ...params }), { statusCode: 400, ...expected });
  await refused({ default_aggregation: { formula: 'max' } }, { param: 'default_aggregation[formula]' });
  await refused({ default_aggregation: undefined }, { param: 'default_aggregation', code: 'parameter_missing' });
  await refused({ customer_mapping: { type: 'by_id' } }, { param: 'customer_mapping[event_payload_key]' });
  await refused({ unit: 'x' }, { code: 'parameter_unknown' });
  await assert.rejects(client.billing.meters.retrieve('mtr_no'), { statusCode: 404, code: 'resource_missing' });
});

test('a meter event is answered as sent, and the state shows what it counted as', async () => {
  const { key, customer, meter, send } = await world('event');
  const sent = await send({ identifier: 'id-1', timestamp: start - 60 });
  assert.deepEqual({ ...sent }, {
    object: 'billing.meter_event',
    created: start,
    event_name: 'tokens',
    identifier: 'id-1',
    livemode: false,
    payload: { stripe_customer_id: customer.id, value: '5' },
    timestamp: start - 60,
  });
  const generated = await send({});
  assert.match(generated.identifier, /^[0-9A-Za-z]{32}$/);
  assert.equal(generated.timestamp, start);
  const kept = await sim.objects('billing.meter_event', key);
  assert.deepEqual(
    kept.map((event) => [event.identifier, event.customer, event.meter, event.value, event.timestamp]),
    [
      ['id-1', customer.id, meter.id, 5, start - 60],
      [generated.identifier, customer.id, meter.id, 5, start],
    ],
  );
});

test('what Stripe refuses in a meter event', async () => {
  const { client, customer, meter, send, key } = await world('refused');
  const refused = (params, expected) => assert.rejects(send(params), { statusCode: 400, ...expected });
  const value = (text) => ({ payload: { stripe_customer_id: customer.id, value: text } });
  const whose = (id) => ({ payload: { stripe_customer_id: id, value: '1' } });
  await refused({ event_name: 'other' }, { param: 'event_name', message: /No active meter found.*"other"/ });
  await refused({ event_name: undefined }, { param: 'event_name', code: 'parameter_missing' });
  await refused({ payload: undefined }, { param: 'payload', code: 'parameter_missing' });
  await refused({ payload: { value: '1' } }, { param: 'payload[stripe_customer_id]' });
  await refused(whose('cus_no'), { param: 'payload[stripe_customer_id]', code: 'resource_missing' });
  await refused({ payload: { stripe_customer_id: customer.id } }, { param: 'payload[value]' });
  for (const wrong of ['', 'x', '1.5', '1e3', '-', '+1', ' 1', '1234567890123456', '-1234567890123456']) {
    await refused(value(wrong), { param: 'payload[value]' });
  }
  await refused({ identifier: 'i'.repeat(101) }, { param: 'identifier' });
  await refused({ identifier: '' }, { param: 'identifier', code: 'parameter_invalid_empty' });
  await refused({ timestamp: start - 35 * day - 1 }, { param: 'timestamp' });
  await refused({ timestamp: start + 301 }, { param: 'timestamp' });
  await refused({ colour: 'red' }, { code: 'parameter_unknown' });
  const gone = await client.customers.create();
  await client.customers.del(gone.id);
  await refused(whose(gone.id), { param: 'payload[stripe_customer_id]', message: /No such customer/ });
  assert.deepEqual(await sim.objects('billing.meter_event', key), []);

  for (const right of ['0', '-3', '123456789012345', '-123456789012345']) {
    await send(value(right));
  }
  await send({ timestamp: start - 35 * day, identifier: 'i'.repeat(100) });
  await send({ timestamp: start + 300 });
  await client.billing.meters.deactivate(meter.id);
  await refused({}, { param: 'event_name', message: /No active meter found/ });
});

test('an identifier counts once within 24 hours, per account', async () => {
  const { client, send, summaries } = await world('twice');
  const other = await world('twice_other');
  const range = { start_time: start - 60, end_time: start + 2 * day };
  await send({ identifier: 'once' });
  const again = await send({ identifier: 'once', payload: { stripe_customer_id: 'cus_x', value: '1' } })
    .catch((error) => error);
  assert.match(again.message, /No such customer/);
  const duplicate = await send({ identifier: 'once' }).catch((error) => error);
  assert.equal(duplicate.statusCode, 400);
  assert.equal(duplicate.rawType, 'invalid_request_error');
  assert.equal(duplicate.message, 'An event already exists with identifier once.');
  assert.equal(duplicate.code, undefined);
  assert.equal(duplicate.headers['stripe-should-retry'], 'false');
  await other.send({ identifier: 'once' });
  assert.equal((await summaries(range))[0].aggregated_value, 5);
  try {
    await sim.post('/_sim/clock', { advance_seconds: day - 1 });
    await assert.rejects(send({ identifier: 'once' }), { message: /already exists/ });
    await sim.post('/_sim/clock', { advance_seconds: 1 });
    await send({ identifier: 'once' });
    assert.equal((await summaries(range))[0].aggregated_value, 10);
    assert.equal((await client.billing.meters.list()).data.length, 1);
  } finally {
    await sim.post('/_sim/clock', { freeze_at: start });
  }
});

test('summaries aggregate by the meter\'s formula', async () => {
  for (const [formula, expected] of [['sum', 9], ['count', 3], ['last', 4]]) {
    const { customer, send, summaries } = await world(`formula_${formula}`, { default_aggregation: { formula } });
    const payload = (value) => ({ stripe_customer_id: customer.id, value });
    await send({ payload: payload('4'), timestamp: start + 59 });
    await send({ payload: payload('-2'), timestamp: start });
    await send({ payload: payload('7'), timestamp: start });
    await send({ payload: payload('100'), timestamp: start + 60 });
    await send({ payload: payload('100'), timestamp: start - 1 });
    const [summary, ...more] = await summaries({ start_time: start, end_time: start + 60 });
    assert.equal(summary.aggregated_value, expected, formula);
    assert.deepEqual(more, []);
    assert.equal((await summaries({ start_time: start + 600, end_time: start + 660 }))[0].aggregated_value, 0);
  }
});

test('a meter that counts needs no value; keys of the payload are the meter\'s to choose', async () => {
  const { customer, send, summaries } = await world('keys', {
    default_aggregation: { formula: 'count' },
    customer_mapping: { type: 'by_id', event_payload_key: 'who' },
    value_settings: { event_payload_key: 'amount' },
  });
  await send({ payload: { who: customer.id } });
  await send({ payload: { who: customer.id, amount: '40', region: 'eu' } });
  assert.equal((await summaries({ start_time: start, end_time: start + 60 }))[0].aggregated_value, 2);
});

test('summaries by hour and day, in pages, newest first', async () => {
  const { client, customer, meter, send, summaries } = await world('windows');
  const midnight = start - (start % day);
  for (const hours of [0, 1, 1, 5, 30]) {
    await send({ timestamp: midnight - 2 * day + hours * 3600 + 7 });
  }
  const range = { start_time: midnight - 2 * day, end_time: midnight };
  const hourly = await summaries({ ...range, value_grouping_window: 'hour' });
  assert.deepEqual(
    hourly.map((summary) => [(summary.start_time - range.start_time) / 3600, summary.aggregated_value]),
    [[30, 5], [5, 5], [1, 10], [0, 5]],
  );
  assert.ok(hourly.every((summary) => summary.end_time === summary.start_time + 3600 && summary.meter === meter.id));
  const daily = await summaries({ ...range, value_grouping_window: 'day' });
  assert.deepEqual(daily.map((summary) => summary.aggregated_value), [5, 20]);
  const params = { ...range, customer: customer.id, value_grouping_window: 'hour', limit: 1 };
  const paged = await client.billing.meters.listEventSummaries(meter.id, params).autoPagingToArray({ limit: 100 });
  assert.deepEqual(paged, hourly);
  const back = await summaries({ ...params, limit: 2, ending_before: hourly[3].id });
  assert.deepEqual(back, hourly.slice(1, 3));
});

test('wrong questions for summaries are refused', async () => {
  const { summaries, client, customer } = await world('questions');
  const good = { start_time: start, end_time: start + 60 };
  const refused = (params, expected) =>
    assert.rejects(summaries({ ...good, ...params }), { statusCode: 400, ...expected });
  await refused({ start_time: start + 1 }, { param: 'start_time', message: /minute boundaries/ });
  await refused({ end_time: start + 61 }, { param: 'end_time' });
  await refused({ end_time: start }, { param: 'end_time', message: /after start_time/ });
  await refused({ value_grouping_window: 'hour' }, { param: 'end_time', message: /hour boundaries/ });
  await refused({ value_grouping_window: 'week' }, { param: 'value_grouping_window' });
  await refused({ customer: 'cus_no' }, { param: 'customer', code: 'resource_missing' });
  await refused({ starting_after: 'mtrusg_no' }, { param: 'starting_after' });
  await assert.rejects(client.billing.meters.listEventSummaries('mtr_no', { ...good, customer: customer.id }), {
    statusCode: 404,
  });
});
