// A short slice of `scripts/soak`: strict in counts, patient in time. And that its checks notice what they are for.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkBooks } from './soak/books.mjs';
import { differences } from './soak/checks.mjs';
import { FAULTS, plan } from './soak/faults.mjs';
import { Feed } from './soak/feed.mjs';
import { Random } from './soak/random.mjs';
import { table } from './soak/report.mjs';
import { soak } from './soak/world.mjs';

test('nothing is lost when an instance is killed and Redis restarts', async (t) => {
  const figures = await soak(t, { pairs: 6, seed: 3, kinds: ['kill', 'redis-kill'], faults: 2, pace: 400 });
  t.diagnostic(table(figures));
  assert.deepEqual(figures.problems, []);
  assert.equal(figures.delivered, figures.acknowledged);
  assert.ok(figures.acknowledged > 50 && figures.crossed > 0 && figures.reconnects > 0, table(figures));
});

test('each fault of Redis loses nothing, and HTTP does not feel it', async (t) => {
  const kinds = Object.keys(FAULTS).filter((kind) => kind.startsWith('redis-'));
  const figures = await soak(t, { pairs: 6, seed: 4, kinds, faults: kinds.length, pace: 400 });
  t.diagnostic(table(figures));
  assert.deepEqual(figures.problems, []);
  assert.equal(figures.delivered, figures.acknowledged);
  for (const { kind, http } of figures.kinds) {
    assert.ok(http.count > 0 && http.failed === 0, `${kind}: of ${http.count} requests ${http.failed} failed`);
  }
});

for (const embedded of [true, false]) {
  test(`deals survive three kills on ${embedded ? 'SQLite' : 'PostgreSQL'}`, async (t) => {
    const figures = await soak(t, { pairs: 6, seed: 5, kinds: ['kill'], faults: 3, pace: 300, embedded });
    t.diagnostic(table(figures));
    assert.deepEqual(figures.problems, []);
    assert.ok(figures.steps > 50 && figures.reconnects > 0, table(figures));
    for (const step of ['depositCreate', 'offerAccept', 'bookingComplete', 'offerAccept: CONFLICT']) {
      assert.ok(figures.byStep[step] > 0, `${step} is among the steps: ${table(figures)}`);
    }
  });
}

/** What a view finds wrong with these items; each is a number, or an item. */
function wrong(...items) {
  const found = [];
  const feed = new Feed('view', { wrong: (what) => found.push(what), place: ({ number }) => number });
  for (const item of items) {
    const event = (number) => ({ __typename: 'Event', id: `event ${number}`, cursor: `at ${number}`, number });
    const answer = item.errors ? item : { data: { view: item.__typename ? item : event(item) } };
    feed.next(answer);
  }
  return { found: found.length, count: feed.count, repeats: feed.repeats, cursor: feed.cursor };
}

test('a view notices what is wrong with it', () => {
  const resumed = { __typename: 'StreamResumed', id: 'a', cursor: 'at 0' };
  const good = { found: 0, count: 3, repeats: 2, cursor: 'at 3' };
  assert.deepEqual(wrong(resumed, 1, 2, resumed, 1, 2, 3), good, 'what comes again is dropped');
  for (const [what, ...items] of [
    ['one is missing', resumed, 1, 3],
    ['the first is missing', resumed, 2],
    ['another order', resumed, 1, 2, 4, 3],
    ['before it was resumed', 1],
    ['a gap', resumed, { __typename: 'StreamGap', reason: 'AHEAD' }],
    ['an error', resumed, 1, { errors: [{ message: 'no' }] }],
    ['an id with another number', resumed, 1, { __typename: 'Event', id: 'event 1', number: 2 }],
  ]) {
    assert.ok(wrong(...items).found > 0, what);
  }
});

/** What is found wrong with the books of a pair when these tables are there. */
async function wrongBooks({ keys, objects, earned = 16, proof = async () => {} }) {
  const found = [];
  const wrong = (what) => found.push(what);
  const id = (kind, number) => `${kind}_${'0'.repeat(25)}${number}`;
  const rows = async (sql) => {
    const table = /from (\w+)/.exec(sql)[1];
    if (table === 'idempotency') return keys.map(([key, effect]) => ({ email: 'ada', operation: 'jobPost', key, effect }));
    const those = objects.filter(([kind]) => `${kind}s` === table);
    return those.map(([, number, status]) => ({ email: 'ada', id: `${number}`.padStart(32, '0'), status }));
  };
  const wallet = (dollars) => async () => {
    const [available, held, escrow] = dollars.map((amount) => ({ amount: `${amount}.00` }));
    return { viewer: { wallet: { available, held, escrow } } };
  };
  const trade = {
    money: { available: 5, held: 21, escrow: 20, earned: 16 },
    objects: new Map([[id('job', 1), 'OPEN'], [id('offer', 2), 'PENDING']]), // prettier-ignore
  };
  const person = (email, keys, dollars) => ({ login: { email }, trade, wrong, keys: new Map(keys), ask: wallet(dollars) });
  const ada = person('ada', [['jobPost k', [id('job', 1)]]], [5, 21, 20]);
  const ben = person('ben', [], [earned, 0, 0]);
  const database = { rows, hex: (column) => column };
  await checkBooks({ database, people: [ada, ben], command: proof, wrong }, [[ada, ben]]);
  return found.length;
}

test('books that are wrong are noticed', async () => {
  const good = { keys: [['k', `"job_${'0'.repeat(25)}1"`]], objects: [['job', 1, 'OPEN'], ['offer', 2, 'PENDING']] };
  assert.equal(await wrongBooks(good), 0);
  const [job, offer] = good.objects;
  for (const [what, change] of Object.entries({
    'a key is missing': { keys: [] },
    'a refusal left a key': { keys: [...good.keys, ['other', '""']] },
    'a key has another effect': { keys: [['k', '"job_2"']] },
    'an object is missing': { objects: [job] },
    'an object is there twice': { objects: [job, offer, offer] },
    'an object was never acknowledged': { objects: [job, offer, ['booking', 3, 'CONFIRMED']] },
    'an object stands elsewhere': { objects: [job, ['offer', 2, 'ACCEPTED']] },
    'money is missing': { earned: 15 },
    'the proof fails': { proof: async () => Promise.reject(new Error('1')) },
  })) {
    assert.ok((await wrongBooks({ ...good, ...change })) > 0, what);
  }
});

test('lists that differ are told apart', () => {
  assert.deepEqual(differences(['a', 'b'], ['a', 'b']), []);
  for (const found of [['a'], ['b', 'a'], ['a', 'b', 'b'], ['a', 'b', 'c'], ['a', 'a', 'b']]) {
    assert.equal(differences(['a', 'b'], found).length, 1, `${found}`);
  }
});

test('a seed is a plan', () => {
  const kinds = Object.keys(FAULTS);
  const planned = (seed) => {
    const faults = plan(kinds, new Random(seed, 'faults'));
    return Array.from({ length: 5 * kinds.length }, () => faults.next().value);
  };
  assert.deepEqual(planned(1), planned(1));
  assert.notDeepEqual(planned(1), planned(2));
  for (const kind of kinds) assert.equal(planned(1).filter((it) => it === kind).length, 5, kind);
});
