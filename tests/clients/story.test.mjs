// The whole story of one deal, as two front ends and an onlooker live through it: on one instance, and on two.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { accepted, mutation, stack } from './support.mjs';

const EVENT = '__typename id cursor occurredAt';

/** What each durable subscription is asked for beside the envelope. */
const VIEWS = {
  bookingChanged: '... on BookingCreated { booking { id status } } ... on BookingStatusChanged { from to }',
  conversationChanged: `
    ... on MessageCreated { message { id content number } conversation { id unreadCount } }
    ... on MessagesRead { conversation { id } readCount }`,
  offerChanged: '',
  jobChanged: '',
  walletChanged: '',
  earningChanged: '',
  reviewChanged: '... on ReviewPublished { review { id rating } }',
  eventAppended: '... on MessageCreated { message { content } }',
};

const ANNOUNCED = `subscription {
  announcementPublished { ${EVENT} ... on AnnouncementAdded { announcement { title body level } } }
}`;

const usd = (amount) => ({ amount, currency: 'USD' });
const once = () => ({ idempotencyKey: randomUUID() });
const isEvent = ({ __typename }) => !__typename.startsWith('Stream');
const contents = (items) => items.filter((item) => item.message).map((item) => item.message.content);
const says = (content) => (item) => item.message?.content === content;

/** A person in front of an app: an account, its server, and all views live. */
async function person(server, name, role) {
  const account = await server.signUp(name, role);
  const { viewer } = await server.data('{ viewer { streamCursor } }', {}, account.token);
  const sockets = server.sockets(account.token);
  const views = {};
  for (const [view, parts] of Object.entries(VIEWS)) {
    const query = `subscription ($after: String) { ${view}(after: $after) { ${EVENT} ${parts} } }`;
    views[view] = sockets.subscribe(query, { after: viewer.streamCursor });
  }
  views.announcementPublished = sockets.subscribe(ANNOUNCED, {}, { resumes: false });
  // From its answer on a view is live; begun behind a cursor, it has missed nothing before either.
  await Promise.all(Object.keys(VIEWS).map((view) => views[view].until('StreamResumed')));
  return {
    ...account,
    ...views,
    server,
    sockets,
    start: viewer.streamCursor,
    act: (name, input, selection) => server.mutate(name, input, selection, account.token),
    async available() {
      const { viewer } = await server.data('{ viewer { wallet { available { amount } } } }', {}, account.token);
      return viewer.wallet.available.amount;
    },
  };
}

/** A signal may be dropped, so it is repeated until it is seen. */
async function typing(writer, reader, conversationId) {
  const query = 'subscription ($id: ID!) { typingChanged(conversationId: $id) { isTyping user { id } } }';
  const feed = reader.sockets.subscribe(query, { id: conversationId }, { resumes: false });
  const seen = feed.until((signal) => signal.isTyping && signal.user.id === writer.id);
  let done = false;
  seen.finally(() => (done = true)).catch(() => {});
  while (!done) {
    await writer.act('typingSet', { conversationId, isTyping: true }, '');
    await Promise.race([seen, sleep(1000)]);
  }
  await seen;
}

async function strikeADeal(customer, contractor) {
  await customer.act('depositCreate', { amount: usd('200.00'), ...once() }, 'payment { id status }');
  assert.equal(await customer.available(), '200.00');
  await customer.walletChanged.until(isEvent);

  const posted = { title: 'Fix the roof', description: 'Two tiles are loose above the door.', budget: usd('100.00') };
  const { job } = await customer.act('jobPost', posted, 'job { id status }');
  assert.equal(job.status, 'OPEN');
  await customer.jobChanged.until(isEvent);

  const offered = { jobId: job.id, amount: usd('100.00'), message: 'I can come on Monday.', ...once() };
  const { offer } = await contractor.act('offerSend', offered, 'offer { id status }');
  assert.equal(offer.status, 'PENDING');
  await customer.offerChanged.until(isEvent);

  const { booking, conversation } = await customer.act(
    'offerAccept',
    { offerId: offer.id, ...once() },
    'offer { status } booking { id status } conversation { id isActive }',
  );
  for (const side of [customer, contractor]) {
    const created = await side.bookingChanged.until('BookingCreated');
    assert.equal(created.booking.id, booking.id);
  }
  assert.equal(conversation.isActive, true);
  return { booking, conversation };
}

