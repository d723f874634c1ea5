// One address for the server, many Stripes behind it: every seed has a simulator, and so a clock and faults, of its
// own, and the account in the key says which.
import http from 'node:http';
import { once } from 'node:events';

const keyForm = /^Bearer (?:sk|rk)_test_(\w+)$/;

function refuse(response) {
  const error = { type: 'invalid_request_error', message: 'Invalid API Key provided' };
  response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}

export async function startGateway() {
  const ports = new Map(); // account → its simulator's port
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
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.on('error', () => request.socket.destroy()).pipe(response);
    });
    onward.on('error', () => request.socket.destroy()); // a reset stays one
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    lead: (account, port) => ports.set(account, port),
    forget: (account) => ports.delete(account),
    async stop() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}
