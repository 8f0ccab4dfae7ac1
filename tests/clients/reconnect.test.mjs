// How examples/live.ts comes back: its waits, its token, its cursor; over a reload of the page as well.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';

import { liveClient } from '#examples/live';
import { waitMs } from '#examples/resume';

import { Feed } from './sockets.mjs';
import { stack, undone } from './support.mjs';

const WALLET = 'subscription ($after: String) { walletChanged(after: $after) { __typename id cursor } }';

test('waits double from 1 s to 30 s, each with chance in it, and never end', () => {
  const least = [0, 1, 2, 3, 4, 5, 1000].map((attempt) => waitMs(attempt, 0));
  assert.deepEqual(least, [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  const most = [0, 1, 2, 3, 4, 5, 1000].map((attempt) => waitMs(attempt, 1));
  assert.deepEqual(most, [2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.notEqual(waitMs(3), waitMs(3));
});

test('a server that is away is tried again after these waits', async (t) => {
  const undo = undone(t);
  const attempts = [];
  const server = createServer((socket) => {
    attempts.push(Date.now());
    socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}/graphql`;
  const client = liveClient({ url, token: () => undefined, webSocketImpl: WebSocket });
  // It waits for an attempt, which fails as those before.
  undo.push(async () => client.dispose().catch(() => {}));
  client.subscribe({ query: WALLET }, new Feed('walletChanged'));
  for (const end = Date.now() + 12_000; attempts.length < 3; await sleep(20)) assert.ok(Date.now() < end, attempts.join());
  const [first, second] = [attempts[1] - attempts[0], attempts[2] - attempts[1]];
  assert.ok(first >= 990 && first < 2500, `the first wait was ${first} ms`);
  assert.ok(second >= 1990 && second < 4500, `the second wait was ${second} ms`);
});

test('a reload goes on behind what was seen before it', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const { token } = await server.signUp('Carla', 'CUSTOMER');
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  let asked = 0;
  const page = () => {
    const fresh = async () => {
      asked++;
      return token;
    };
    const client = liveClient({ url: server.url, token: fresh, storage, webSocketImpl: WebSocket, retryWait: () => sleep(50) });
    server.undo.push(() => client.dispose());
    const feed = new Feed('walletChanged');
    client.subscribe({ query: WALLET, variables: {} }, feed);
    return { client, feed };
  };
  const deposit = () =>
    server.mutate('depositCreate', { amount: { amount: '1.00', currency: 'USD' }, idempotencyKey: randomUUID() }, 'payment { id }', token);

  const before = page();
  // Without a cursor it begins now, whenever that is: what is done until then is not its matter.
  while (!before.feed.events().length) {
    await deposit();
    await sleep(200);
  }
  await sleep(300);
  const seen = before.feed.events().length;
  await before.client.dispose();
  await deposit();

  const after = page();
  await after.feed.until('StreamResumed');
  await after.feed.until('WalletCredited');
  await sleep(300);
  const all = server.sockets(token).subscribe(WALLET, { after: before.feed.items[0].cursor });
  await all.until(({ id }) => id === after.feed.events().at(-1).id);
  const missed = all.events().slice(seen - 1).map(({ id }) => id);
  assert.deepEqual(after.feed.events().map(({ id }) => id), missed, 'what was missed, once');

  // Another operation has another cursor.
  assert.equal(kept.size, 1);
  // Each connection asks for the token of the moment.
  const times = asked;
  after.client.terminate();
  await after.feed.until('StreamResumed', { from: after.feed.items.length });
  assert.equal(asked, times + 1);
});
