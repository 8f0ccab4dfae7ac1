// Live operations over plain HTTP, for places where sockets do not get through: npm graphql-sse.

import { type Client, type ClientOptions, createClient } from 'graphql-sse';

import { bearer, resuming, type Resuming, type Token, wait } from './resume.js';

/** How to reach the server, and as whom. Further settings go to graphql-sse. */
export interface FeedSettings extends Partial<ClientOptions>, Resuming {
  /** The address for HTTP. */
  url: string;
  /** The access token of the moment, asked for again at every reconnect: the place to renew it. */
  token: () => Token | Promise<Token>;
}

/** A client whose subscriptions come back behind their last item. Each has a connection of its own. */
export function feedClient({ url, token, onGap, storage, ...options }: FeedSettings): Client {
  const headers = async () => bearer(await token());
  const client = createClient({ url, headers, retryAttempts: Infinity, retry: wait, ...options });
  const subscribe = resuming(client.subscribe as never, { storage, onGap });
  return { ...client, subscribe: subscribe as Client['subscribe'] };
}
