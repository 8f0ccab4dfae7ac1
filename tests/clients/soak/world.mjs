// Two instances on PostgreSQL and Redis, or one on SQLite, pairs of people who chat and deal, and faults in the middle.
//
// `const report = await soak(t, { pairs: 50, seed: 1, kinds: ['kill', 'redis-kill'], faults: 2 })`

import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventNumbers, stack, undone } from '../support.mjs';
import { checkBooks } from './books.mjs';
import { checkPair, ends, hasAll, tables } from './checks.mjs';
import { Postgres, Sqlite } from './database.mjs';
import { FAULTS, plan } from './faults.mjs';
import { Person } from './person.mjs';
import { Random } from './random.mjs';
import { Redis } from './redis.mjs';
import { report } from './report.mjs';
import { Trade } from './trade.mjs';

/** Something that must happen takes no longer, however busy the machine is. */
const PATIENCE_MS = 60_000;
/** Twice between two faults: until everybody is whole again, and once they have gone home. */
const REST_MS = [1_500, 3_000];
/** A kill waits so long for a step to strike. */
const STEP_MS = 2_000;
/** Pairs that strike their deals at once. */
const DEALS_AT_ONCE = 8;

/** In one of so many pairs, only one talks. */
const SHY = 4;
/** What is told of something that went wrong more often than this is only counted. */
const WRONG_MAX = 50;

class World {
  people = [];
  problems = [];
  wrongs = 0;
  /** Codes of refusals that a client answers by trying again, with their counts. */
  refusals = new Map();
  /** What happened: each with the longest silence and delay that followed, and the requests over HTTP meanwhile. */
  faults = [];
  /** Steps of deals: how often each was acknowledged, asked more than once, and found done already. */
  steps = new Map();
  /** Milliseconds from the start of the transaction to the other's client: while connected, and all. */
  delays = [];
  /** The longest delay, and how long of it there was no connection, it was not resumed, and it was neither. */
  latest = { delay: 0, away: 0, resuming: 0, rest: 0 };
  /** Deliveries to somebody on another instance than the one that the sender's last request went to. */
  crossed = 0;
  /** How late this process itself is for what it waits for: what is slow because the machine is. */
  lag = monitorEventLoopDelay();
  /** Nobody says anything new; nobody repeats anything any more. */
  quiet = false;
  over = false;
  /** Called with the instance that a step of a deal is asked at. */
  stepAsked = () => {};
  /** How many milliseconds a step takes these days. */
  stepMs = 20;

  constructor(parts) {
    Object.assign(this, parts);
    this.wrong = (what) => {
      this.wrongs++;
      if (this.problems.length < WRONG_MAX) this.problems.push(`${this.clock()} ${what}`);
    };
  }

  clock() {
    return `${((Date.now() - this.begun) / 1000).toFixed(1)} s:`;
  }

  /** Counts a refusal. One that the server does not call retryable is a bug: the input was good before. */
  refused({ message, extensions }) {
    const code = extensions?.code ?? message;
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    if (extensions && !extensions.retryable) this.wrong(`refused for good: ${JSON.stringify({ message, extensions })}`);
  }

  /** The instance that the next step of a deal goes to, just asked; any one if nobody takes a step soon. */
  struck(random) {
    const asked = new Promise((resolve) => (this.stepAsked = resolve));
    return Promise.race([asked, sleep(STEP_MS).then(() => random.pick(this.servers))]);
  }

  /** Learns how long steps take. */
  stepTook(ms) {
    this.stepMs = 0.9 * this.stepMs + 0.1 * ms;
  }

  /** Counts a step of a deal. */
  did(name, tries = 0, wasDone = false) {
    const step = this.steps.get(name) ?? { times: 0, repeated: 0, done: 0 };
    step.times++;
    if (tries) step.repeated++;
    if (wasDone) step.done++;
    this.steps.set(name, step);
  }

  /** Runs a request over HTTP and notes how it went. One to an instance that ends meanwhile says nothing. */
  async measured(server, request) {
    const { up } = server;
    const fault = this.faults.at(-1);
    const begun = Date.now();
    const note = (failed) => {
      if (fault && up && up === server.up) fault.http.push({ ms: Date.now() - begun, failed });
    };
    try {
      const answer = await request();
      note(Boolean(answer.errors));
      return answer;
    } catch (error) {
      note(true);
      throw error;
    }
  }

  /** A message has reached the one who did not write it. */
  arrived(person, { createdAt, sender }) {
    const now = Date.now();
    const created = Date.parse(createdAt);
    const delay = now - created;
    const fault = this.faults.at(-1);
    if (delay > this.latest.delay) this.latest = { delay, ...parts(person, created, now) };
    if (this.peopleById.get(sender.id).via !== person.at) this.crossed++;
    const wasLive = person.talk.liveSince < created;
    if (wasLive) this.delays.push(delay);
    if (fault) {
      fault.silence = Math.max(fault.silence, now - (person.heard ?? now));
      fault.late = Math.max(fault.late, delay);
      if (wasLive) fault.delay = Math.max(fault.delay, delay);
    }
    person.heard = now;
  }

  /** Waits until something holds. */
  async until(what, holds, ms = PATIENCE_MS) {
    for (const end = Date.now() + ms; !(await holds()); await sleep(100)) {
      if (Date.now() > end) throw new Error(`in vain: ${what}`);
    }
  }
}

