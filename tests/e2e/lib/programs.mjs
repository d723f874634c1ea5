// Starts a program of the build tree on a free port, reads the JSON line it prints once it listens, and stops it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

const startMsMax = 20_000;
const stopMsMax = 10_000;

const here = path.dirname(fileURLToPath(import.meta.url));
const buildDir = path.resolve(process.env.FLEXSYNC_BUILD_DIR ?? path.join(here, '../../../build/dev'));

// Rejects with `message` unless the promise is settled in time.
export function within(ms, promise, message) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Returns {address, port, pid, stderr(), stop()}; stop() resolves to the exit code.
export async function startProgram(name, args = [], env = {}) {
  const file = path.join(buildDir, name);
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const exited = once(child, 'exit');
  // Handled below, where someone waits for it.
  exited.catch(() => {});
  const failed = exited.then(([code, signal]) => {
    throw new Error(`${file} ended (${code ?? signal}) before it listened: ${stderr}`);
  });
  const firstLine = once(readline.createInterface({ input: child.stdout }), 'line');
  const [line] = await within(startMsMax, Promise.race([firstLine, failed]), `${file} printed no line`);
  failed.catch(() => {});
  return {
    ...JSON.parse(line),
    pid: child.pid,
    stderr: () => stderr,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
      }
      const [code] = await within(stopMsMax, exited, `${name} did not end after ${signal}`);
      return code;
    },
  };
}
