// Whether the peers do what the bench asks of them: `npm run check`, with TEST_POSTGRES_URL and TEST_REDIS_URL set.
//
// Each peer runs twice over one database and one Redis, and is driven by its stock client.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { graphql, page, socketio } from './clients.mjs';
import { newDatabase, start } from './stage.mjs';

const { TEST_POSTGRES_URL, TEST_REDIS_URL } = process.env;
assert.ok(TEST_POSTGRES_URL && TEST_REDIS_URL, 'set TEST_POSTGRES_URL and TEST_REDIS_URL');
const PEERS = { socketio, apollo: graphql, mercurius: graphql };
const SENT = 20;
/** What was sent has arrived by then, and what comes twice too. */
const SETTLED_MS = 500;

for (const [peer, connect] of Object.entries(PEERS)) {
  test(peer, async (t) => {
    const database = await newDatabase(TEST_POSTGRES_URL);
    const instances = [];
    const clients = [];
    t.after(async () => {
      for (const client of clients) client.close();
      const codes = await Promise.all(instances.map((instance) => instance.stop()));
      await database.drop();
      assert.deepEqual(codes, instances.map(() => 0), 'the peers end well');
    });
    const told = { databaseUrl: database.url, redisUrl: TEST_REDIS_URL, prefix: `${randomUUID()}:` };
    for (let n = 0; n < 2; n++) instances.push(await start(peer, told));
    const [here, there] = instances;
    const { cast } = database;
    const join = async (instance, who) => {
      const client = await connect(instance.port, who.token);
      clients.push(client);
      return client;
    };
    const customer = await join(here, cast.customer);
    const contractor = await join(here, cast.contractor);
    const away = await join(there, cast.contractor);
    const admin = await join(there, cast.admin);
    const stranger = await join(here, cast.stranger);

    await t.test('refuses strangers', async () => {
      await assert.rejects(connect(here.port, 'no token'));
      await assert.rejects(stranger.join(cast.conversation), { message: 'FORBIDDEN' });
      await assert.rejects(stranger.send(cast.conversation, 'let me in'), { message: 'FORBIDDEN' });
      await assert.rejects(customer.publish('Heard?'), { message: 'FORBIDDEN' });
      assert.equal(await database.count('peer.messages'), 1);
    });

    await t.test('delivers each message once, in order, on both instances', async () => {
      await Promise.all([customer, contractor, away].map((client) => client.join(cast.conversation)));
      const acks = [];
      for (let n = 0; n < SENT; n++) acks.push(await customer.send(cast.conversation, `message ${n}`));
      await sleep(SETTLED_MS);
      assert.deepEqual(
        acks.map(({ number }) => number),
        Array.from(acks, (_, n) => n + 2),
      );
      assert.deepEqual(acks[0].sender, { id: cast.customer.id, displayName: 'Customer' });
      assert.equal(acks[0].conversationId, cast.conversation);
      assert.ok(Date.now() - Date.parse(acks[0].createdAt) < 60_000);
      for (const client of [customer, contractor, away]) assert.deepEqual(client.messages, acks);
      assert.deepEqual(stranger.messages, []);
      assert.equal(await database.count('peer.messages'), 1 + SENT);
    });

    await t.test('numbers what both send at once', async () => {
      const both = [customer, away].flatMap((client) =>
        Array.from({ length: SENT }, () => client.send(cast.conversation, 'at once')),
      );
      const numbers = (await Promise.all(both)).map(({ number }) => number);
      assert.deepEqual(
        numbers.sort((a, b) => a - b),
        Array.from(numbers, (_, n) => n + 2 + SENT),
      );
    });

    await t.test('tells all of an announcement, once', async () => {
      await Promise.all([customer, away].map((client) => client.listen()));
      const announcement = await admin.publish('News');
      await sleep(SETTLED_MS);
      assert.equal(announcement.title, 'News');
      for (const client of [customer, away]) assert.deepEqual(client.announcements, [announcement]);
      assert.deepEqual(contractor.announcements, []);
      assert.equal(await database.count('peer.announcements'), 2);
    });

    if (connect === graphql) {
      await t.test('pages through the jobs', () => pages(here.port, cast));
    }
  });
}

async function pages(port, cast) {
  const seen = [];
  let after;
  for (const [size, more] of [
    [20, true],
    [20, true],
    [10, false],
  ]) {
    const { edges, pageInfo } = await page(port, cast.admin.token, { first: 20, after });
    assert.equal(edges.length, size);
    assert.equal(pageInfo.hasNextPage, more);
    assert.equal(pageInfo.endCursor, edges.at(-1).cursor);
    after = pageInfo.endCursor;
    seen.push(...edges.map(({ node }) => node));
  }
  assert.equal(new Set(seen.map(({ id }) => id)).size, 50);
  const times = seen.map(({ createdAt }) => createdAt);
  assert.deepEqual(times, times.toSorted().reverse());
  for (const job of seen) {
    assert.deepEqual(job.customer, { id: cast.customer.id, displayName: 'Customer' });
    assert.equal(job.title, `Job ${job.budget.amount / 100}`);
    const offers = job.offers.edges.map(
      ({ node }) => `${node.contractor.displayName} ${node.amount.amount} ${node.amount.currency}`,
    );
    assert.deepEqual(offers, ['Contractor 100 EUR', 'Second 200 EUR', 'Third 300 EUR']);
  }
  // Of their own jobs customers read the offers; others do not.
  assert.equal((await page(port, cast.customer.token, { first: 1 })).edges[0].node.offers.edges.length, 3);
  await assert.rejects(page(port, cast.stranger.token, { first: 1 }), { message: 'FORBIDDEN' });
  await assert.rejects(page(port, 'no token', { first: 1 }), { message: 'UNAUTHENTICATED' });
  await assert.rejects(page(port, cast.admin.token, { first: 101 }), { message: 'BAD_USER_INPUT' });
}
