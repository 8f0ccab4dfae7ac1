// urql with its normalised cache: it follows the events, and subscriptions survive every reconnect.

import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';

import schema from './generated/introspection.json' with { type: 'json' };
import { liveClient, type Settings } from './live.js';
import { bearer } from './resume.js';

const embedded = () => null;

/** The client, and the socket below it: `dispose` it when the user signs out. */
export function connect(settings: Settings) {
  const socket = liveClient(settings);
  const client = new Client({
    url: settings.url,
    preferGetMethod: false,
    fetch: async (url, init) =>
      fetch(url, { ...init, headers: { ...(init?.headers as object), ...bearer(await settings.token()) } }),
    exchanges: [
      cacheExchange({
        schema,
        keys: {
          Money: embedded,
          SessionTokens: embedded,
          BookingConnection: embedded,
          Viewer: () => 'viewer', // there is one
          Wallet: ({ currency }) => String(currency), // one for each currency
        },
      }),
      fetchExchange,
      subscriptionExchange({
        enableAllOperations: settings.onlySocket ?? false,
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink as never),
          }),
        }),
      }),
    ],
  });
  return { client, socket };
}