async function chat(customer, contractor, conversation) {
  const send = (from, content, clientMessageId = randomUUID()) =>
    from.act('messageSend', { conversationId: conversation.id, content, clientMessageId }, 'message { id number }');

  const key = randomUUID();
  const { message } = await send(customer, 'When can you begin?', key);
  const arrived = await contractor.conversationChanged.until(says('When can you begin?'));
  assert.equal(arrived.message.id, message.id);
  assert.deepEqual(arrived.conversation, { id: conversation.id, unreadCount: 1 });
  const again = await send(customer, 'When can you begin?', key);
  assert.deepEqual(again.message, message, 'a repeated message is the first one');

  // Sending works over the socket just as over HTTP.
  const reply = { conversationId: conversation.id, content: 'On Monday at nine.', clientMessageId: randomUUID() };
  accepted('messageSend', await contractor.sockets.run(mutation('messageSend', 'message { id }'), { input: reply }));
  await customer.conversationChanged.until(says(reply.content));

  await typing(customer, contractor, conversation.id);

  const read = { conversationId: conversation.id, upToMessageId: message.id };
  const marked = await contractor.act('conversationMarkRead', read, 'conversation { unreadCount } readCount');
  assert.deepEqual(marked, { conversation: { unreadCount: 0 }, readCount: 1, userErrors: [] });
  const receipt = await customer.conversationChanged.until('MessagesRead');
  assert.equal(receipt.conversation.id, conversation.id);
  return send;
}

async function doTheWork(customer, contractor, bookingId) {
  const status = async (who, name, input = {}) => {
    const { booking } = await who.act(name, { bookingId, ...input }, 'booking { status }');
    return booking.status;
  };
  assert.equal(await status(contractor, 'bookingStart'), 'IN_PROGRESS');
  assert.equal(await status(contractor, 'bookingDeliver'), 'DELIVERED');
  assert.equal(await status(customer, 'bookingComplete', once()), 'COMPLETED');
  for (const side of [customer, contractor]) {
    await side.bookingChanged.until((item) => item.to === 'COMPLETED');
    const steps = side.bookingChanged.events().filter(({ __typename }) => __typename === 'BookingStatusChanged');
    assert.deepEqual(steps.map(({ to }) => to), ['IN_PROGRESS', 'DELIVERED', 'COMPLETED']);
  }
  assert.equal(await contractor.available(), '80.00');
  assert.equal(await customer.available(), '95.00');
  await contractor.earningChanged.until(isEvent);
  await contractor.walletChanged.until(isEvent);
}

/** Neither reads the other's review before both are there; then both become visible at once. */
async function reviewEachOther(customer, contractor, bookingId) {
  const post = async (who, rating) => {
    const { review } = await who.act('reviewPost', { bookingId, rating, text: 'Thank you.' }, 'review { id status }');
    return review;
  };
  const seen = `{ viewer { bookings { nodes { reviews { id } contractor { rating { average count } } } } } }`;
  const first = await post(customer, 5);
  assert.equal(first.status, 'PENDING');
  await contractor.reviewChanged.until('ReviewPosted');
  const before = await contractor.server.data(seen, {}, contractor.token);
  const nobody = { average: null, count: 0 };
  assert.deepEqual(before.viewer.bookings.nodes, [{ reviews: [], contractor: { rating: nobody } }]);
  const second = await post(contractor, 4);
  assert.equal(second.status, 'PUBLISHED');
  for (const side of [customer, contractor]) {
    for (const [{ id }, rating] of [[first, 5], [second, 4]]) {
      const published = await side.reviewChanged.until((item) => item.review?.id === id);
      assert.equal(published.review.rating, rating);
    }
  }
  const after = await contractor.server.data(seen, {}, contractor.token);
  const reviews = [{ id: first.id }, { id: second.id }];
  const rating = { average: '5.00', count: 1 };
  assert.deepEqual(after.viewer.bookings.nodes, [{ reviews, contractor: { rating } }]);
}

async function announce(server, token, hearers) {
  const announcement = { title: 'Maintenance', body: 'We are back in five minutes.', level: 'INFO' };
  await server.mutate('announcementPublish', announcement, 'announcement { title }', token);
  for (const feed of hearers) {
    const heard = await feed.until('AnnouncementAdded');
    assert.deepEqual(heard.announcement, announcement);
  }
}

