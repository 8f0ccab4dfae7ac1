// The resolvers that both GraphQL peers share. They differ in how they batch and in how they carry events, which is
// given: `publish(topic, payload)`, and `subscribe(topic, context)` which answers an async iterable of payloads.

import * as database from './database.mjs';
import { admin, Refusal, signedIn, size, text } from './refusals.mjs';
import { LIMITS } from './settings.mjs';

const ANNOUNCEMENTS = 'announcements';
const messagesOf = (conversationId) => `messages:${conversationId}`;
const notYours = () => new Refusal('FORBIDDEN', 'This conversation is not yours.');

export function resolvers({ publish, subscribe }) {
  return {
    Query: {
      async jobs(_, { first, after }, { viewer }) {
        signedIn(viewer);
        // One more than asked for says whether there is a next page.
        const rows = await database.openJobs(size(first) + 1, after && opened(after));
        const edges = rows.slice(0, first).map((node) => ({ cursor: cursor(node), node }));
        return { edges, pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor } };
      },
    },
    Mutation: {
      async messageSend(_, { conversationId, content, clientMessageId }, { viewer }) {
        const senderId = signedIn(viewer).id;
        text(content, LIMITS.content);
        const message = await database.sendMessage({ conversationId, senderId, content, clientMessageId });
        if (!message) throw notYours();
        await publish(messagesOf(conversationId), { messageAdded: message });
        return message;
      },
      async announcementPublish(_, { title, body }, { viewer }) {
        admin(viewer);
        const announcement = await database.publishAnnouncement(text(title, LIMITS.title), text(body, LIMITS.content));
        await publish(ANNOUNCEMENTS, { announcementPublished: announcement });
        return announcement;
      },
    },
    Subscription: {
      messageAdded: {
        async subscribe(_, { conversationId }, context) {
          if (!(await database.isMember(conversationId, signedIn(context.viewer).id))) throw notYours();
          return subscribe(messagesOf(conversationId), context);
        },
      },
      announcementPublished: {
        subscribe(_, __, context) {
          signedIn(context.viewer);
          return subscribe(ANNOUNCEMENTS, context);
        },
      },
    },
  };
}

/** A list of nodes as a connection without pages. */
export const connection = (nodes) => ({ edges: nodes.map((node) => ({ node })) });

const cursor = ({ createdAt, id }) => Buffer.from(`${createdAt} ${id}`).toString('base64url');

function opened(after) {
  const [createdAt, id] = Buffer.from(after, 'base64url').toString().split(' ');
  if (!id) throw new Refusal('BAD_USER_INPUT', 'after is no cursor.');
  return { createdAt, id };
}
