// stripe-sim's customers and errors, driven by the official client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Stripe from 'stripe';

import { apiKey, clientFor, startSim } from './lib/sim.mjs';

let sim;
let stripe;

before(async () => {
  sim = await startSim();
  stripe = sim.stripe;
});
after(() => sim?.stop());

async function rejected(promise, type, expected) {
  const error = await promise.then(
    () => assert.fail('the call should have been refused'),
    (reason) => reason,
  );
  assert.ok(error instanceof type, `${error.constructor.name}: ${error.message}`);
  for (const [field, value] of Object.entries(expected)) {
    if (value instanceof RegExp) {
      assert.match(error[field], value);
    } else {
      assert.equal(error[field], value);
    }
  }
}

test('a new customer has the whole shape', async () => {
  const customer = await stripe.customers.create();
  assert.match(customer.id, /^cus_[0-9A-Za-z]{14}$/);
  const { id, created, invoice_prefix: prefix, lastResponse, ...rest } = customer;
  assert.ok(Math.abs(created - Date.now() / 1000) < 60);
  assert.match(prefix, /^[0-9A-Z]{8}$/);
  assert.match(lastResponse.requestId, /^req_/);
  assert.deepEqual(rest, {
    object: 'customer',
    address: null,
    balance: 0,
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  });
});

test('every field is kept, and read back', async () => {
  const given = {
    name: 'Zoë & Søn = 100 %',
    email: 'zoe+tag@example.com',
    phone: '+49 30 1234',
    description: 'first\nsecond',
    balance: -250,
    tax_exempt: 'reverse',
    preferred_locales: ['de', 'en'],
    next_invoice_sequence: 7,
    address: { line1: 'Am Weg 1', city: 'Köln', postal_code: '50667', country: 'DE' },
    shipping: { name: 'Zoë', address: { line1: 'Tor 2' } },
    invoice_settings: { footer: 'Danke' },
    metadata: { external_id: 'x-1', 'a b': 'ä' },
  };
  const created = await stripe.customers.create(given);
  const customer = await stripe.customers.retrieve(created.id);
  for (const field of ['name', 'email', 'phone', 'description', 'balance', 'tax_exempt', 'preferred_locales']) {
    assert.deepEqual(customer[field], given[field], field);
  }
  assert.equal(customer.next_invoice_sequence, 7);
  assert.deepEqual(customer.address, { ...given.address, line2: null, state: null });
  assert.equal(customer.shipping.address.line1, 'Tor 2');
  assert.equal(customer.invoice_settings.footer, 'Danke');
  assert.deepEqual(customer.metadata, given.metadata);
});

test('an update changes what it names, and empty values unset', async () => {
  const { id } = await stripe.customers.create({
    name: 'A',
    email: 'a@example.com',
    phone: '1',
    address: { line1: 'L', city: 'C' },
  });
  let customer = await stripe.customers.update(id, { name: 'B', phone: '', address: { city: 'D' } });
  assert.equal(customer.name, 'B');
  assert.equal(customer.email, 'a@example.com');
  assert.equal(customer.phone, null);
  assert.equal(customer.address.city, 'D');
  assert.equal(customer.address.line1, 'L');
  customer = await stripe.customers.update(id, { address: '', email: '' });
  assert.equal(customer.address, null);
  assert.equal(customer.email, null);
});

test('metadata: keys are merged, an empty value deletes its key, an empty hash value clears all', async () => {
  const { id } = await stripe.customers.create({ metadata: { a: '1', b: '2' } });
  let customer = await stripe.customers.update(id, { metadata: { b: '3', c: '4' } });
  assert.deepEqual(customer.metadata, { a: '1', b: '3', c: '4' });
  customer = await stripe.customers.update(id, { metadata: { a: '', c: null } });
  assert.deepEqual(customer.metadata, { b: '3' });
  customer = await stripe.customers.update(id, { name: 'untouched' });
  assert.deepEqual(customer.metadata, { b: '3' });
  customer = await stripe.customers.update(id, { metadata: '' });
  assert.deepEqual(customer.metadata, {});
});

