// The PostgreSQL of a data_dir, seen from outside: whether it runs, what its tables hold, and its end.
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { waitFor } from './wait.mjs';

const stopMsMax = 15_000;
const readyMsMax = 30_000;

const firstLine = (file) => fs.readFileSync(file, 'utf8').split('\n')[0];

// A process that nobody reaps stays as a zombie; it is over all the same.
export function isAlive(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}

// Every process whose working directory is `directory`: a cluster's postmaster and its backends.
export function processesIn(directory) {
  const found = [];
  for (const name of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (fs.readlinkSync(`/proc/${name}/cwd`) === directory && isAlive(name)) {
        found.push(Number(name));
      }
    } catch {
      // it ended while we looked
    }
  }
  return found;
}

// Every process started with a path below `directory`: initdb too, which works from elsewhere.
export function processesNaming(directory) {
  const found = [];
  for (const name of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (fs.readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(`${directory}/`) && isAlive(name)) {
        found.push(Number(name));
      }
    } catch {
      // it ended while we looked
    }
  }
  return found;
}

export class Cluster {
  constructor(dataDir) {
    const marker = path.join(dataDir, 'postgres.location');
    this.home = fs.existsSync(marker) ? firstLine(marker) : fs.realpathSync(dataDir);
    this.pgdata = path.join(this.home, 'postgres');
    this.log = path.join(dataDir, 'postgres.log');
  }

  // The postmaster's, or 0.
  get pid() {
    try {
      const pid = Number(firstLine(path.join(this.pgdata, 'postmaster.pid')));
      return isAlive(pid) && fs.readlinkSync(`/proc/${pid}/cwd`) === this.pgdata ? pid : 0;
    } catch {
      return 0;
    }
  }

  get socketDir() {
    const config = fs.readFileSync(path.join(this.pgdata, 'postgresql.conf'), 'utf8');
    return /^unix_socket_directories = '(.*)'$/m.exec(config)[1];
  }

  url(role) {
    return `host=${this.socketDir} port=5432 user=${role} dbname=flexsync sslmode=disable`;
  }

  // The rows of a query, as objects.
  async rows(sql) {
    const json = `SELECT coalesce(json_agg(result), '[]') FROM (${sql}) result`;
    return JSON.parse(await this.run(json));
  }

  async value(sql) {
    const [row] = await this.rows(sql);
    return Object.values(row)[0];
  }

  async run(sql) {
    const args = ['-XAtq', '-v', 'ON_ERROR_STOP=1', this.url('postgres'), '-c', sql];
    const { stdout } = await promisify(execFile)('psql', args, { maxBuffer: 256 * 1024 * 1024 });
    return stdout;
  }

  async answers() {
    return this.run('SELECT 1').then(() => true, () => false);
  }

  // As the server would start it: the cluster's own program, as the cluster's own user.
  async start() {
    const { uid, gid } = fs.statSync(this.pgdata);
    const version = firstLine(path.join(this.pgdata, 'PG_VERSION'));
    const output = fs.openSync(this.log, 'a');
    const child = spawn(`/usr/lib/postgresql/${version}/bin/postgres`, ['-D', this.pgdata], {
      cwd: this.pgdata,
      detached: true,
      stdio: ['ignore', output, output],
      ...(process.getuid() === 0 ? { uid, gid } : {}),
    });
    fs.closeSync(output);
    child.unref();
    await waitFor(() => this.answers(), `PostgreSQL in ${this.pgdata}`, readyMsMax);
  }

  // SIGINT is the fast stop, SIGQUIT the immediate one, both of the postmaster; SIGKILL is a crash, of all its processes.
  // Resolves once none is left. One that is just being started has no pid file yet: it is told as soon as it has.
  async stop(signal = 'SIGINT') {
    const told = new Set();
    const isOver = () => {
      const left = processesIn(this.pgdata);
      const concerned = signal === 'SIGKILL' ? left : left.filter((pid) => pid === this.pid);
      for (const pid of concerned.filter((other) => !told.has(other))) {
        told.add(pid);
        kill(pid, signal);
      }
      return left.length === 0;
    };
    await waitFor(isOver, 'the end of PostgreSQL', stopMsMax);
  }
}

// It may have ended by itself just now.
function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') {
      throw error;
    }
  }
}
