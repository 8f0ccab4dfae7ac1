// Live operations that go on where they stopped, for every front end that is built on npm graphql-ws.

import { type Client, type ClientOptions, createClient } from 'graphql-ws';

import { bearer, resuming, type Resuming, type Token, wait } from './resume.js';

/** How to reach the server, and as whom. Further settings go to graphql-ws. */
export interface Settings extends Partial<ClientOptions>, Resuming {
  /** The address for HTTP; sockets use the same. */
  url: string;
  /** The access token of the moment, asked for again at every reconnect: the place to renew it. */
  token: () => Token | Promise<Token>;
  /** Prints what happens to the connection, and every message. Tokens are among them. */
  debug?: boolean;
  /** Queries and mutations use the socket too. */
  onlySocket?: boolean;
}

/** A client whose subscriptions come back behind their last item. */
export function liveClient({ url, token, onGap, onlySocket: _, storage, debug, ...options }: Settings): Client {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: async () => bearer(await token()),
    retryAttempts: Infinity,
    retryWait: wait,
    shouldRetry: () => true, // by default a server that is down while it restarts ends all operations
    ...options,
  });
  if (debug) {
    for (const event of ['connecting', 'connected', 'message', 'closed', 'error'] as const) {
      client.on(event, (...what: unknown[]) => console.debug('[live]', event, ...what));
    }
  }
  const subscribe = resuming(client.subscribe as never, { storage, onGap });
  return { ...client, subscribe: subscribe as Client['subscribe'] };
}
