// The stock clients of the peers behind one face: `join`, `listen`, `send`, `publish`, and what has arrived.
// A refusal rejects with its code as the message.

import { once } from 'node:events';

import { createClient } from 'graphql-ws';
import { io } from 'socket.io-client';
import WebSocket from 'ws';

/** A subscription is refused, or at work, by then. */
const SUBSCRIBED_MS = 500;

/** A client of the Socket.IO peer. */
export async function socketio(port, token) {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports: ['websocket'],
    auth: { token },
    forceNew: true,
    reconnection: false,
  });
  const messages = [];
  const announcements = [];
  socket.on('message:new', (message) => messages.push(message));
  socket.on('announcement', (announcement) => announcements.push(announcement));
  const refused = once(socket, 'connect_error').then(([error]) => Promise.reject(error));
  await Promise.race([once(socket, 'connect'), refused]);
  const ask = async (event, input) => {
    const answer = await socket.timeout(5_000).emitWithAck(event, input);
    if (!answer.ok) throw new Error(answer.error);
    return answer;
  };
  return {
    messages,
    announcements,
    join: (conversationId) => ask('conversation:join', { conversationId }),
    listen: () => ask('announcement:join', {}),
    send: async (conversationId, content) =>
      (await ask('message:send', { conversationId, content, clientMessageId: content })).message,
    publish: async (title) => (await ask('announcement:publish', { title, body: 'For all' })).announcement,
    close: () => socket.close(),
  };
}

const MESSAGE = '{ id conversationId number content createdAt sender { id displayName } clientMessageId }';
const ANNOUNCEMENT = '{ id title body createdAt }';

/** A client of a GraphQL peer. */
export async function graphql(port, token) {
  let closed;
  const client = createClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${token}` },
    onNonLazyError: () => {},
    on: { closed: (event) => closed?.(new Error(event.reason || `closed with ${event.code}`)) },
  });
  await new Promise((resolve, reject) => {
    closed = reject;
    client.on('connected', resolve);
  });
  const messages = [];
  const announcements = [];
  const operate = (query, variables, arrived, refused) => {
    const next = ({ data, errors }) => (errors ? refused(coded(errors)) : arrived(data));
    client.subscribe({ query, variables }, { next, error: (errors) => refused(coded(errors)), complete() {} });
  };
  // There is no acknowledgement of a subscription: it is refused, or events come.
  const follow = (query, variables, arrived) =>
    new Promise((resolve, reject) => {
      operate(query, variables, arrived, reject);
      setTimeout(resolve, SUBSCRIBED_MS);
    });
  const ask = (query, variables) => new Promise((resolve, reject) => operate(query, variables, resolve, reject));
  return {
    messages,
    announcements,
    join: (id) =>
      follow(`subscription ($id: ID!) { messageAdded(conversationId: $id) ${MESSAGE} }`, { id }, (data) =>
        messages.push(data.messageAdded),
      ),
    listen: () =>
      follow(`subscription { announcementPublished ${ANNOUNCEMENT} }`, {}, (data) =>
        announcements.push(data.announcementPublished),
      ),
    async send(conversationId, content) {
      const query = `mutation ($id: ID!, $content: String!) {
        messageSend(conversationId: $id, content: $content, clientMessageId: $content) ${MESSAGE} }`;
      return (await ask(query, { id: conversationId, content })).messageSend;
    },
    async publish(title) {
      const query = `mutation ($title: String!) { announcementPublish(title: $title, body: "For all") ${ANNOUNCEMENT} }`;
      return (await ask(query, { title })).announcementPublish;
    },
    close: () => client.dispose(),
  };
}

const PAGE = `query ($first: Int!, $after: String) {
  jobs(first: $first, after: $after) {
    edges { cursor node {
      id title description status createdAt budget { amount currency } customer { id displayName }
      offers(first: 3) { edges { node { id message status amount { amount currency } contractor { id displayName } } } }
    } }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** A page of jobs over HTTP. */
export async function page(port, token, variables) {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: PAGE, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw coded(errors);
  return data.jobs;
}

function coded(errors) {
  if (!Array.isArray(errors)) return errors;
  return new Error(errors[0].extensions?.code ?? errors[0].message);
}
