// The benchmark's director: a private PostgreSQL with real commits, the release server in URL mode, the load
// generator; everything on this machine, everything in one run.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, chmodSync, rmSync, writeFileSync, readFileSync, chownSync } from "node:fs";
import { createInterface } from "node:readline";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";

const ADMIN_KEY = "sk_admin_benchmark_0123456789abcdefghijkl";
const WEBHOOK_SECRET = "whsec_benchmark0123456789abcdef";
const build = "build/release";
const withStatements = process.argv.includes("--statements");
const parts = process.argv.slice(2).filter((part) => !part.startsWith("--"));
const wanted = (part) => parts.length === 0 || parts.includes(part);
process.env.PGOPTIONS = "-c client_min_messages=warning";
const work = mkdtempSync(join(tmpdir(), "flexsync-bench-"));
const bindir = execFileSync("pg_config", ["--bindir"]).toString().trim();
const asRoot = process.getuid() === 0;
const results = [];

function record(what, figures) {
  results.push({ what, ...figures });
  console.log(what.padEnd(58), JSON.stringify(figures));
}

// --- PostgreSQL ---------------------------------------------------------------------------------------------------

const postgres = asRoot ? ["setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups"]] : ["env", []];

function startPostgres() {
  chmodSync(work, 0o755);
  const data = join(work, "pg");
  mkdirSync(data, { mode: 0o700 });
  if (asRoot) {
    const [uid, gid] = execFileSync("sh", ["-c", "id -u postgres; id -g postgres"]).toString().trim().split("\n");
    chownSync(data, Number(uid), Number(gid));
  }
  const [run, args] = postgres;
  execFileSync(run, [...args, `${bindir}/initdb`, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
    "--locale=C.UTF-8"], { stdio: "ignore" });
  const settings = { listen_addresses: "", unix_socket_directories: data, shared_buffers: "256MB", max_wal_size: "4GB",
    wal_compression: "lz4", wal_init_zero: "off",
    checkpoint_timeout: "15min", jit: "off", fsync: "on", synchronous_commit: "on",
    ...(withStatements ? { shared_preload_libraries: "pg_stat_statements", "pg_stat_statements.track": "all" } : {}) };
  const child = spawn(run, [...args, `${bindir}/postgres`, "-D", data,
    ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`])], { stdio: "ignore" });
  const url = `host=${data} user=postgres`;
  while (spawnSync(`${bindir}/pg_isready`, ["-q", "-d", `${url} dbname=postgres`]).status !== 0) {
    execFileSync("true");
  }
  return { child, url, data };
}

const sql = (database, statement) =>
  execFileSync("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", `${pg.url} dbname=${database}`, "-c", statement])
    .toString().trim();

function freshDatabase(name) {
  sql("postgres", `CREATE DATABASE ${name}`);
  const environment = { ...process.env, FLEXSYNC_DATABASE_URL: `${pg.url} dbname=${name}` };
  execFileSync(`${build}/flexsync`, ["db", "migrate"], { env: environment });
  sql(name, `DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'flexsync_bench') THEN
    CREATE ROLE flexsync_bench LOGIN NOINHERIT; END IF; END $$;
    GRANT flexsync_app, flexsync_intake, flexsync_apply TO flexsync_bench`);
}

// --- the server ---------------------------------------------------------------------------------------------------

async function startServer(database, extra = {}) {
  const begin = performance.now();
  const child = spawn(`${build}/flexsync`, ["serve"], {
    env: { ...process.env, FLEXSYNC_DATABASE_URL: `host=${pg.data} user=flexsync_bench dbname=${database}`,
      FLEXSYNC_DATA_DIR: join(work, "var"), FLEXSYNC_HTTP_PORT: "0", FLEXSYNC_ADMIN_PORT: "0",
      FLEXSYNC_ADMIN_KEY: ADMIN_KEY, FLEXSYNC_LOG_LEVEL: "warn",
      FLEXSYNC_STRIPE_API_BASE: "http://127.0.0.1:9", FLEXSYNC_CATCH_UP_INTERVAL_SECONDS: "0", ...extra },
    stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line);
    if (message.event === "listening") {
      const server = { child, port: message.port, admin: message.admin_port };
      while (!(await fetch(`http://127.0.0.1:${server.admin}/health/ready`)).ok) { /* until it is */ }
      server.ready_ms = performance.now() - begin;
      return server;
    }
  }
  throw new Error("the server did not start");
}

const stop = (child) => new Promise((resolve) => { child.once("exit", resolve); child.kill("SIGTERM"); });

