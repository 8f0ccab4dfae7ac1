// Subscriptions over plain HTTP, with stock clients: event streams and Apollo's multipart.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';

import { feedClient } from '#examples/feed';

import { figure, version } from './report.mjs';
import { Feed } from './sockets.mjs';
import { stack } from './support.mjs';

const WALLET = `subscription Wallet($after: String) {
  walletChanged(after: $after) { __typename id cursor ... on WalletCredited { amount { amount } } }
}`;
/** Libraries that collect what has come would show an event only with the next one. */
const PROMPT_MS = 1000;

function deposit(server, token, amount) {
  const input = { amount: { amount, currency: 'USD' }, idempotencyKey: randomUUID() };
  return server.mutate('depositCreate', input, 'payment { id }', token);
}

const credits = (feed) => feed.events().flatMap(({ amount }) => amount?.amount ?? []);

/** Pays in one amount after the other; each must be heard of before the next one is. */
async function promptly(server, token, feed, amounts) {
  for (const amount of amounts) {
    await deposit(server, token, amount);
    await feed.until((item) => item.amount?.amount === amount, { ms: PROMPT_MS });
  }
}

/** What the stream holds behind a cursor, as a socket shows it. */
async function stored(server, token, after, last) {
  const whole = server.sockets(token).subscribe(WALLET, { after });
  await whole.until(({ id }) => id === last);
  return whole.events().map(({ id }) => id);
}

for (const scaled of [false, true]) {
  const on = scaled ? 'PostgreSQL and Redis' : 'SQLite';
  test(`graphql-sse goes on through restarts, on ${on}`, async (t) => {
    const { servers } = await stack(t, { scaled });
    const [payer, listener = payer] = servers;
    const { token } = await payer.signUp('Carla', 'CUSTOMER');
    const { viewer } = await payer.data('{ viewer { streamCursor } }', {}, token);
    let gaps = 0;
    const retry = () => sleep(100);
    const client = feedClient({ url: listener.url, token: () => token, onGap: () => gaps++, retry });
    payer.undo.push(() => client.dispose());
    const feed = new Feed('walletChanged');
    client.subscribe({ query: WALLET, variables: { after: viewer.streamCursor } }, feed);
    await feed.until('StreamResumed');
    await promptly(payer, token, feed, ['1.00', '2.00', '3.00']);
    for (const [round, end] of ['stop', 'kill', 'stop'].entries()) {
      const seen = feed.items.length;
      await listener[end]();
      if (payer !== listener) await deposit(payer, token, `${round + 4}.00`);
      await listener.start();
      await feed.until('StreamResumed', { from: seen });
      if (payer === listener) await deposit(payer, token, `${round + 4}.00`);
    }
    await feed.until(({ amount }) => amount?.amount === '6.00');
    assert.deepEqual(credits(feed), ['1.00', '2.00', '3.00', '4.00', '5.00', '6.00']);
    const ids = feed.events().map(({ id }) => id);
    assert.deepEqual(ids, await stored(payer, token, viewer.streamCursor, ids.at(-1)));
    assert.deepEqual([gaps, feed.repeats], [0, 0]);
    figure(t, { what: `graphql-sse ${version('graphql-sse')}`, on, figures: `3 restarts survived, ${ids.length} events` });
  });
}

test('graphql-sse is told what is refused, and runs queries', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const answer = async (query) => {
    const client = feedClient({ url: server.url, token: () => undefined });
    const feed = [];
    await new Promise((complete, error) =>
      client.subscribe({ query }, { next: (result) => feed.push(result), error, complete }));
    assert.equal(feed.length, 1);
    return feed[0];
  };
  assert.equal((await answer('subscription { walletChanged { id } }')).errors[0].extensions.code, 'UNAUTHENTICATED');
  assert.equal((await answer('subscription { nothing }')).errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  assert.deepEqual((await answer('{ __typename }')).data, { __typename: 'Query' });
});

test('Apollo Client hears subscriptions over HTTP at once, and why they break off', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const { token } = await server.signUp('Carla', 'CUSTOMER');
  const headers = { authorization: `Bearer ${token}` };
  const client = new ApolloClient({ link: new HttpLink({ uri: server.url, headers }), cache: new InMemoryCache() });
  t.after(() => client.stop());
  const listen = (after) => {
    const feed = new Feed('walletChanged');
    const ended = new Promise((resolve) => {
      const next = ({ data, error }) => (error ? resolve(error) : feed.next({ data }));
      const options = { query: gql(WALLET), variables: { after }, fetchPolicy: 'no-cache' };
      client.subscribe(options).subscribe({ next, error: resolve, complete: () => resolve(null) });
    });
    return { feed, ended };
  };
  const { viewer } = await server.data('{ viewer { streamCursor } }', {}, token);
  const first = listen(viewer.streamCursor);
  await first.feed.until('StreamResumed');
  await promptly(server, token, first.feed, ['1.00', '2.00', '3.00']);
  await sleep(5500); // a heartbeat is no event
  await promptly(server, token, first.feed, ['4.00']);
  await server.stop();
  const error = await first.ended;
  assert.equal(error?.errors?.[0]?.extensions.code, 'SERVICE_UNAVAILABLE', `${error}`);
  await server.start();
  await deposit(server, token, '5.00');
  const second = listen(first.feed.position.cursor);
  await second.feed.until(({ amount }) => amount?.amount === '5.00');
  assert.deepEqual(credits(first.feed).concat(credits(second.feed)), ['1.00', '2.00', '3.00', '4.00', '5.00']);
  // Queries and mutations of the same link go on as ever.
  assert.deepEqual((await client.query({ query: gql`{ __typename }` })).data, { __typename: 'Query' });
  figure(t, {
    what: `Apollo Client ${version('@apollo/client')}, multipart`,
    on: 'SQLite',
    figures: 'each event within 1 s, 1 restart survived',
  });
});

test('urql hears subscriptions over HTTP by itself', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const { token } = await server.signUp('Carla', 'CUSTOMER');
  const client = new Client({
    url: server.url,
    preferGetMethod: false,
    fetchSubscriptions: true,
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    exchanges: [fetchExchange],
  });
  const feed = new Feed('walletChanged');
  const { unsubscribe } = client.subscription(WALLET, {}).subscribe(({ data, error }) => feed.next({ data, errors: error }));
  t.after(unsubscribe);
  await sleep(300); // it has no word for being heard
  await promptly(server, token, feed, ['1.00', '2.00', '3.00']);
  figure(t, { what: `urql ${version('@urql/core')}, event stream`, on: 'SQLite', figures: 'each event within 1 s' });
});
