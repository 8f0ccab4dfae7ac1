// Live operations that go on where they stopped, for every front end that is built on npm graphql-ws.

import { type Client, type ClientOptions, createClient } from 'graphql-ws';

import { bearer, resuming } from './resume.js';

/** How to reach the server, and as whom. Further settings go to graphql-ws. */
export interface Settings extends Partial<ClientOptions> {
  /** The address for HTTP; sockets use the same. */
  url: string;
  /** The access token of the moment, asked for again at every reconnect. */
  token: () => string | undefined;
  /** Queries and mutations use the socket too. */
  onlySocket?: boolean;
  /** Events are missing for good: the app loads again what it shows. */
  onGap?: () => void;
}

/** A client whose subscriptions come back behind their last item. */
export function liveClient({ url, token, onGap, onlySocket: _, ...options }: Settings): Client {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: () => bearer(token()),
    retryAttempts: Infinity,
    shouldRetry: () => true, // by default a server that is down while it restarts ends all operations
    ...options,
  });
  return { ...client, subscribe: resuming(client.subscribe as never, onGap) as Client['subscribe'] };
}