async function post(server, path, key, body) {
  const answer = await fetch(`http://127.0.0.1:${server.port}/v1${path}`, { method: "POST",
    headers: { "x-api-key": key, "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function tenants(server, count) {
  const lines = [];
  for (let i = 0; i < count; ++i) {
    const tenant = await post(server, "/tenants", ADMIN_KEY, { name: `tenant ${i}` });
    const environment = await post(server, "/environments", ADMIN_KEY,
      { name: "production", type: "production", tenant_id: tenant.id });
    const key = await post(server, "/secrets/api/keys", ADMIN_KEY,
      { name: "bench", type: "private_key", tenant_id: tenant.id, environment_id: environment.id });
    await post(server, "/connections", key.api_key, { name: "stripe", provider_type: "stripe",
      encrypted_secret_data: { secret_key: "sk_test_benchmark0123456789", webhook_secret: WEBHOOK_SECRET } });
    lines.push(`/v1/webhooks/stripe/${tenant.id}/${environment.id} ${WEBHOOK_SECRET}`);
  }
  const file = join(work, `targets-${count}-${Math.floor(performance.now())}`);
  writeFileSync(file, lines.join("\n") + "\n");
  return file;
}

let runs = 0;
function load(server, targets, options) {
  const args = Object.entries({ port: server.port, targets, prefix: `r${++runs}x`, ...options })
    .flatMap(([key, value]) => value === true ? [`--${key}`] : [`--${key}`, String(value)]);
  return new Promise((resolve, reject) => {
    const child = spawn(`${build}/webhook_load`, args, { stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (data) => { out += data; });
    child.on("exit", (code) => code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`load failed: ${out}`)));
  });
}

const unsettled = (database) => Number(sql(database,
  "SELECT count(*) FROM inbox i WHERE NOT EXISTS (SELECT 1 FROM inbox_outcomes o WHERE o.tenant_id = i.tenant_id " +
  "AND o.environment_id = i.environment_id AND o.seq = i.seq)"));
const settled = (database) => Number(sql(database, "SELECT count(*) FROM inbox_outcomes"));

async function drained(database, count) {
  while (settled(database) < count) await new Promise((resolve) => setTimeout(resolve, 250));
}

// {"outcome_applied": 99339, …}
const outcomes = (database) => Object.fromEntries(sql(database,
  "SELECT 'outcome_' || outcome, count(*) FROM inbox_outcomes GROUP BY 1").split("\n").map((line) => line.split("|"))
  .map(([outcome, count]) => [outcome, Number(count)]));

// With --statements: where PostgreSQL's time went.
function resetStatements(database) {
  if (withStatements) {
    sql(database, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()");
  }
}

function printStatements(database) {
  if (withStatements) {
    console.log(sql(database, "SELECT round(total_exec_time) || ' ms', calls, rows, shared_blks_hit, " +
      "regexp_replace(left(query, 90), '\\s+', ' ', 'g') FROM pg_stat_statements " +
      "ORDER BY total_exec_time DESC LIMIT 24"));
  }
}

const residentMiB = (child) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))[1]) / 1024;

// --- the parts ----------------------------------------------------------------------------------------------------

// What PostgreSQL itself does with one insert and one commit a client, the same row, the same concurrency.
function ceiling(database, clients) {
  sql(database, "CREATE TABLE IF NOT EXISTS bench_insert (id bigserial PRIMARY KEY, payload bytea)");
  sql(database, "ALTER TABLE bench_insert ALTER COLUMN payload SET STORAGE EXTERNAL");
  sql(database, "ALTER TABLE bench_insert SET (toast_tuple_target = 8160)");
  const script = join(work, "insert.sql");
  writeFileSync(script, `INSERT INTO bench_insert (payload) VALUES ('${"x".repeat(2500)}');\n`);
  const out = execFileSync(`${bindir}/pgbench`, ["-n", "-M", "prepared", "-f", script, "-c", String(clients), "-j", "1",
    "-T", "8", "-h", pg.data, "-U", "postgres", database], { stdio: ["ignore", "pipe", "ignore"] }).toString();
  return { per_second: Math.round(Number(/tps = ([\d.]+)/.exec(out)[1])) };
}

async function acknowledgement(database) {
  for (const count of [1, 32]) {
    const server = await startServer(database);
    const targets = await tenants(server, count);
    await load(server, targets, { connections: 16, count: 5_000, customers: 5_000 });
    for (const connections of [1, 16, 64]) {
      const requests = connections === 1 ? 10_000 : 100_000;
      const figures = await load(server, targets, { connections, count: requests, customers: requests });
      record(`ack, ${count} tenants, ${connections} connections`, figures);
    }
    await stop(server.child);
  }
  for (const clients of [1, 16, 64]) {
    record(`ceiling: pgbench single-row inserts, ${clients} clients`, ceiling(database, clients));
  }
}