/** The network breaks, life goes on, the app comes back: it sees what it missed, in order and once. */
async function missAndResume(customer, contractor, send) {
  const views = ['conversationChanged', 'eventAppended', 'bookingChanged'].map((view) => contractor[view]);
  const [chatView, everything] = views;
  // The last event before the break is one of the chat: so its cursor is the one right before what is missed.
  await send(customer, 'Thank you!');
  await Promise.all([chatView.until(says('Thank you!')), everything.until(says('Thank you!'))]);
  const chatCursor = chatView.position.cursor;
  const before = new Map(views.map((view) => [view, view.items.length]));
  const reconnect = contractor.sockets.cut();
  await contractor.sockets.closed();
  const missed = ['Are you there?', 'Hello?', 'See you on Monday.'];
  for (const content of missed) await send(customer, content);
  reconnect();

  for (const view of views) {
    const first = await view.until(() => true, { from: before.get(view) });
    assert.equal(first.__typename, 'StreamResumed', view.name);
  }
  await chatView.until(says(missed.at(-1)), { from: before.get(chatView) });
  await everything.until(says(missed.at(-1)), { from: before.get(everything) });

  // An app that was closed knows the cursor of its chat, and nothing else.
  const reopened = contractor.server.sockets(contractor.token, { resume: chatCursor });
  const view = reopened.subscribe(`subscription { conversationChanged { ${EVENT} ${VIEWS.conversationChanged} } }`);
  await view.until(says(missed.at(-1)));
  assert.equal(view.items[0].__typename, 'StreamResumed');

  await sleep(500); // time for one too many to arrive
  assert.deepEqual(contents(chatView.items.slice(before.get(chatView))), missed);
  assert.deepEqual(contents(everything.items.slice(before.get(everything))), missed);
  assert.deepEqual(contents(view.items), missed);
  assert.equal(view.repeats, 0);

  // And the connection is live again.
  await send(customer, 'Good night.');
  await chatView.until(says('Good night.'));
}

/** The stream is one: each view is a part of it, in the same order. */
async function viewsAgree(side) {
  // Announcements have a stream of their own.
  const ids = (items) => items.filter(({ __typename }) => __typename !== 'AnnouncementAdded').map(({ id }) => id);
  // The views run at their own pace: wait until the whole has what each of them has.
  const parts = Object.keys(VIEWS).flatMap((view) => ids(side[view].events()));
  await side.eventAppended.until(() => parts.every((id) => ids(side.eventAppended.events()).includes(id)));
  const live = ids(side.eventAppended.events());
  assert.equal(new Set(live).size, live.length, `${side.name} got an event twice`);
  for (const view of Object.keys(VIEWS)) {
    const places = ids(side[view].events()).map((id) => live.indexOf(id));
    assert.deepEqual(places, places.toSorted((a, b) => a - b), `${side.name}'s ${view}`);
    assert.ok(!places.includes(-1), `${side.name}'s ${view} brought an event that is not in the stream`);
  }
}

/** The customer is on one instance, the contractor and the onlooker are on the other, if there are two. */
async function story({ servers, command }) {
  const [a, b = a] = servers;
  const heard = b.sockets(null).subscribe(ANNOUNCED);
  const customer = await person(a, 'Carla', 'CUSTOMER');
  const contractor = await person(b, 'Tom', 'CONTRACTOR');
  const login = { email: 'admin@example.com', password: 'correct horse battery' };
  await command('admin', 'create', '--email', login.email, '--password', login.password);
  const { session } = await a.mutate('accountSignIn', login, 'session { accessToken }');

  const { booking, conversation } = await strikeADeal(customer, contractor);
  const send = await chat(customer, contractor, conversation);
  await doTheWork(customer, contractor, booking.id);
  await reviewEachOther(customer, contractor, booking.id);
  const hearers = [heard, customer.announcementPublished, contractor.announcementPublished];
  await announce(a, session.accessToken, hearers);
  await missAndResume(customer, contractor, send);
  await viewsAgree(customer);
  await viewsAgree(contractor);
}

test('the story on one instance over SQLite', async (t) => story(await stack(t)));

test('the story on two instances over PostgreSQL and Redis', async (t) => story(await stack(t, { scaled: true })));
