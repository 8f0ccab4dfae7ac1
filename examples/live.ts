// Live operations that go on where they stopped, for every front end that is built on npm graphql-ws.

import { type Client, type ClientOptions, createClient } from 'graphql-ws';

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

/** What a subscription brings: an event, or a word about the stream. */
type Item = { __typename?: string; id?: string; cursor?: string | null } | null;

/** As many ids are remembered to tell repeats. */
const SEEN_MAX = 1000;

/** The header of the token, or none. */
export function bearer(token: string | undefined): { authorization?: string } {
  return token ? { authorization: `Bearer ${token}` } : {};
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
  const subscribe: Client['subscribe'] = (request, sink) => {
    let cursor = request.variables?.['after'];
    const seen = new Set<string>();
    const isNew = (item: Item) => {
      if (!item?.id || !item.cursor) return true;
      cursor = item.cursor;
      if (item.__typename === 'StreamGap') onGap?.();
      if (seen.has(item.id)) return false;
      if (seen.size === SEEN_MAX) seen.delete([...seen][0]!);
      seen.add(item.id);
      return true;
    };
    const variables = {
      ...request.variables,
      // graphql-ws writes the request anew at each reconnect, and so reads the newest cursor.
      get after() {
        return cursor;
      },
    };
    return client.subscribe<Record<string, Item>>({ ...request, variables }, {
      next(result) {
        const [item = null] = Object.values(result.data ?? {});
        if (isNew(item)) sink.next(result as never);
      },
      error: (cause) => sink.error(cause),
      complete: () => sink.complete(),
    });
  };
  return { ...client, subscribe };
}
