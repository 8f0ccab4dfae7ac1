// What the check stands on: a small database with gigwire's tables and the peers', instances of a peer, and tokens.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { createSigner } from 'fast-jwt';
import pg from 'pg';

const MIGRATIONS = new URL('../../migrations/', import.meta.url);
const JWT_SECRET = 'the secret of the check';
/** A peer may take this long to listen, or to end. */
const PATIENCE_MS = 20_000;

const sign = createSigner({ key: JWT_SECRET });
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A new database, filled through gigwire's tables and `copy.sql`, as the bench does. */
export async function newDatabase(server) {
  const name = `peers_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(server);
  const admin = new pg.Client(server);
  await admin.connect();
  await admin.query(`create database ${name}`);
  url.pathname = name;
  const client = new pg.Client(url.href);
  client.on('error', () => {});
  await client.connect();
  for (const script of migrations()) await client.query(script);
  const cast = await seed(client);
  for (const script of ['schema.sql', 'copy.sql']) await client.query(readFileSync(here(script), 'utf8'));
  return {
    url: url.href,
    cast,
    count: async (table) => Number((await client.query(`select count(*) from ${table}`)).rows[0].count),
    async drop() {
      await client.end();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

function migrations() {
  const names = readdirSync(MIGRATIONS, { recursive: true });
  return names
    .filter((name) => name.endsWith('.sql') && !name.startsWith('sqlite'))
    .sort((a, b) => basename(a).localeCompare(basename(b)))
    .map((name) => readFileSync(new URL(name, MIGRATIONS), 'utf8'));
}

/** A customer, four contractors, an admin, a conversation and 50 open jobs with four offers each, as gigwire keeps them. */
async function seed(client) {
  const people = [
    ['Customer', 1],
    ['Contractor', 2],
    ['Second', 2],
    ['Third', 2],
    ['Fourth', 2],
    ['Admin', 8],
  ];
  const users = people.map(([name, roles]) => ({ id: randomUUID(), name, roles }));
  const ids = users.map(({ id }) => id);
  const columns = [ids, users.map(({ name }) => name), users.map(({ roles }) => roles)];
  await client.query(
    `insert into users (id, email, password_hash, display_name, roles, created_at, updated_at, version)
     select id, id || '@example.com', '', name, roles, 0, 0, 1 from unnest($1::uuid[], $2::text[], $3::int[]) u (id, name, roles)`,
    columns,
  );
  await client.query(
    `insert into jobs (id, customer_id, title, description, budget, currency, status, created_at, updated_at, version)
     select gen_random_uuid(), $1, 'Job ' || n, 'To be done', 100 * n, 'EUR', case when n > 50 then 'DRAFT' else 'OPEN' end,
       1700000000000 + n / 2, 0, 1 from generate_series(1, 60) n`,
    [ids[0]],
  );
  await client.query(
    `insert into offers (id, job_id, customer_id, contractor_id, made_by, amount, currency, message, platform_bps, service_bps,
       platform_fee, service_fee, status, expires_at, created_at, updated_at, version)
     select gen_random_uuid(), j.id, j.customer_id, c.id, 'CONTRACTOR', 100 * c.place, 'EUR', 'I can', 0, 0,
       0, 0, 'PENDING', 0, 1700000000000 + c.place, 0, 1
     from jobs j, unnest($1::uuid[]) with ordinality c (id, place)`,
    [ids.slice(1, 5)],
  );
  const conversation = randomUUID();
  await client.query(
    `insert into conversations (id, subject_kind, subject_id, user_a, user_b, is_active, last_number, a_count, b_count, active_at,
       created_at, updated_at, version)
     values ($1, 'job', (select id from jobs limit 1), least($2::uuid, $3::uuid), greatest($2::uuid, $3::uuid), true, 1, 1, 0, 0, 0, 0, 1)`,
    [conversation, ids[0], ids[1]],
  );
  await client.query(
    `insert into messages (id, conversation_id, number, sender_id, content, a_count, b_count, created_at, updated_at, version)
     values (gen_random_uuid(), $1, 1, $2, 'The first', 1, 0, 0, 0, 1)`,
    [conversation, ids[0]],
  );
  await client.query(
    `insert into announcements (id, title, body, level, published_by, created_at, updated_at, version)
     values (gen_random_uuid(), 'Old', 'Told before', 'INFO', $1, 0, 0, 1)`,
    [ids[5]],
  );
  const token = (place, role) => ({ id: ids[place], token: sign({ sub: ids[place], role }) });
  return {
    conversation,
    customer: token(0, 'CUSTOMER'),
    contractor: token(1, 'CONTRACTOR'),
    stranger: token(2, 'CONTRACTOR'),
    admin: token(5, 'ADMIN'),
  };
}

/** A running instance of a peer. */
export async function start(peer, { databaseUrl, redisUrl, prefix }) {
  const port = await freePort();
  const child = spawn(process.execPath, [here(`${peer}.mjs`)], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: port,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      REDIS_PREFIX: prefix,
      JWT_SECRET,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const ended = once(child, 'exit', { signal }).then(([code]) =>
      assert.fail(`${peer} ended with ${code} before it listened`),
    );
    const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
    assert.equal(line, 'ready');
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    port,
    /** Ends it as the bench does; answers its exit code. */
    async stop() {
      const gone = once(child, 'exit', { signal: AbortSignal.timeout(PATIENCE_MS) });
      child.kill('SIGTERM');
      try {
        return (await gone)[0];
      } finally {
        child.kill('SIGKILL');
      }
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
