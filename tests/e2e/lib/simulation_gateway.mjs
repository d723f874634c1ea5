// One address for the server, many Stripes behind it: every seed has a simulator, and so a clock and faults, of its
// own, and the account in the key says which.
import http from 'node:http';
import { once } from 'node:events';

// By when a call that failed is made again, if it is: the longest pause between two tries is 16 s; a server that was
// killed must come back before.
const againMsMax = 20_000;
const againMsMaxAfterDeath = 60_000;

const keyForm = /^Bearer (?:sk|rk)_test_(\w+)$/;

function refuse(response) {
  const error = { type: 'invalid_request_error', message: 'Invalid API Key provided' };
  response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}

// Calls that may have taken effect though they were not answered, by their idempotency keys: those under way, and those
// that failed, for the server may make them again, whatever has become of the intent meanwhile.
class Doubts {
  constructor() {
    this.life = 1; // of the server
    this.failures = new Map(); // account → {key → {life, last}}
    this.underWay = new Map(); // account → how many
  }

  underWayOf(account) {
    return this.underWay.get(account) ?? 0;
  }

  begin(account) {
    this.underWay.set(account, this.underWayOf(account) + 1);
  }

  end(account) {
    this.underWay.set(account, this.underWayOf(account) - 1);
  }

  // How a call ended. No status: the connection did. 409 and 429 say nothing of what became of it.
  note(account, key, status = 500) {
    const own = this.failures.get(account) ?? new Map();
    this.failures.set(account, own);
    if (status >= 500 || ((status === 409 || status === 429) && own.has(key))) {
      own.set(key, { life: this.life, last: performance.now() });
    } else {
      own.delete(key);
    }
  }

  of(account) {
    const isOpen = ({ life, last }) =>
      performance.now() - last < (life === this.life ? againMsMax : againMsMaxAfterDeath);
    return [...(this.failures.get(account)?.values() ?? [])].filter(isOpen).length + this.underWayOf(account);
  }
}

export async function startGateway() {
  const ports = new Map(); // account → its simulator's port
  const doubts = new Doubts();
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    const [, account] = keyForm.exec(request.headers.authorization ?? '') ?? [];
    const port = ports.get(account);
    if (port === undefined) {
      refuse(response);
      return;
    }
    const { method, url, headers } = request;
    const onward = http.request({ host: '127.0.0.1', port, method, path: url, headers, agent });
    const idempotencyKey = headers['idempotency-key'];
    let isNoted = !idempotencyKey;
    const note = (status) => {
      if (!isNoted) {
        doubts.note(account, idempotencyKey, status);
      }
      isNoted = true; // what Stripe says to nobody any more changes nothing
    };
    if (idempotencyKey) {
      doubts.begin(account);
      onward.once('close', () => doubts.end(account)); // also of a server that was killed: Stripe is still at it
    }
    onward.on('response', (answer) => {
      note(answer.statusCode);
      response.writeHead(answer.statusCode, answer.headers);
      answer.on('error', () => request.socket.destroy()).pipe(response);
    });
    onward.on('error', () => {
      note();
      request.socket.destroy(); // a reset stays one
    });
    response.on('close', () => response.writableFinished || note()); // the server was killed
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    lead: (account, port) => ports.set(account, port),
    doubts: (account) => doubts.of(account),
    isAtWork: (account) => doubts.underWayOf(account) > 0,
    forget: (account) => ports.delete(account),
    serverDied: () => ++doubts.life,
    async stop() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}
