// Live operations over plain HTTP, for places where sockets do not get through: npm graphql-sse.

import { type Client, type ClientOptions, createClient } from 'graphql-sse';

import { bearer, resuming } from './resume.js';

/** How to reach the server, and as whom. Further settings go to graphql-sse. */
export interface FeedSettings extends Partial<ClientOptions> {
  /** The address for HTTP. */
  url: string;
  /** The access token of the moment, asked for again at every reconnect. */
  token: () => string | undefined;
  /** Events are missing for good: the app loads again what it shows. */
  onGap?: () => void;
}

/** A client whose subscriptions come back behind their last item. Each has a connection of its own. */
export function feedClient({ url, token, onGap, ...options }: FeedSettings): Client {
  const client = createClient({ url, headers: () => bearer(token()), retryAttempts: Infinity, ...options });
  return { ...client, subscribe: resuming(client.subscribe as never, onGap) as Client['subscribe'] };
}
