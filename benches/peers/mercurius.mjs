// The Mercurius peer: Fastify, compiled queries, loaders, and subscriptions with Redis between instances.

import { readFileSync } from 'node:fs';

import fastify from 'fastify';
import Redis from 'ioredis';
import mercurius from 'mercurius';
import mqRedis from 'mqemitter-redis';

import * as database from './database.mjs';
import { readsOffers, size } from './refusals.mjs';
import { connection, resolvers } from './resolvers.mjs';
import { HOST, PORT, ready, REDIS_PREFIX, REDIS_URL } from './settings.mjs';
import { viewerOfHeader } from './tokens.mjs';

const emitter = mqRedis({
  pubConn: new Redis(REDIS_URL, { enableAutoPipelining: true }),
  subConn: new Redis(REDIS_URL),
});
emitter.state.on('error', console.error);

/** Sends over the emitter itself: over a socket, Mercurius's own `publish` cannot be awaited. */
function publish(topic, payload) {
  return new Promise((resolve, reject) => {
    emitter.emit({ topic: REDIS_PREFIX + topic, payload }, (error) => (error ? reject(error) : resolve()));
  });
}

const app = fastify();
app.register(mercurius, {
  schema: readFileSync(new URL('schema.graphql', import.meta.url), 'utf8'),
  resolvers: resolvers({ publish, subscribe: (topic, { pubsub }) => pubsub.subscribe(REDIS_PREFIX + topic) }),
  loaders: {
    Job: {
      customer: (queries) => database.usersById(queries.map(({ obj }) => obj.customerId)),
      async offers(queries, { viewer }) {
        for (const { obj } of queries) readsOffers(viewer, obj);
        const keys = queries.map(({ obj, params }) => ({ job: obj, first: size(params.first) }));
        return (await database.offersOfJobs(keys)).map(connection);
      },
    },
    Offer: {
      contractor: (queries) => database.usersById(queries.map(({ obj }) => obj.contractorId)),
    },
  },
  // A query is compiled when it comes for the second time.
  jit: 1,
  context: ({ headers }) => ({ viewer: viewerOfHeader(headers.authorization) }),
  subscription: {
    emitter,
    fullWsTransport: true,
    onConnect({ payload }) {
      const viewer = viewerOfHeader(payload?.authorization);
      return viewer ? { viewer } : false;
    },
  },
});
await app.listen({ host: HOST, port: PORT });
ready(async () => {
  await app.close();
  await database.close();
});
