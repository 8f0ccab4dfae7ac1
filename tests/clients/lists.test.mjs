// Lists and figures that stay right by their events alone: examples/lists.ts on a real Apollo Client.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';

import { connect } from '#examples/apollo';
import { followBookings, followNotifications, followOffers, followWallet } from '#examples/lists';

import { stack } from './support.mjs';

globalThis.WebSocket ??= WebSocket;

const usd = (amount) => ({ amount, currency: 'USD' });
const once = () => ({ idempotencyKey: randomUUID() });

/** Somebody whose screens are followed; what they do goes past their own client, so that only events can tell it. */
class Person {
  shown = {};
  ends = [];
  posts = 0;

  constructor(server, { id, token }, undo) {
    Object.assign(this, { server, id, token });
    const person = this;
    class Tracked extends WebSocket {
      constructor(...args) {
        super(...args);
        person.socket = this;
      }
    }
    const app = connect({ url: server.url, token: async () => token, webSocketImpl: Tracked, retryWait: () => sleep(50) });
    this.client = app.client;
    undo.push(() => {
      app.client.stop();
      return app.socket.dispose();
    });
  }

  async open() {
    const { client, shown } = this;
    this.ends = await Promise.all([
      followWallet(client, (available) => (shown.wallet = available)),
      followBookings(client, (rows) => (shown.bookings = rows.map(({ id, status }) => `${id} ${status}`))),
      followOffers(client, (rows) => (shown.offers = rows.map(({ id, status }) => `${id} ${status}`))),
      followNotifications(client, (rows, unread) => {
        shown.unread = unread;
        shown.notifications = rows.map(({ id }) => id);
      }),
    ]);
    return this;
  }

  do(name, input, selection) {
    return this.server.mutate(name, input, selection, this.token);
  }

  /** Waits until the screens show this. */
  async shows(wanted) {
    for (const end = Date.now() + 10_000; ; await sleep(20)) {
      try {
        return assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, this.shown[name]])), wanted);
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  }
}

/** A job, an offer for it and, if it is accepted, a booking. */
async function offered(customer, contractor) {
  const posted = { title: 'Fix the roof', description: 'Two tiles are loose.', budget: usd('100.00') };
  const { job } = await customer.do('jobPost', posted, 'job { id }');
  const { offer } = await contractor.do('offerSend', { jobId: job.id, amount: usd('100.00'), ...once() }, 'offer { id }');
  return offer.id;
}

test('lists and figures follow their events, through breaks, until they are let go', async (t) => {
  const { servers } = await stack(t);
  const [server] = servers;
  const customer = await new Person(server, await server.signUp('Carla', 'CUSTOMER'), server.undo).open();
  const contractor = await new Person(server, await server.signUp('Tom', 'CONTRACTOR'), server.undo).open();
  await customer.shows({ wallet: '0.00', bookings: [], offers: [], notifications: [], unread: 0 });

  await customer.do('depositCreate', { amount: usd('500.00'), ...once() }, 'payment { id }');
  await customer.shows({ wallet: '500.00' });
  const one = await offered(customer, contractor);
  await customer.shows({ offers: [`${one} PENDING`] });
  await contractor.shows({ offers: [`${one} PENDING`] });

  // What happens while the line is down comes behind the cursor.
  customer.socket.terminate();
  const two = await offered(customer, contractor);
  await customer.shows({ offers: [`${two} PENDING`, `${one} PENDING`] });
  const accept = async (offerId) => {
    const { booking } = await customer.do('offerAccept', { offerId, ...once() }, 'booking { id }');
    return booking.id;
  };
  const [b1, b2] = [await accept(one), await accept(two)];
  await customer.shows({ bookings: [`${b2} CONFIRMED`, `${b1} CONFIRMED`], wallet: '290.00' });
  await contractor.do('bookingStart', { bookingId: b1 }, 'booking { id }');
  await customer.shows({ bookings: [`${b2} CONFIRMED`, `${b1} IN_PROGRESS`] });
  await contractor.shows({ offers: [`${two} ACCEPTED`, `${one} ACCEPTED`] });

  // Lists are as the server would answer now.
  const lists = `{ viewer { unreadNotificationCount notifications { nodes { id } } } }`;
  const { viewer } = await server.data(lists, {}, customer.token);
  const ids = viewer.notifications.nodes.map(({ id }) => id);
  assert.ok(ids.length >= 3, ids.join());
  await customer.shows({ notifications: ids, unread: viewer.unreadNotificationCount });
  await customer.do('notificationDismiss', { notificationId: ids[1] }, 'notification { id }');
  await customer.shows({ notifications: ids.filter((id) => id !== ids[1]), unread: ids.length - 1 });
  await customer.do('notificationMarkRead', { all: true }, 'unreadCount');
  await customer.shows({ unread: 0 });

  // Let go, nothing is shown any more, and the server hears of it.
  const completed = [];
  const { send } = customer.socket;
  customer.socket.send = function (text, ...more) {
    if (JSON.parse(text).type === 'complete') completed.push(text);
    return send.call(this, text, ...more);
  };
  customer.ends.forEach((end) => end());
  for (const end = Date.now() + 5000; completed.length < 4; await sleep(20)) assert.ok(Date.now() < end, completed.join());
  const before = structuredClone(customer.shown);
  await customer.do('depositCreate', { amount: usd('1.00'), ...once() }, 'payment { id }');
  await sleep(300);
  assert.deepEqual(customer.shown, before);
});
