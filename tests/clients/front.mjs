// One deal, and then a chat through broken connections, as a front end on a stock client lives through it.
//
// A client is tried by `tryClient(name, open)`: `open(settings)` answers with
//   run(document, variables)          the data of a query or mutation
//   watch(document, variables, take)  hands each item of a subscription to `take`
//   cached(document, variables)       what the cache knows by itself; a client without a cache has none
//   follow(bookingId, show)           shows each status of a booking until its answer is called; not every client has it
//   close()

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';

import * as documents from '#examples/generated/graphql';

import { figure } from './report.mjs';
import { Feed } from './sockets.mjs';
import { stack } from './support.mjs';

// Browsers, and Node from 22 on, have one.
globalThis.WebSocket ??= WebSocket;

const usd = (amount) => ({ amount, currency: 'USD' });
const once = () => ({ idempotencyKey: randomUUID() });
const steps = (feed) => feed.events().flatMap(({ to }) => to ?? []);

/** How the connection of the reader breaks, one after the other. */
const BREAKS = ['socket', 'restart', 'socket', 'socket', 'restart', 'socket'];
/** The other side says something so often. */
const SAY_MS = 25;

/** Somebody in front of an app on this client. */
class Person {
  connects = 0;
  gaps = 0;
  feeds = {};

  constructor(open, server, onlySocket, undo) {
    const person = this;
    class Tracked extends WebSocket {
      constructor(...args) {
        super(...args);
        person.socket = this;
      }
    }
    this.server = server;
    this.app = open({
      url: server.url,
      token: () => this.token,
      onlySocket,
      onGap: () => this.gaps++,
      webSocketImpl: Tracked,
      lazy: false,
      retryWait: () => sleep(100),
      on: { connected: () => this.connects++ },
    });
    undo(() => this.app.close());
  }

  /** A mutation or query that must succeed: its one field. */
  async do(name, variables) {
    // Some clients ask for the type of the root as well.
    const { __typename, ...data } = await this.app.run(documents[`${name}Document`], variables);
    const [answer] = Object.values(data);
    assert.deepEqual(answer?.userErrors ?? [], [], name);
    return answer;
  }

  watch(name, variables = {}) {
    const feed = new Feed(name);
    const query = documents[`${name}Document`];
    this.app.watch(query, variables, (result) => feed.next(result));
    this.feeds[name] = feed;
    return feed;
  }

  async signUp(name, role) {
    const email = `${name}.${randomUUID().slice(0, 8)}@example.com`;
    const account = { email, password: 'correct horse battery', displayName: name, roles: [role] };
    const { session, viewer } = await this.do('SignUp', { input: account });
    this.id = viewer.user.id;
    this.token = session.accessToken;
    // The socket that is open is a stranger's: it comes back as this person's.
    this.socket.terminate();
    await this.connected(2);
    ({ streamCursor: this.start } = await this.do('Start'));
    for (const view of ['BookingChanged', 'ConversationChanged', 'EventAppended']) this.watch(view, { after: this.start });
    await Promise.all(Object.values(this.feeds).map((feed) => feed.until('StreamResumed')));
    return this;
  }

  async connected(times) {
    for (const end = Date.now() + 30_000; this.connects < times; await sleep(20)) {
      assert.ok(Date.now() < end, `${this.connects} connections, not ${times}`);
    }
  }

  /** Waits until the cache has it, which nobody asked the server for. */
  async cached(name, variables, wanted) {
    const query = documents[`${name}Document`];
    if (!this.app.cached) return this.feeds.BookingChanged.until(({ booking }) => wanted({ booking }));
    for (const end = Date.now() + 5000; ; await sleep(10)) {
      const data = await this.app.cached(query, variables);
      if (wanted(data)) return;
      assert.ok(Date.now() < end, `the cache has ${JSON.stringify(data)}`);
    }
  }
}

/** From the deposit to the end of the work. The other side's cache follows by the events alone. */
async function deal(customer, contractor) {
  const { wallet } = await customer.do('Deposit', { input: { amount: usd('200.00'), ...once() } });
  assert.equal(wallet.available.amount, '200.00');
  const posted = { title: 'Fix the roof', description: 'Two tiles are loose.', budget: usd('100.00') };
  const { job } = await customer.do('PostJob', { input: posted });
  assert.equal(job.status, 'OPEN');
  const { offer } = await contractor.do('SendOffer', { input: { jobId: job.id, amount: usd('100.00'), ...once() } });
  const { booking, conversation } = await customer.do('AcceptOffer', { input: { offerId: offer.id, ...once() } });
  for (const side of [customer, contractor]) {
    const made = await side.feeds.BookingChanged.until('BookingCreated');
    assert.equal(made.booking.id, booking.id);
    assert.equal((await side.do('Booking', { id: booking.id })).status, 'CONFIRMED');
  }
  await chat(customer, contractor, conversation.id);

  const shown = [];
  const unfollow = await customer.app.follow?.(booking.id, (status) => shown.push(status));
  const follows = (side, status) => side.cached('Booking', { id: booking.id }, (data) => data?.booking?.status === status);
  const input = { bookingId: booking.id };
  await contractor.do('StartBooking', { input });
  await follows(customer, 'IN_PROGRESS');
  await contractor.do('DeliverBooking', { input });
  await follows(customer, 'DELIVERED');
  await customer.do('CompleteBooking', { input: { ...input, ...once() } });
  await follows(contractor, 'COMPLETED');
  for (const side of [customer, contractor]) {
    await side.feeds.BookingChanged.until(({ to }) => to === 'COMPLETED');
    assert.deepEqual(steps(side.feeds.BookingChanged), ['IN_PROGRESS', 'DELIVERED', 'COMPLETED']);
  }
  if (unfollow) {
    assert.deepEqual([...new Set(shown)], ['CONFIRMED', 'IN_PROGRESS', 'DELIVERED', 'COMPLETED']);
    unfollow();
  }
  assert.equal((await contractor.do('Balance')).wallet.available.amount, '80.00');
  return conversation.id;
}

