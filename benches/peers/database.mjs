// What all peers ask of PostgreSQL. Each statement has a name, so that a connection parses and plans it once.

import { randomUUID } from 'node:crypto';
import pg from 'pg';

import { DATABASE_URL } from './settings.mjs';

const CONNECTIONS = 20;

const { INT8, TIMESTAMPTZ } = pg.types.builtins;
// Amounts and numbers stay far below 2^53.
pg.types.setTypeParser(INT8, Number);
// Times leave as ISO text, over a socket and over Redis alike.
const date = pg.types.getTypeParser(TIMESTAMPTZ);
pg.types.setTypeParser(TIMESTAMPTZ, (text) => date(text).toISOString());

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: CONNECTIONS });

async function ask(name, text, values) {
  return (await pool.query({ name, text, values })).rows;
}

export const close = () => pool.end();

const JOB = `select id, title, description, budget, currency, status, customer_id as "customerId",
  created_at as "createdAt" from peer.jobs where status = 'OPEN'`;
const NEWEST = 'order by created_at desc, id desc limit';

/** Open jobs, newest first, after the one at `after` = `{ createdAt, id }`. */
export async function openJobs(limit, after) {
  const rows = after
    ? await ask('jobs_after', `${JOB} and (created_at, id) < ($2, $3) ${NEWEST} $1`, [limit, after.createdAt, after.id])
    : await ask('jobs', `${JOB} ${NEWEST} $1`, [limit]);
  for (const row of rows) row.budget = { amount: row.budget, currency: row.currency };
  return rows;
}

const OFFERS = `select k.place, o.id, o.amount, k.currency, o.message, o.status, o.contractor_id as "contractorId"
  from unnest($1::uuid[], $2::text[], $3::int[]) with ordinality as k(job_id, currency, first, place)
  cross join lateral (select * from peer.offers where job_id = k.job_id order by created_at, id limit k.first) o
  order by k.place, o.created_at, o.id`;

/** For each of `[{ job, first }]` its first offers. */
export async function offersOfJobs(keys) {
  const columns = [keys.map(({ job }) => job.id), keys.map(({ job }) => job.currency), keys.map(({ first }) => first)];
  const lists = keys.map(() => []);
  for (const row of await ask('offers', OFFERS, columns)) {
    row.amount = { amount: row.amount, currency: row.currency };
    lists[row.place - 1].push(row);
  }
  return lists;
}

/** For each id its user. */
export async function usersById(ids) {
  const rows = await ask('users', 'select id, name as "displayName" from peer.users where id = any($1)', [
    [...new Set(ids)],
  ]);
  const users = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => users.get(id));
}

const MEMBER = 'select 1 from peer.conversations where id = $1 and $2 in (customer_id, contractor_id)';

export async function isMember(conversationId, userId) {
  return (await ask('member', MEMBER, [conversationId, userId])).length > 0;
}

// One statement is one transaction in one round trip: it takes the next number where the sender is a member, and stores
// the message under it. The row's lock puts the messages of one conversation in order.
const SEND = `with conversation as (
    update peer.conversations set last_number = last_number + 1, last_at = now()
    where id = $2 and $3 in (customer_id, contractor_id) returning id, last_number
  ), message as (
    insert into peer.messages (id, conversation_id, number, sender_id, content)
    select $1, id, last_number, $3, $4 from conversation returning *
  )
  select m.id, m.conversation_id as "conversationId", m.number, m.content, m.created_at as "createdAt", u.name
  from message m join peer.users u on u.id = m.sender_id`;

/** The stored message, complete as its readers want it, or undefined where the sender is no member. */
export async function sendMessage({ conversationId, senderId, content, clientMessageId }) {
  const [row] = await ask('send', SEND, [randomUUID(), conversationId, senderId, content]);
  if (!row) return undefined;
  const { name, ...message } = row;
  return { ...message, sender: { id: senderId, displayName: name }, clientMessageId };
}

const PUBLISH = `insert into peer.announcements (id, title, body) values ($1, $2, $3)
  returning id, title, body, created_at as "createdAt"`;

export async function publishAnnouncement(title, body) {
  const [row] = await ask('publish', PUBLISH, [randomUUID(), title, body]);
  return row;
}