test('a deleted customer answers as deleted, and can be neither changed nor deleted again', async () => {
  const { id } = await stripe.customers.create({ name: 'Gone' });
  const expected = { id, object: 'customer', deleted: true };
  assert.deepEqual({ ...(await stripe.customers.del(id)) }, expected);
  assert.deepEqual({ ...(await stripe.customers.retrieve(id)) }, expected);
  const gone = { statusCode: 404, code: 'resource_missing', message: `No such customer: '${id}'` };
  await rejected(stripe.customers.update(id, { name: 'x' }), Stripe.errors.StripeInvalidRequestError, gone);
  await rejected(stripe.customers.del(id), Stripe.errors.StripeInvalidRequestError, gone);
});

test('lists: newest first, both directions, filters, auto-pagination', async () => {
  const other = clientFor(sim, 'sk_test_lists'); // an account of its own
  const ids = [];
  for (let i = 0; i < 25; ++i) {
    const { id } = await other.customers.create({ name: `c${i}`, email: i % 5 === 0 ? 'same@example.com' : undefined });
    ids.unshift(id);
  }
  const first = await other.customers.list();
  assert.deepEqual(first.data.map((customer) => customer.id), ids.slice(0, 10));
  assert.equal(first.has_more, true);
  assert.equal(first.url, '/v1/customers');
  const last = await other.customers.list({ limit: 10, starting_after: ids[19] });
  assert.deepEqual(last.data.map((customer) => customer.id), ids.slice(20));
  assert.equal(last.has_more, false);
  const back = await other.customers.list({ limit: 10, ending_before: ids[20] });
  assert.deepEqual(back.data.map((customer) => customer.id), ids.slice(10, 20));
  assert.equal(back.has_more, true);

  const all = await other.customers.list({ limit: 7 }).autoPagingToArray({ limit: 1000 });
  assert.deepEqual(all.map((customer) => customer.id), ids);
  const backwards = [];
  for await (const customer of other.customers.list({ limit: 7, ending_before: ids[24] })) {
    backwards.push(customer.id);
  }
  assert.deepEqual(backwards, ids.slice(0, 24).reverse());

  assert.equal((await other.customers.list({ email: 'same@example.com' })).data.length, 5);
  await other.customers.del(ids[3]);
  const without = await other.customers.list({ limit: 100 });
  assert.deepEqual(without.data.map((customer) => customer.id), ids.toSpliced(3, 1));
});

test('created filters follow the simulated clock', async () => {
  const other = clientFor(sim, 'sk_test_created');
  const start = 1_900_000_000;
  const ids = [];
  try {
    for (let day = 0; day < 3; ++day) {
      await sim.post('/_sim/clock', { freeze_at: start + day * 86_400 });
      ids.push((await other.customers.create()).id);
    }
  } finally {
    await sim.post('/_sim/clock', { follow: true });
  }
  const found = async (created) => (await other.customers.list({ created })).data.map((customer) => customer.id);
  assert.deepEqual(await found({ gt: start }), [ids[2], ids[1]]);
  assert.deepEqual(await found({ gte: start, lt: start + 86_400 }), [ids[0]]);
  assert.deepEqual(await found({ lte: start + 86_400 }), [ids[1], ids[0]]);
  assert.deepEqual(await found(start + 2 * 86_400), [ids[2]]);
});

test('wrong requests are refused in Stripe\'s words', async () => {
  const invalid = Stripe.errors.StripeInvalidRequestError;
  await rejected(stripe.customers.create({ nmae: 'x' }), invalid, {
    statusCode: 400,
    code: 'parameter_unknown',
    param: 'nmae',
    message: 'Received unknown parameter: nmae',
  });
  await rejected(stripe.customers.create({ address: { street: 'x' } }), invalid, { param: 'address[street]' });
  await rejected(stripe.customers.create({ email: 'nobody' }), invalid, { param: 'email', code: 'email_invalid' });
  await rejected(stripe.customers.create({ balance: 'much' }), invalid, {
    param: 'balance',
    message: /Invalid integer/,
  });
  await rejected(stripe.customers.create({ tax_exempt: 'no' }), invalid, {
    message: 'Invalid tax_exempt: must be one of exempt, none, or reverse',
  });
  await rejected(stripe.customers.create({ metadata: { ['k'.repeat(41)]: 'v' } }), invalid, {
    message: /40 characters/,
  });
  await rejected(stripe.customers.create({ source: 'tok_visa' }), invalid, { message: /does not know the parameter/ });
  await rejected(stripe.customers.retrieve('cus_missing'), invalid, {
    statusCode: 404,
    code: 'resource_missing',
    param: 'id',
    message: "No such customer: 'cus_missing'",
  });
  await rejected(stripe.customers.list({ limit: 101 }), invalid, { statusCode: 400, param: 'limit' });
  await rejected(stripe.customers.list({ starting_after: 'cus_no' }), invalid, { param: 'starting_after' });
  await rejected(stripe.rawRequest('GET', '/v1/foo'), invalid, {
    statusCode: 404,
    message: /^Unrecognized request URL \(GET: \/v1\/foo\)/,
  });
});

