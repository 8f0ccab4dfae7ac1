// Live operations that go on where they stopped, for every front end that is built on npm graphql-ws.

import { type Client, type ClientOptions, createClient } from 'graphql-ws';

/** How to reach the server, and as whom. Further settings go to graphql-ws. */
export interface Settings extends Partial<ClientOptions> {
  /** The address for HTTP; sockets use the same. */
  url: string;
  /** The access token of the moment, asked for again at every reconnect: the place to renew it. */
  token: () => Token | Promise<Token>;
  /** Remembers cursors over a reload of the page: `sessionStorage` for instance. Clear it when the user signs out. */
  storage?: Pick<Storage, 'getItem' | 'setItem'>;
  /** Prints what happens to the connection, and every message. Tokens are among them. */
  debug?: boolean;
  /** Queries and mutations use the socket too. */
  onlySocket?: boolean;
  /** Events are missing for good: the app loads again what it shows. */
  onGap?: () => void;
}

type Token = string | undefined;

/** What a subscription brings: an event, or a word about the stream. */
type Item = { __typename?: string; id?: string; cursor?: string | null } | null;

/** As many ids are remembered to tell repeats. */
const SEEN_MAX = 1000;

/** The header of the token, or none. */
export function bearer(token: Token): { authorization?: string } {
  return token ? { authorization: `Bearer ${token}` } : {};
}

/** How long to wait before an attempt: from 1 to 2 s before the first one, doubled each time up to from 15 to 30 s. */
export function waitMs(attempt: number, chance = Math.random()): number {
  const most = Math.min(2000 * 2 ** attempt, 30_000);
  return most / 2 + (chance * most) / 2; // by chance, so that not everybody comes back in the same moment
}

/** A client whose subscriptions come back behind their last item. */
export function liveClient({ url, token, onGap, onlySocket: _, storage, debug, ...options }: Settings): Client {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: async () => bearer(await token()),
    retryAttempts: Infinity,
    retryWait: (attempt) => new Promise((resolve) => setTimeout(resolve, waitMs(attempt))),
    shouldRetry: () => true, // by default a server that is down while it restarts ends all operations
    ...options,
  });
  if (debug) {
    for (const event of ['connecting', 'connected', 'message', 'closed', 'error'] as const) {
      client.on(event, (...what: unknown[]) => console.debug('[live]', event, ...what));
    }
  }
  const subscribe: Client['subscribe'] = (request, sink) => {
    const key = `cursor ${request.query} ${JSON.stringify({ ...request.variables, after: undefined })}`;
    let cursor = request.variables?.['after'] ?? storage?.getItem(key) ?? undefined;
    const seen = new Set<string>();
    const isNew = (item: Item) => {
      if (!item?.id || !item.cursor) return true;
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
        if (!item?.cursor) return;
        cursor = item.cursor; // kept last: what was not applied comes again
        storage?.setItem(key, item.cursor);
      },
      error: (cause) => sink.error(cause),
      complete: () => sink.complete(),
    });
  };
  return { ...client, subscribe };
}
