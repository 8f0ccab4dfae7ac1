// The Apollo Server peer: Express for HTTP, graphql-ws for sockets, Redis pub/sub between instances, DataLoader for batches.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { expressMiddleware } from '@as-integrations/express5';
import { makeExecutableSchema } from '@graphql-tools/schema';
import DataLoader from 'dataloader';
import express from 'express';
import { parse, validate } from 'graphql';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import { useServer } from 'graphql-ws/use/ws';
import Redis from 'ioredis';
import { WebSocketServer } from 'ws';

import * as database from './database.mjs';
import { readsOffers, size } from './refusals.mjs';
import { connection, resolvers } from './resolvers.mjs';
import { HOST, PORT, ready, REDIS_PREFIX, REDIS_URL } from './settings.mjs';
import { viewerOfHeader } from './tokens.mjs';

const PATH = '/graphql';
/** Documents of clients kept parsed. */
const DOCUMENTS_REMEMBERED = 1_000;
/** Longer than a proxy or a client keeps an idle connection. */
const KEEP_ALIVE_MS = 72_000;

const pubsub = new RedisPubSub({
  publisher: new Redis(REDIS_URL, { enableAutoPipelining: true }),
  subscriber: new Redis(REDIS_URL),
});

const schema = makeExecutableSchema({
  typeDefs: readFileSync(new URL('schema.graphql', import.meta.url), 'utf8'),
  resolvers: {
    ...resolvers({
      publish: (topic, payload) => pubsub.publish(REDIS_PREFIX + topic, payload),
      subscribe: (topic) => pubsub.asyncIterableIterator(REDIS_PREFIX + topic),
    }),
    Job: {
      customer: (job, _, { loaders }) => loaders.users.load(job.customerId),
      async offers(job, { first }, { viewer, loaders }) {
        readsOffers(viewer, job);
        return connection(await loaders.offers.load({ job, first: size(first) }));
      },
    },
    Offer: { contractor: (offer, _, { loaders }) => loaders.users.load(offer.contractorId) },
  },
});

/** Loaders live as long as one operation, so that nobody reads what another asked for. */
function contextOf(viewer) {
  return {
    viewer,
    loaders: {
      users: new DataLoader(database.usersById),
      offers: new DataLoader(database.offersOfJobs, { cacheKeyFn: ({ job, first }) => `${job.id} ${first}` }),
    },
  };
}

// What Apollo Server keeps for HTTP, kept for sockets too: a document is parsed and validated once, not at each send.
const parsed = new Map();
const valid = new WeakMap();

function parseOnce(source, options) {
  let document = parsed.get(source);
  if (!document) {
    document = parse(source, options);
    if (parsed.size >= DOCUMENTS_REMEMBERED) parsed.delete(parsed.keys().next().value);
    parsed.set(source, document);
  }
  return document;
}

function validateOnce(against, document, ...rules) {
  if (!valid.has(document)) valid.set(document, validate(against, document, ...rules));
  return valid.get(document);
}

const app = express();
const http = createServer(app);
http.keepAliveTimeout = KEEP_ALIVE_MS;
const sockets = useServer(
  {
    schema,
    parse: parseOnce,
    validate: validateOnce,
    onConnect({ connectionParams, extra }) {
      extra.viewer = viewerOfHeader(connectionParams?.authorization);
      return extra.viewer !== null;
    },
    context: ({ extra }) => contextOf(extra.viewer),
  },
  new WebSocketServer({ server: http, path: PATH, perMessageDeflate: false }),
);

const server = new ApolloServer({
  schema,
  plugins: [
    ApolloServerPluginDrainHttpServer({ httpServer: http }),
    // Answers are one viewer's own: there is nothing to tell a cache.
    ApolloServerPluginCacheControlDisabled(),
    { serverWillStart: async () => ({ drainServer: () => sockets.dispose() }) },
  ],
  // `ready` listens for the signal, and has more to close.
  stopOnTerminationSignals: false,
});
await server.start();

app.disable('x-powered-by');
app.use(
  PATH,
  express.json(),
  expressMiddleware(server, { context: async ({ req }) => contextOf(viewerOfHeader(req.headers.authorization)) }),
);

http.listen(PORT, HOST, () =>
  ready(async () => {
    await server.stop();
    await database.close();
  }),
);