async function paced(database) {
  const server = await startServer(database);
  const targets = await tenants(server, 1);
  record("ack at 1,000/s, 64 connections",
    await load(server, targets, { connections: 64, count: 20_000, rate: 1_000, customers: 20_000 }));
  await stop(server.child);
}

// Events are stored while hardly any is applied, then the server is started anew and drains them.
async function drain(database, what, options) {
  let server = await startServer(database);
  const targets = await tenants(server, 1);
  await stop(server.child);
  server = await startServer(database, { FLEXSYNC_INBOX_IN_FLIGHT_MAX: "1", FLEXSYNC_INBOX_PAGE_SIZE_MAX: "1" });
  await load(server, targets, { connections: 64, count: 100_000, customers: 100_000, ...options });
  server.child.kill("SIGKILL");
  const before = settled(database);
  const backlog = unsettled(database);
  resetStatements(database);
  const begin = performance.now();
  server = await startServer(database);
  record(`restart with ${backlog} undone inbox rows`, { ready_ms: Math.round(server.ready_ms) });
  await drained(database, before + backlog);
  const seconds = (performance.now() - begin) / 1000;
  record(`drain of ${backlog} ${what}, audit on`,
    { seconds: Number(seconds.toFixed(2)), applied_per_second: Math.round(backlog / seconds), ...outcomes(database) });
  printStatements(database);
  return server;
}

async function applyRestart(database) {
  const server = await drain(database, "customer.created", {});
  record("server memory after 100,000 distinct customers", { rss_mib: Math.round(residentMiB(server.child)) });
  await stop(server.child);
}

async function mixed(database) {
  const server = await drain(database, "mixed events", { mixed: true });
  await stop(server.child);
  record("ceiling: pgbench single-row inserts, 16 clients", ceiling(database, 16));
}

// From the moment a request should have left until what it says can be read.
async function visible(database) {
  const server = await startServer(database);
  const targets = await tenants(server, 1);
  await load(server, targets, { connections: 16, count: 2_000, mixed: true });
  await drained(database, 2_000); // what comes of the first ones is not measured
  record("POST to visible at 500/s, mixed events", await load(server, targets,
    { connections: 64, count: 20_000, rate: 500, mixed: true, "watch-url": `${pg.url} dbname=${database}` }));
  await stop(server.child);
}

// A million distinct customers, at full speed.
async function million(database) {
  const server = await startServer(database);
  const targets = await tenants(server, 1);
  const begin = performance.now();
  let most = 0;
  const watch = setInterval(() => { most = Math.max(most, residentMiB(server.child)); }, 250);
  for (let part = 1; part <= 10; ++part) {
    await load(server, targets, { connections: 64, count: 100_000, customers: 100_000 });
    await drained(database, part * 100_000);
    record(`server memory after ${part}00,000 distinct customers`, { rss_mib: Math.round(residentMiB(server.child)),
      seconds: Math.round((performance.now() - begin) / 1000) });
  }
  clearInterval(watch);
  record("server memory after 1,000,000 distinct customers", { rss_mib: Math.round(residentMiB(server.child)),
    most_mib: Math.round(most), seconds: Math.round((performance.now() - begin) / 1000), ...outcomes(database) });
  await stop(server.child);
}

// The store's own writer and ledger, and COPY in turn with them: no server between.
function usage(database) {
  const out = execFileSync(`${build}/usage_load`, ["--url", `host=${pg.data} user=flexsync_bench dbname=${database}`,
    "--admin-url", `${pg.url} dbname=${database}`], { stdio: ["ignore", "pipe", "inherit"] }).toString();
  for (const line of out.trim().split("\n")) {
    const { what, ...figures } = JSON.parse(line);
    record(what, figures);
  }
}

const pg = startPostgres();
try {
  for (const [name, part] of [["paced", paced], ["ack", acknowledgement], ["apply", applyRestart],
    ["mixed", mixed], ["visible", visible], ["million", million], ["usage", usage]]) {
    if (wanted(name)) {
      freshDatabase(name);
      await part(name);
      // What one part leaves to vacuum and to checkpoint is not the next one's.
      sql("postgres", `DROP DATABASE ${name} WITH (FORCE)`);
      sql("postgres", "CHECKPOINT");
    }
  }
} finally {
  await stop(pg.child);
  rmSync(work, { recursive: true, force: true });
}
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"]).toString().trim();
mkdirSync("build/bench", { recursive: true });
const run = { commit, cpu: cpus()[0].model, cores: cpus().length, results };
writeFileSync(`build/bench/${commit}.json`, JSON.stringify(run, null, 2));
console.log(`written to build/bench/${commit}.json`);
