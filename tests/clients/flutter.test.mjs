// graphql_flutter, as a replay of its frames: see flutter.mjs. The recipe is examples/flutter/live.dart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';

import { Place, SocketClient, serialize } from './flutter.mjs';
import { tryClient } from './front.mjs';
import { stack } from './support.mjs';

const PROTOCOLS = ['graphql-ws', 'graphql-transport-ws'];

/** An app on examples/flutter/live.dart: a cursor for each subscription, and a token in the init payload. */
class App {
  constructor(settings, protocol) {
    this.settings = settings;
    this.socket = new SocketClient(settings.url, {
      protocol,
      initialPayload: async () => (settings.token() ? { authorization: `Bearer ${settings.token()}` } : {}),
      onConnectionLost: () => 100,
      webSocketImpl: settings.webSocketImpl,
      onAck: () => settings.on.connected(),
    });
  }

  async run(document, variables) {
    const { data, errors } = await (this.settings.onlySocket ? this.socket.run : this.post).call(this.socket, document, variables);
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  post = async (document, variables) => {
    const token = this.settings.token();
    const answer = await fetch(this.settings.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: '*/*', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(serialize(document, variables)),
    });
    return answer.json();
  };

  watch(document, variables, take) {
    const place = new Place();
    const isNew = (result) => {
      const item = Object.values(result.data ?? {})[0];
      if (item?.__typename === 'StreamGap') this.settings.onGap();
      return place.take(item);
    };
    this.socket.subscribe(document, variables, (result) => isNew(result) && take(result), { place });
  }

  close() {
    this.socket.dispose();
  }
}

for (const protocol of PROTOCOLS) tryClient(`graphql_flutter 5.2 frames, ${protocol}`, (settings) => new App(settings, protocol));

test('tokens where apps put them', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const { id, token } = await server.signUp('Carla', 'CUSTOMER');
  const bearer = `Bearer ${token}`;
  const places = {
    'a payload in small letters': { initialPayload: { authorization: bearer } },
    'a payload in capitals': { initialPayload: { Authorization: bearer } },
    'a bare token': { initialPayload: { authorization: token } },
    'a function': { initialPayload: () => ({ Authorization: bearer }) },
    'headers inside the payload': { initialPayload: { headers: { 'Content-Type': 'application/json', Authorization: bearer } } },
    'token': { initialPayload: { token } },
    'authToken': { initialPayload: { authToken: bearer } },
    'accessToken': { initialPayload: { accessToken: token } },
    'a header of the upgrade': { headers: { Authorization: bearer } },
  };
  for (const protocol of PROTOCOLS) {
    const ask = async (place) => {
      const client = new SocketClient(server.url, { protocol, webSocketImpl: WebSocket, ...place });
      const { data } = await client.run('{ viewer { user { id } } }');
      client.dispose();
      return data.viewer?.user.id;
    };
    for (const [name, place] of Object.entries(places)) assert.equal(await ask(place), id, `${name}, ${protocol}`);
    for (const place of [{}, { initialPayload: {} }, { initialPayload: { resume: null } }]) {
      assert.equal(await ask(place), undefined, `a stranger: ${JSON.stringify(place)}, ${protocol}`);
    }
  }
});

test('a refused token is asked for again, and operations stop and end as the client says', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const { token } = await server.signUp('Carla', 'CUSTOMER');
  for (const protocol of PROTOCOLS) {
    let authorization = 'Bearer nonsense';
    const options = { protocol, webSocketImpl: WebSocket, reconnectMs: 50, initialPayload: () => ({ authorization }) };
    const client = new SocketClient(server.url, options);
    while (!client.closes.length) await sleep(20);
    assert.equal(client.closes[0], 4403);
    authorization = `Bearer ${token}`;
    const { data } = await client.run('{ viewer { user { displayName } } }');
    assert.equal(data.viewer.user.displayName, 'Carla');

    const items = [];
    const stop = client.subscribe('subscription { walletChanged { id } }', {}, (it) => items.push(it));
    await client.run('{ __typename }');
    stop();
    await client.run('{ __typename }');
    const input = { amount: { amount: '1.00', currency: 'USD' }, idempotencyKey: protocol };
    await server.mutate('depositCreate', input, 'payment { id }', token);
    await sleep(500);
    assert.deepEqual(items, [], 'a stopped operation is silent');

    if (protocol === 'graphql-ws') {
      client.write({ type: 'connection_terminate' });
      while (client.closes.length < 2) await sleep(20);
      assert.ok([1000, 1005].includes(client.closes[1]), `closed with ${client.closes[1]}`);
    }
    client.dispose();
  }
});
