// A minute in which nobody does anything: the clients that watch for signs of life stay, and still hear what comes.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';

import { SocketClient } from './flutter.mjs';
import { figure } from './report.mjs';
import { stack } from './support.mjs';

const IDLE_MS = 61_000;
const WALLET = 'subscription { walletChanged { id } }';

test('graphql_flutter stays connected through a minute of silence', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const { token } = await server.signUp('Carla', 'CUSTOMER');
  const open = (protocol, options) => {
    const initialPayload = { authorization: `Bearer ${token}` };
    const client = new SocketClient(server.url, { protocol, initialPayload, webSocketImpl: WebSocket, ...options });
    const items = [];
    client.subscribe(WALLET, {}, (item) => items.push(item));
    return Object.assign(client, { items });
  };
  const old = open('graphql-ws');
  const current = open('graphql-transport-ws');
  // With so little patience it does drop the socket: the replay would notice.
  const hasty = open('graphql-ws', { inactivityMs: 10_000, reconnectMs: 100 });
  await sleep(IDLE_MS);

  const signs = (client, type) => client.messages.filter((message) => message.type === type);
  assert.deepEqual([old.drops, old.closes, current.closes], [0, [], []]);
  const kas = signs(old, 'ka').map(({ at }) => at);
  const longest = Math.max(...kas.slice(1).map((at, n) => at - kas[n]));
  assert.ok(kas.length >= 5 && longest < 20_000, `${kas.length} ka, up to ${longest} ms apart`);
  assert.ok(signs(current, 'pong').length >= 1 && signs(current, 'ping').length >= 2, JSON.stringify(current.messages));
  assert.ok(hasty.drops >= 3, `${hasty.drops} drops`);

  const input = { amount: { amount: '1.00', currency: 'USD' }, idempotencyKey: randomUUID() };
  await server.mutate('depositCreate', input, 'payment { id }', token);
  for (const end = Date.now() + 5000; Date.now() < end && !(old.items.length && current.items.length); ) await sleep(20);
  assert.ok(old.items.length && current.items.length, 'both still hear');
  for (const client of [old, current, hasty]) client.dispose();
  figure(t, {
    what: 'graphql_flutter 5.2 frames, a minute of silence',
    on: 'SQLite',
    figures: `0 drops; ${kas.length} ka, at most ${(longest / 1000).toFixed(1)} s apart`,
  });
});
