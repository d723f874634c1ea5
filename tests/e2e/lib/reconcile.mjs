// `flexsync reconcile` beside a running server: {code, stderr} and what it reported.
import { execFile } from 'node:child_process';

import { program } from './flexsync.mjs';

export function reconcile(place, env, tenant, ...args) {
  const scope = ['--tenant', tenant.tenant, '--environment', tenant.environment];
  const options = { env: { ...process.env, ...env, FLEXSYNC_DATA_DIR: place.dataDir }, maxBuffer: 16 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(program, ['reconcile', ...scope, '--json', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stderr, ...(stdout === '' ? {} : JSON.parse(stdout)) }),
    );
  });
}

// What was found, short: "customer gone".
export const findings = ({ differences }) => differences.map(({ object, finding }) => `${object} ${finding}`).sort();
