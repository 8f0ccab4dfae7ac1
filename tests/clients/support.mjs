// Starts and stops the program, and speaks to it over HTTP. The live side is in sockets.mjs.
//
// Each test brings its own stack: `const { servers } = await stack(t)`. It is stopped and removed when the test ends.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

import { Raw, Sockets } from './sockets.mjs';

const BIN = process.env.GIGWIRE_BIN;
/** The server may take this long to migrate and listen. */
const START_MS = 30_000;
/** The server may take this long to drain its sockets. */
const STOP_MS = 60_000;

/**
 * One instance on SQLite; `scaled`: two on one new PostgreSQL database and Redis, `redis`: on the one at this address.
 * The answer also runs the program's other commands on the same data.
 */
export async function stack(t, { scaled = false, redis } = {}) {
  const undo = undone(t);
  const folder = await mkdtemp(join(tmpdir(), 'gigwire-clients-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  // Nothing else of this shell's environment: the developer may have a server of their own.
  const env = { PATH: process.env.PATH, NO_COLOR: '1', DATA_DIR: folder };
  if (scaled) {
    env.DATABASE_URL = await freshDatabase(undo);
    env.REDIS_URL = redis ?? needed('TEST_REDIS_URL');
  }
  const servers = [];
  for (let n = 0; n < (scaled ? 2 : 1); n++) {
    const server = new Server({ ...env, PORT: String(await freePort()) }, undo);
    undo.push(() => server.stop());
    await server.start();
    servers.push(server);
  }
  return { servers, folder, databaseUrl: env.DATABASE_URL, command: (...args) => promisify(execFile)(BIN, args, { env, cwd: folder }) };
}

/** Steps that are run when the test ends, the newest first, each even if another fails. */
export function undone(t) {
  const steps = [];
  t.after(async () => {
    const failures = [];
    while (steps.length) {
      try {
        await steps.pop()();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length) throw failures[0];
  });
  return steps;
}

/** What the environment must have. */
export function needed(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run scripts/test --clients, or within scripts/servers run --`);
  return value;
}

async function freshDatabase(undo) {
  const url = new URL(needed('TEST_POSTGRES_URL'));
  const name = `clients_${randomUUID().replaceAll('-', '')}`;
  const run = async (sql) => {
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(`create database ${name}`);
  undo.push(() => run(`drop database ${name} with (force)`));
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

/** Below the range that the kernel hands out to outgoing connections: a server that was killed finds it free again. */
export function freePort() {
  return new Promise((resolve) => {
    const port = randomInt(20_000, 32_000);
    const probe = createServer().once('error', () => resolve(freePort()));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)));
  });
}

const running = new Set();
/** Starts a program that ends with this process at the latest. `child.ended` resolves to `{ code, signal }`. */
export function start(program, args, options) {
  const child = spawn(program, args, options);
  running.add(child);
  child.ended = new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve({ code, signal }));
  });
  child.ended.catch(() => {}).then(() => running.delete(child));
  return child;
}
// A test that is broken off must not leave a server behind.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** One running instance. */
class Server {
  /** Another object for each time that it runs; null while it does not. */
  up = null;

  constructor(env, undo) {
    this.env = env;
    this.undo = undo;
    this.url = `http://127.0.0.1:${env.PORT}/graphql`;
    this.log = '';
  }

  /** Starts it, again after `stop` too: on the same port and the same data. */
  async start() {
    const child = start(BIN, ['serve'], { env: this.env, cwd: this.env.DATA_DIR, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const output of [child.stdout, child.stderr]) {
      output.on('data', (bytes) => {
        this.log = (this.log + bytes).slice(-8192);
        if (process.env.CLIENTS_LOG) process.stderr.write(bytes);
      });
    }
    const ready = new URL('/readyz', this.url);
    for (const end = Date.now() + START_MS; Date.now() < end; await sleep(50)) {
      const answer = await fetch(ready).catch(() => null);
      await answer?.arrayBuffer();
      if (answer?.status === 200) return void (this.up = {});
      if (!running.has(child)) break;
    }
    throw new Error(`the server did not become ready; its last words:\n${this.log}`);
  }

  /** Asks it to end and checks that it does so by itself and content. Nothing to do if it is down. */
  async stop() {
    const { child } = this;
    if (!child) return;
    this.child = this.up = null;
    child.kill('SIGTERM');
    const end = await Promise.race([child.ended, sleep(STOP_MS, null, { ref: false })]);
    if (!end) child.kill('SIGKILL');
    assert.deepEqual(end, { code: 0, signal: null }, `the server did not stop well; its last words:\n${this.log}`);
  }

  /** Ends it without a warning, and without a goodbye to anybody. */
  async kill() {
    const { child } = this;
    this.child = this.up = null;
    child.kill('SIGKILL');
    await child.ended;
  }

  /** The whole answer to a query over HTTP, if it comes within this time. */
  async gql(query, variables = {}, token = null, ms = START_MS) {
    const answer = await fetch(this.url, {
      method: 'POST',
      signal: AbortSignal.timeout(ms),
      headers: {
        accept: 'application/graphql-response+json, application/json',
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    return answer.json();
  }

  /** The data of a query that must succeed. */
  async data(query, variables, token) {
    const answer = await this.gql(query, variables, token);
    assert.equal(answer.errors, undefined, `${query}\n${JSON.stringify(answer.errors)}`);
    return answer.data;
  }

  /** The payload of a mutation that must succeed. */
  async mutate(name, input, selection, token) {
    return accepted(name, await this.gql(mutation(name, selection), { input }, token));
  }

  /** A new account: `{ id, name, token }`. */
  async signUp(name, role) {
    const email = `${name}.${randomUUID().slice(0, 8)}@example.com`;
    const input = { email, password: 'correct horse battery', displayName: name, roles: [role] };
    const { session, viewer } = await this.mutate('accountSignUp', input, 'session { accessToken } viewer { user { id } }');
    return { id: viewer.user.id, name, token: session.accessToken };
  }

  /** Live operations with the stock client. */
  sockets(token, options) {
    const sockets = new Sockets(this.url, token, options);
    this.undo.push(() => sockets.close());
    return sockets;
  }

  /** A bare socket, to misbehave with. */
  async raw(options) {
    const raw = await Raw.open(this.url, options);
    this.undo.push(() => raw.socket.terminate());
    return raw;
  }
}

/** The text of a mutation: each takes one `input` of its own type. */
export function mutation(name, selection) {
  const type = `${name[0].toUpperCase()}${name.slice(1)}Input`;
  return `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} userErrors { code field message } } }`;
}

/** The number of every kind of event, to be selected of `StreamEvent`, so that none can be missing unnoticed. */
export async function eventNumbers(server) {
  const { __type } = await server.data('{ __type(name: "StreamEvent") { possibleTypes { name fields { name } } } }');
  const events = __type.possibleTypes.filter(({ fields }) => fields.some(({ name }) => name === 'number'));
  return events.map(({ name }) => `... on ${name} { number }`).join(' ');
}

/** The payload in the answer to a mutation, which nothing may refuse. */
export function accepted(name, { data, errors }) {
  assert.equal(errors, undefined, `${name}: ${JSON.stringify(errors)}`);
  assert.deepEqual(data[name].userErrors, [], name);
  return data[name];
}
