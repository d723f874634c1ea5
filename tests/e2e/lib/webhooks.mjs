// Webhooks as Stripe would send them, made and signed without the server's code or the official client's.
import { createHmac } from 'node:crypto';
import http from 'node:http';

export const webhookSecret = 'whsec_of_the_fault_tests';

export const nowSeconds = () => Math.floor(Date.now() / 1000);

export function signature(body, secret = webhookSecret, at = nowSeconds()) {
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.`).update(body).digest('hex')}`;
}

export function customerEvent({ id, type = 'customer.updated', created = nowSeconds(), customer, object = {} }) {
  return objectEvent({ id, type, created, object: { id: customer, object: 'customer', metadata: {}, ...object } });
}

export function objectEvent({ id, type, created, object }) {
  return {
    id,
    object: 'event',
    api_version: '2026-10-28.endive',
    created,
    type,
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    data: { object: { created, livemode: false, ...object } },
  };
}

// Resolves to {status, body}; rejects when the connection ends without an answer or none comes in time.
export function post(server, path, body, headers = {}, { agent, timeoutMs = 35_000 } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port: server.port,
        method: 'POST',
        path,
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: text }));
        response.on('error', reject);
      },
    );
    request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', reject);
    request.end(body);
  });
}

// Signed with the tenant's secret, at this moment.
export function deliver(server, tenant, event, options) {
  const body = typeof event === 'string' ? event : JSON.stringify(event);
  return post(server, tenant.path, body, { 'stripe-signature': signature(body, tenant.secret) }, options);
}
