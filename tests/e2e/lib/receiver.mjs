// A webhook endpoint that verifies what it gets with the official client, as a user's server would.
import { once } from 'node:events';
import http from 'node:http';
import Stripe from 'stripe';

import { within } from './programs.mjs';

const waitMsMax = 10_000;
const { webhooks } = new Stripe('sk_test_unused');

export async function startReceiver() {
  const waiters = new Set();
  const sockets = new Set();
  const receiver = {
    secret: '',
    events: [], // verified and answered with 2xx
    refused: [], // {error} where the signature was wrong
    attempts: [], // every request: {id, headers, body, status}
    answer: () => 200, // (event, number of this event's attempts so far) => status, or a promise of it
    ids: () => receiver.events.map((event) => event.id),

    // Resolves when the condition holds, checked when a request comes and when it is answered.
    until(condition, what) {
      const met = new Promise((resolve) => {
        const check = () => condition() && (waiters.delete(check), resolve());
        waiters.add(check);
        check();
      });
      return within(waitMsMax, met, `the receiver did not see ${what}`);
    },

    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  const changed = () => [...waiters].forEach((check) => check());

  async function take(request) {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks).toString('utf8');
    let event;
    try {
      event = webhooks.constructEvent(body, request.headers['stripe-signature'], receiver.secret);
    } catch (error) {
      receiver.refused.push({ error });
      return 400;
    }
    const attempt = { id: event.id, headers: request.headers, body, status: 0 };
    receiver.attempts.push(attempt);
    changed();
    const number = receiver.attempts.filter((other) => other.id === event.id).length;
    attempt.status = await receiver.answer(event, number);
    if (attempt.status < 300) {
      receiver.events.push(event);
    }
    return attempt.status;
  }

  const server = http.createServer(async (request, response) => {
    response.statusCode = await take(request);
    response.end();
    changed();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  receiver.url = `http://127.0.0.1:${server.address().port}/webhook`;
  receiver.connections = () => sockets.size;
  return receiver;
}
