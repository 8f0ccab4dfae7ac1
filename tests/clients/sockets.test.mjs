// How sockets begin and end, in both subprotocols: each close code decides whether a client comes back.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { stack } from './support.mjs';

const SUBPROTOCOLS = ['graphql-transport-ws', 'graphql-ws'];
/** A live operation that needs no account. */
const LISTEN = 'subscription { announcementPublished { __typename id } }';
const WALLET = 'subscription ($after: String) { walletChanged(after: $after) { __typename id cursor } }';

const subscribe = (id, query = LISTEN) => ({ id, type: 'subscribe', payload: { query } });

test('protocol', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  /** Speaks to a new socket and expects it to be closed with this code. */
  const closes = (name, code, speak, { init = true, ...options } = {}) =>
    t.test(`${name}: ${code}`, async () => {
      const raw = await server.raw(options);
      if (init) await raw.init();
      await speak(raw);
      assert.equal((await raw.closed()).code, code, JSON.stringify(raw.messages));
    });

  await t.test('no init within 5 s: 4408', async () => {
    const { code, after } = await (await server.raw()).closed(8000);
    assert.equal(code, 4408);
    assert.ok(after > 4500, `after ${after} ms already`);
  });
  await closes('subscribe before the ack', 4401, (raw) => raw.send(subscribe('1')), { init: false });
  await closes('a second init', 4429, (raw) => raw.send({ type: 'connection_init' }));
  await closes('an id in use', 4409, (raw) => [raw.send(subscribe('1')), raw.send(subscribe('1'))]);
  await closes('no JSON', 4400, (raw) => raw.send('hello'));
  await closes('an unknown type', 4400, (raw) => raw.send({ type: 'shout' }));
  await closes('an id that is no text', 4400, (raw) => raw.send(subscribe(1)));
  await closes('over 1 MiB', 1009, (raw) => raw.send(subscribe('1', '#'.repeat(1024 * 1024))));
  for (const protocol of SUBPROTOCOLS) {
    const refused = (raw) => raw.send({ type: 'connection_init', payload: { Authorization: 'Bearer nonsense' } });
    await closes(`a bad token in ${protocol}`, 4403, refused, { init: false, protocol });
  }

  await t.test('an invalid document is an error, and the socket lives', async () => {
    const raw = await server.raw();
    await raw.init();
    raw.send(subscribe('1', '{ nothing }'));
    assert.equal((await raw.message('error')).id, '1');
    raw.send(subscribe('2', '{ __typename }'));
    assert.deepEqual((await raw.message('next')).payload.data, { __typename: 'Query' });
    assert.equal((await raw.message('complete')).id, '2');
  });

  await t.test('what needs an account is an error without one, and the socket lives', async () => {
    const raw = await server.raw();
    await raw.init();
    raw.send(subscribe('1', 'subscription { walletChanged { id } }'));
    const { payload } = await raw.message('error');
    assert.equal(payload[0].extensions.code, 'UNAUTHENTICATED');
    raw.send(subscribe('2', '{ __typename }'));
    await raw.message('next');
  });

  for (const path of ['/graphql', '/graphql/ws']) {
    await t.test(`the old subprotocol at ${path}: ack, then ka at once`, async () => {
      const raw = await server.raw({ protocol: 'graphql-ws', path });
      assert.equal(raw.socket.protocol, 'graphql-ws');
      await raw.init();
      await raw.message('ka', 1000);
      assert.deepEqual(raw.messages.slice(0, 2).map(({ type }) => type), ['connection_ack', 'ka']);
      raw.send({ id: '1', type: 'start', payload: { query: '{ __typename }' } });
      assert.deepEqual((await raw.message('data')).payload.data, { __typename: 'Query' });
      assert.equal((await raw.message('complete')).id, '1');
      });
  }

  await t.test('the stock client runs queries over the socket', async () => {
    const { data } = await server.sockets(null).run('{ __typename }');
    assert.deepEqual(data, { __typename: 'Query' });
  });
});

test('SIGTERM closes sockets so that clients come back, and the server ends well', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const open = [];
  for (const protocol of SUBPROTOCOLS) {
    const raw = await server.raw({ protocol });
    await raw.init();
    raw.send({ ...subscribe('1'), type: protocol === 'graphql-ws' ? 'start' : 'subscribe' });
    open.push(raw);
  }
  const stopped = server.stop(); // checks the exit code
  for (const raw of open) {
    const { code } = await raw.closed();
    assert.ok([1001, 1012].includes(code), `closed with ${code}`);
  }
  await stopped;
});

test('the stock client survives a restart and misses nothing', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const { token } = await server.signUp('Carla', 'CUSTOMER');
  const { viewer } = await server.data('{ viewer { streamCursor } }', {}, token);
  const sockets = server.sockets(token);
  const wallet = sockets.subscribe(WALLET, { after: viewer.streamCursor });
  const deposit = (amount) => {
    const input = { amount: { amount, currency: 'USD' }, idempotencyKey: randomUUID() };
    return server.mutate('depositCreate', input, 'payment { id }', token);
  };
  await deposit('10.00');
  await wallet.until((item) => !item.__typename.startsWith('Stream'));

  const reconnect = sockets.hold();
  const stopped = server.stop();
  await sockets.closed();
  await stopped;
  await server.start();
  const seen = wallet.items.length;
  await deposit('20.00');
  reconnect();

  const first = await wallet.until(() => true, { from: seen });
  assert.equal(first.__typename, 'StreamResumed');
  // Each deposit is one payment and one credit, in the order of their commit.
  await wallet.until((item) => item.__typename === 'WalletCredited', { from: seen });
  const kinds = wallet.events().map((event) => event.__typename);
  assert.deepEqual(kinds, ['PaymentCompleted', 'WalletCredited', 'PaymentCompleted', 'WalletCredited']);
  assert.ok(sockets.closes.every((code) => [1001, 1012].includes(code)), `closed with ${sockets.closes}`);
});