/** What a delay consists of, by when the connection was lost, was there again, and was resumed. */
function parts({ lostAt, backAt, talk }, created, now) {
  const within = (from, to) => Math.max(0, Math.min(to, now) - Math.max(from, created));
  const isLost = lostAt > created || backAt > created;
  const away = isLost ? within(lostAt, backAt) : 0;
  const resuming = isLost ? within(backAt, talk.liveSince) : 0;
  return { away, resuming, rest: now - created - away - resuming };
}

/** What runs: `{ servers, redis, database, command }`; there is a Redis only when there are two servers. */
async function machinery(t, embedded) {
  if (embedded) {
    const { folder, ...rest } = await stack(t);
    return { ...rest, database: new Sqlite(join(folder, 'gigwire.db')) };
  }
  // In front of the stack's own steps: nobody may use the database any more when it is dropped.
  const undo = undone(t);
  const redis = await Redis.create();
  undo.push(() => redis.remove());
  const { servers, databaseUrl, command } = await stack(t, { scaled: true, redis: redis.url });
  const database = await Postgres.open(databaseUrl);
  undo.push(() => database.close());
  return { servers, redis, database, command };
}

/** Runs the whole of it, and tells. `minutes` ends the faults by the clock instead of by their number. */
export async function soak(t, { pairs, seed, kinds, faults, minutes, embedded = false, pace = 1_000, say = () => {} }) {
  // The first steps to be run at the end: nobody may talk to servers that are gone.
  const undo = undone(t);
  const world = new World({ seed, pace, ...(await machinery(t, embedded)), begun: Date.now() });
  undo.push(() => Promise.all(world.people.map((person) => person.close())));
  undo.push(() => (world.quiet = world.over = true));

  world.numbers = await eventNumbers(world.servers[0]);
  const couples = await meet(world, pairs);
  say(`${pairs} pairs are talking`);
  world.talking = Date.now();
  world.lag.enable();
  const talks = Promise.all([
    ...world.people.map((person) => person.chat()),
    ...couples.map(([customer]) => customer.trade.go()),
  ]);
  const happening = happen(world, { kinds, faults, minutes, say });
  try {
    // A talk ends first only if it fails.
    await Promise.race([talks, happening]);
  } finally {
    world.talked = Date.now() - world.talking;
    world.quiet = true;
    // Nothing is started any more behind this.
    await happening.catch(() => {});
  }
  const patience = sleep(PATIENCE_MS, null, { ref: false });
  await Promise.race([talks, patience.then(() => Promise.reject(new Error('something was never acknowledged')))]);
  say('they are silent; now everything is compared');
  await compare(world, couples);
  return report(world);
}

/** Finds everything that is not as it was acknowledged. */
async function compare(world, couples) {
  await settle(world);
  const kept = await tables(world);
  for (const couple of couples) await checkPair(couple, kept);
  await checkBooks(world, couples);
}

/** Makes pairs that have a conversation and are live, one of each pair at each instance. */
async function meet(world, pairs) {
  const couples = [];
  for (let n = 0; n < pairs; n++) {
    const [one, other = one] = world.servers;
    const [here, there] = n % 2 ? [one, other] : [other, one];
    const couple = [new Person(world, `ada${n}`, 'CUSTOMER', here), new Person(world, `ben${n}`, 'CONTRACTOR', there)];
    couple[1].isShy = n % SHY === SHY - 1;
    couples.push(couple);
  }
  world.people = couples.flat();
  const waiting = [...couples];
  const matchmaker = async () => {
    for (let couple; (couple = waiting.pop()); ) {
      await Promise.all(couple.map((person) => person.signUp()));
      const { conversation } = await new Trade(couple).agree();
      await Promise.all(couple.map((person) => person.live(conversation)));
    }
  };
  await Promise.all(Array.from({ length: DEALS_AT_ONCE }, matchmaker));
  world.peopleById = new Map(world.people.map((person) => [person.id, person]));
  return couples;
}

/** Lets things go wrong, one after the other. */
async function happen(world, { kinds, faults = Infinity, minutes = Infinity, say }) {
  const random = new Random(world.seed, 'faults');
  const rest = () => sleep(random.between(...REST_MS));
  const end = Date.now() + minutes * 60_000;
  await rest();
  for (const kind of plan(kinds, random)) {
    if (world.quiet || world.faults.length >= faults || Date.now() > end) return;
    const [what, cause] = FAULTS[kind];
    const fault = { kind, silence: 0, delay: 0, late: 0, http: [] };
    world.faults.push(fault);
    const begun = Date.now();
    await cause(world, random);
    fault.lasted = Date.now() - begun;
    await rest();
    // Otherwise all would soon be together on one instance, and nothing would cross any more.
    world.people.forEach((person) => person.goHome());
    await rest();
    const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
    say(`${world.faults.length}. ${what}: ${seconds(fault.lasted)}, silence at most ${seconds(fault.silence)}`);
  }
}

/** Waits until everybody has everything that the database has. */
async function settle(world) {
  const all = await ends(world);
  const behind = () => world.people.filter((person) => !hasAll(person, all));
  await world.until('all is delivered', () => !behind().length).catch(() => {
    for (const person of behind()) {
      const { head, last } = all.get(person.login.email);
      person.wrong(`stuck at event ${person.stream.last} of ${head}, message ${person.talk.last} of ${last}`);
    }
  });
  await sleep(500); // time for one too many to arrive
}
