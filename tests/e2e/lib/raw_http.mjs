// A socket that sends whatever a test wants, HTTP or not, and keeps all that comes back.
import { once } from 'node:events';
import net from 'node:net';

import { waitFor } from './wait.mjs';

const answerMsMax = 15_000;

export async function openSocket(port) {
  const socket = net.connect(port, '127.0.0.1');
  let text = '';
  let closed = false;
  socket.setEncoding('latin1').on('data', (chunk) => (text += chunk));
  socket.on('error', () => {}); // a reset is an end like any other
  socket.on('close', () => (closed = true));
  await once(socket, 'connect');
  return {
    write: (data) => socket.write(data),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
    text: () => text,
    isClosed: () => closed,
    async until(condition, what, ms = answerMsMax) {
      await waitFor(() => condition(text), () => `${what}; the server said ${JSON.stringify(text)}`, ms);
      return text;
    },
    async untilClosed(ms = answerMsMax) {
      await waitFor(() => closed, () => `the server to close; it said ${JSON.stringify(text)}`, ms);
      return text;
    },
  };
}

// Sends it all and returns the answer's status and parsed body.
export async function exchange(port, data) {
  const socket = await openSocket(port);
  socket.write(data);
  const isWhole = (text) => {
    const [head, ...rest] = text.split('\r\n\r\n');
    const length = /^content-length: (\d+)$/im.exec(head)?.[1];
    return length !== undefined && rest.join('\r\n\r\n').length >= Number(length);
  };
  const text = await socket.until(isWhole, 'an answer');
  socket.destroy();
  const [head, ...rest] = text.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]), head, body: body === '' ? {} : JSON.parse(body) };
}