test('the form encoding: what no client library would send', async () => {
  const post = async (body, headers = {}) => {
    const response = await fetch(`${sim.base}/v1/customers`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
    return { status: response.status, ...(await response.json()) };
  };
  const basic = { authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}` };
  assert.equal((await post('name=a+b%20c&&metadata[0]=zero', basic)).name, 'a b c');
  assert.deepEqual((await post('preferred_locales[]=de&preferred_locales[]=en')).preferred_locales, ['de', 'en']);
  assert.equal((await post('name=%FF%zz')).name, '\ufffd%zz');
  assert.match((await post('address=x')).error.message, /Invalid object/);
  assert.match((await post('address=x&address[city]=y')).error.message, /both as a value and as a hash/);
  assert.match((await post('address[city=y')).error.message, /Invalid parameter name/);
  assert.match((await post(`a${'[b]'.repeat(20)}=y`)).error.message, /nested at most/);
  assert.match((await post('name=x&shipping[name]=y')).error.message, /Missing required param: shipping\[address\]/);
  const json = await post('{"name":"x"}', { 'content-type': 'application/json' });
  assert.equal(json.status, 400);
  assert.match(json.error.message, /application\/x-www-form-urlencoded/);
});

test('keys: missing, of no valid form, not the one asked for', async () => {
  const missing = await fetch(`${sim.base}/v1/customers`);
  assert.equal(missing.status, 401);
  assert.match((await missing.json()).error.message, /You did not provide an API key/);
  const refused = Stripe.errors.StripeAuthenticationError;
  await rejected(clientFor(sim, 'pk_test_1234567890').customers.list(), refused, {
    statusCode: 401,
    message: 'Invalid API Key provided: pk_test_******7890',
  });
  const strict = await startSim(['--api-key', apiKey]);
  try {
    await strict.stripe.customers.create();
    await rejected(clientFor(strict, 'sk_test_another').customers.list(), refused, { statusCode: 401 });
  } finally {
    await strict.stop();
  }
});

test('a key names its account and mode', async () => {
  const { id } = await clientFor(sim, 'sk_test_one').customers.create();
  assert.equal((await clientFor(sim, 'rk_test_one').customers.retrieve(id)).id, id);
  await assert.rejects(clientFor(sim, 'sk_test_two').customers.retrieve(id));
  await assert.rejects(clientFor(sim, 'sk_live_one').customers.retrieve(id));
  assert.equal((await clientFor(sim, 'sk_live_one').customers.create()).livemode, true);
  assert.match((await stripe.accounts.retrieveCurrent()).id, /^acct_/);
});

test('the answer echoes version, idempotency key and request id, and carries the simulated date', async () => {
  await sim.post('/_sim/clock', { freeze_at: 1_900_000_000 });
  try {
    const response = await fetch(`${sim.base}/v1/customers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'idempotency-key': 'k-1', 'stripe-version': '2025-03-31.basil' },
    });
    assert.equal(response.headers.get('stripe-version'), '2025-03-31.basil');
    assert.equal(response.headers.get('idempotency-key'), 'k-1');
    assert.match(response.headers.get('request-id'), /^req_/);
    assert.equal(Date.parse(response.headers.get('date')) / 1000, 1_900_000_000);
  } finally {
    await sim.post('/_sim/clock', { follow: true });
  }
});