async function chat(customer, contractor, conversationId) {
  const typing = contractor.watch('TypingChanged', { conversationId });
  delete contractor.feeds.TypingChanged; // it has no cursor
  const seen = typing.until(({ isTyping, user }) => isTyping && user.id === customer.id);
  let done = false;
  seen.finally(() => (done = true)).catch(() => {});
  // A signal may be dropped, so it is repeated until it is seen.
  while (!done) {
    await customer.do('SetTyping', { input: { conversationId, isTyping: true } });
    await Promise.race([seen, sleep(500)]);
  }
  await seen;
  await say(customer, conversationId, 'When can you begin?');
  const heard = await contractor.feeds.ConversationChanged.until('MessageCreated');
  assert.equal(heard.message.content, 'When can you begin?');
  assert.equal(heard.conversation.unreadCount, 1);
  await say(contractor, conversationId, 'On Monday.');
  await customer.feeds.ConversationChanged.until(({ message }) => message?.content === 'On Monday.');
}

/** Sends a message, again and again until the server has it: it is stored once. */
async function say(person, conversationId, content) {
  const input = { conversationId, content, clientMessageId: randomUUID() };
  for (const end = Date.now() + 30_000; ; await sleep(50)) {
    try {
      return await person.do('SendMessage', { input });
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** The writer goes on while the reader's connection breaks; the reader gets everything once and in order. */
async function breaks(writer, reader, conversationId) {
  const said = [];
  let goes = true;
  const talk = (async () => {
    for (let n = 1; goes; n++, await sleep(SAY_MS)) {
      said.push(`This is ${n}.`);
      await say(writer, conversationId, said.at(-1));
    }
  })();
  const begin = reader.connects;
  const views = Object.values(reader.feeds);
  for (const [n, kind] of BREAKS.entries()) {
    const before = views.map((feed) => feed.items.length);
    if (kind === 'socket') {
      reader.socket.terminate();
    } else {
      await reader.server.stop();
      await reader.server.start();
    }
    await reader.connected(begin + n + 1);
    await Promise.all(views.map((feed, i) => feed.until('StreamResumed', { from: before[i] })));
    await sleep(4 * SAY_MS);
  }
  goes = false;
  await talk;
  const chatted = reader.feeds.ConversationChanged;
  await chatted.until(({ message }) => message?.content === said.at(-1));
  await reader.feeds.EventAppended.until(({ id }) => id === chatted.events().at(-1).id);
  await sleep(300); // time for one too many to arrive
  const heard = chatted.events().flatMap(({ message }) => message?.content ?? []);
  assert.deepEqual(heard.filter((content) => content.startsWith('This is ')), said);
  await asStored(reader);
  assert.ok(views.every((feed) => feed.repeats === 0), 'the app saw an event twice');
  return { reconnects: reader.connects - begin, messages: said.length };
}

/** Each view brought just what is in the stream, in its order. */
async function asStored({ server, token, start, feeds }) {
  const kinds = { ConversationChanged: /^Message/, BookingChanged: /^Booking/, EventAppended: /./ };
  const last = feeds.EventAppended.events().at(-1).id;
  const whole = server.sockets(token).subscribe(
    'subscription ($after: String) { eventAppended(after: $after) { __typename id cursor } }',
    { after: start },
  );
  await whole.until(({ id }) => id === last);
  for (const [view, feed] of Object.entries(feeds)) {
    const stored = whole.events().filter(({ __typename }) => kinds[view].test(__typename));
    assert.deepEqual(feed.events().map(({ id }) => id), stored.map(({ id }) => id), view);
  }
}

/** What cannot be continued is said plainly, and goes on from now. */
async function gap(person) {
  const lost = person.watch('ConversationChanged', { after: 'nonsense' });
  await lost.until('StreamGap');
  assert.equal(person.gaps, 1, 'the app is told to load again');
}

async function live(t, name, open, { servers }) {
  const [a, b = a] = servers;
  const undo = (step) => a.undo.push(step);
  for (const onlySocket of [false, true]) {
    const customer = await new Person(open, a, onlySocket, undo).signUp('Carla', 'CUSTOMER');
    const contractor = await new Person(open, b, onlySocket, undo).signUp('Tom', 'CONTRACTOR');
    const conversation = await deal(customer, contractor);
    const { reconnects, messages } = await breaks(customer, contractor, conversation);
    await gap(contractor);
    figure(t, {
      what: `${name}, ${onlySocket ? 'WebSocket only' : 'HTTP and WebSocket'}`,
      on: b === a ? 'SQLite' : 'PostgreSQL and Redis',
      figures: `core flow, ${reconnects} reconnects survived, ${messages} messages`,
    });
  }
}

/** Tries one client on one instance, and on two: side by side, since restarts are mostly waiting. */
export function tryClient(name, open) {
  describe(name, { concurrency: 2 }, () => {
    test(`${name}: one instance over SQLite`, async (t) => live(t, name, open, await stack(t)));
    test(`${name}: two instances over PostgreSQL and Redis`, async (t) =>
      live(t, name, open, await stack(t, { scaled: true })));
  });
}
