// A database that was restored from a copy: whoever saw events that it does not have, or has otherwise, is told to reload,
// also where other events have their numbers by now. Everybody else goes on, and misses nothing.
//
// RESTORE_PEOPLE=200 tries it with more people, for a while.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { figure } from './report.mjs';
import { PostgresCopies, SqliteCopies } from './restore.mjs';
import { Postgres, hexOf } from './soak/database.mjs';
import { eventNumbers, mutation, stack, undone } from './support.mjs';

const PEOPLE = Number(process.env.RESTORE_PEOPLE ?? 8);
/** Deposits before the copy is made, and those that are lost. */
const KEPT = 2;
const LOST = 3;
/** Deposits after the restore, from person to person: none, fewer than were lost, as many, more. */
const AGAIN = [0, 2, 3, 5];
/** A gap is told to an open view within this time: two sweeps, for the first may fall into the restore. */
const SWEPT_MS = 12_000;
/** The database may be away for this long. */
const PATIENCE_MS = 20_000;

for (const scaled of [false, true]) {
  const on = scaled ? 'PostgreSQL' : 'SQLite';
  const cases = {
    'who comes back after a restore': async ({ servers, copies }) => {
      for (const server of servers) await server.stop();
      await copies.restore();
      for (const server of servers) await server.start();
    },
    'who stays through a restore': ({ copies }) => copies.restoreInPlace(),
  };
  for (const [what, restore] of Object.entries(cases)) {
    test(`${what} is told, on ${on}`, { timeout: Infinity }, async (t) => {
      figure(t, { what, on, figures: await told(t, scaled, restore) });
    });
  }
}

/** Copies, goes on, restores, goes on differently; then looks at open views and at every cursor that was ever given out. */
async function told(t, scaled, restore) {
  const undo = undone(t);
  const machines = await stack(t, { scaled });
  const { servers } = machines;
  const copies = scaled ? new PostgresCopies(machines, undo) : new SqliteCopies(machines);
  const view = viewOf(await eventNumbers(servers[0]));
  const people = [];
  for (let n = 0; n < PEOPLE; n++) {
    people.push(await Someone.join(servers[n % servers.length], view, AGAIN[n % AGAIN.length]));
  }
  await deposits(people, () => KEPT);
  await copies.dump();
  await deposits(people, () => LOST);
  await Promise.all(people.map((person) => person.caughtUp()));

  await restore({ servers, copies });
  const restored = Date.now();
  // At once, so that numbers are used again before anybody looks.
  await deposits(people, ({ again }) => again);
  await Promise.all(people.map((person) => person.isTold()));
  const slowest = Date.now() - restored;
  assert.ok(slowest < SWEPT_MS, `a gap was told after ${slowest} ms`);
  await deposits(people, () => 1);

  const database = scaled ? await Postgres.open(machines.databaseUrl) : copies.database;
  undo.push(() => database.close());
  const outcomes = { RESUMED: 0, AHEAD: 0, DIVERGED: 0 };
  for (const person of people) {
    const truth = await person.stream(database);
    await person.wentOn(truth);
    for (const event of person.seen) outcomes[await person.comesBack(event, truth)]++;
  }
  const { RESUMED, AHEAD, DIVERGED } = outcomes;
  assert.ok(RESUMED && AHEAD && DIVERGED, JSON.stringify(outcomes));
  const open = `${PEOPLE} open views told within ${(slowest / 1000).toFixed(1)} s`;
  return `${open}; of ${RESUMED + AHEAD + DIVERGED} cursors ${RESUMED} resumed, ${AHEAD} ahead, ${DIVERGED} diverged`;
}

const viewOf = (numbers) => `subscription ($after: String) {
  eventAppended(after: $after) { __typename id cursor ... on StreamGap { reason } ${numbers} }
}`;

/** Everybody makes so many deposits, each waiting for its answer, and all side by side. */
async function deposits(people, count) {
  await Promise.all(people.map(async (person) => {
    for (let n = 0; n < count(person); n++) await person.deposit();
  })); // prettier-ignore
}

class Someone {
  static async join(server, view, again) {
    const someone = Object.assign(new Someone(), { server, view, again });
    Object.assign(someone, await server.signUp('Ada', 'CUSTOMER'));
    const { viewer } = await server.data('{ viewer { streamCursor } }', {}, someone.token);
    someone.feed = server.sockets(someone.token, { resume: viewer.streamCursor }).subscribe(view);
    await someone.feed.until('StreamResumed');
    return someone;
  }

  /** A dollar comes in, and with it events. Asked again while the database is away. */
  async deposit() {
    const input = { amount: { amount: '1.00', currency: 'USD' }, idempotencyKey: randomUUID() };
    const query = mutation('depositCreate', 'payment { id }');
    for (const end = Date.now() + PATIENCE_MS; ; await sleep(100)) {
      const { data, errors } = await this.server.gql(query, { input }, this.token);
      if (!errors) return void assert.deepEqual(data.depositCreate.userErrors, []);
      assert.ok(errors[0].extensions?.retryable && Date.now() < end, JSON.stringify(errors));
    }
  }

  /** Has seen everything that has happened, and keeps it: each of these events has a cursor. */
  async caughtUp() {
    const { viewer } = await this.server.data('{ viewer { streamCursor } }', {}, this.token);
    const head = viewer.streamCursor;
    await this.feed.until(({ cursor }) => cursor === head);
    this.seen = this.feed.events();
    this.mark = this.feed.items.length;
  }

  /** Its open view shows no further event, but a gap. */
  async isTold() {
    const gap = await this.feed.until('StreamGap', { from: this.mark });
    assert.ok(gap.reason === 'DIVERGED' || gap.reason === 'AHEAD', gap.reason);
    const [first] = this.feed.items.slice(this.mark);
    assert.equal(first, gap, 'nothing comes in front of the gap');
  }

  /** What PostgreSQL or SQLite has in its stream: of each event the number and the id. */
  async stream(database) {
    const name = `user:${hexOf(this.id)}`;
    const id = database.hex('id');
    const rows = await database.rows(`select seq, ${id} as id from events where stream = '${name}' order by seq`);
    return rows.map(({ seq, id }) => `${seq} ${id}`);
  }

  /** Behind the gap its view shows the new course, up to the end. */
  async wentOn(truth) {
    await this.feed.until((item) => row(item) === truth.at(-1), { from: this.mark });
    const events = this.feed.events(this.mark).map(row);
    assert.deepEqual(events, truth.slice(-events.length));
  }

  /** Comes with the cursor of an event, by either way: what is it told? */
  async comesBack(event, truth) {
    const isKept = truth[event.number - 1] === row(event);
    const wanted = isKept ? 'RESUMED' : event.number > truth.length ? 'AHEAD' : 'DIVERGED';
    for (const byResume of [false, true]) {
      const sockets = this.server.sockets(this.token, byResume ? { resume: event.cursor } : {});
      const feed = sockets.subscribe(this.view, byResume ? {} : { after: event.cursor });
      const first = await feed.until(() => true);
      assert.equal(first.reason ?? first.__typename, isKept ? 'StreamResumed' : wanted, `behind event ${event.number}`);
      const missed = isKept ? truth.slice(event.number) : [];
      if (missed.length) await feed.until((item) => row(item) === missed.at(-1));
      assert.deepEqual(feed.events().map(row), missed);
      await sockets.close();
    }
    return wanted;
  }
}

/** Number and id of an event, as in the tables. */
const row = ({ number, id }) => `${number} ${hexOf(id)}`;
