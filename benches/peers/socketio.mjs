// The Socket.IO peer: rooms for conversations and announcements, and the Redis adapter between instances.

import { createServer } from 'node:http';

import { createAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';

import * as database from './database.mjs';
import { admin, Refusal, text } from './refusals.mjs';
import { HOST, LIMITS, PORT, ready, REDIS_PREFIX, REDIS_URL } from './settings.mjs';
import { viewerOfToken } from './tokens.mjs';

const ANNOUNCEMENTS = 'announcements';
const roomOf = (conversationId) => `conversation:${conversationId}`;
const notYours = () => new Refusal('FORBIDDEN', 'This conversation is not yours.');

const publisher = createClient({ url: REDIS_URL });
const subscriber = publisher.duplicate();
for (const client of [publisher, subscriber]) client.on('error', console.error);
await Promise.all([publisher.connect(), subscriber.connect()]);

const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(publisher, subscriber, { key: REDIS_PREFIX }),
  transports: ['websocket'],
  perMessageDeflate: false,
  serveClient: false,
});

// Nobody reads the request of the handshake again, and it is large to keep for each socket.
io.engine.on('connection', (raw) => {
  raw.request = null;
});

io.use((socket, next) => {
  socket.data.viewer = viewerOfToken(socket.handshake.auth.token);
  next(socket.data.viewer ? undefined : new Error('UNAUTHENTICATED'));
});

/** Answers an event: what the handler returns, or the code of what it refused. The input may be left out. */
function answer(socket, event, handler) {
  socket.on(event, async (...args) => {
    const ack = typeof args.at(-1) === 'function' ? args.pop() : () => {};
    try {
      ack({ ok: true, ...(await handler(args[0] ?? {})) });
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      ack({ ok: false, error: error instanceof Refusal ? error.code : 'INTERNAL_SERVER_ERROR' });
    }
  });
}

io.on('connection', (socket) => {
  const { viewer } = socket.data;

  answer(socket, 'conversation:join', async ({ conversationId }) => {
    if (!(await database.isMember(conversationId, viewer.id))) throw notYours();
    await socket.join(roomOf(conversationId));
  });

  answer(socket, 'message:send', async ({ conversationId, content, clientMessageId }) => {
    text(content, LIMITS.content);
    const message = await database.sendMessage({ conversationId, senderId: viewer.id, content, clientMessageId });
    if (!message) throw notYours();
    io.to(roomOf(conversationId)).emit('message:new', message);
    return { message };
  });

  answer(socket, 'announcement:join', () => socket.join(ANNOUNCEMENTS));

  answer(socket, 'announcement:publish', async ({ title, body }) => {
    admin(viewer);
    const announcement = await database.publishAnnouncement(text(title, LIMITS.title), text(body, LIMITS.content));
    io.to(ANNOUNCEMENTS).emit('announcement', announcement);
    return { announcement };
  });
});

http.listen(PORT, HOST, () =>
  ready(async () => {
    await io.close();
    await database.close();
  }),
);
