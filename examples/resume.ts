// What lets a live operation go on where it stopped, by whichever way its events come.

/** The access token, if somebody is signed in. */
export type Token = string | undefined;

/** What keeps the cursors of operations. */
export interface Resuming {
  /** Remembers cursors over a reload of the page: `sessionStorage` for instance. Clear it when the user signs out. */
  storage?: Pick<Storage, 'getItem' | 'setItem'> | undefined;
  /** Events are missing for good: the app loads again what it shows. */
  onGap?: (() => void) | undefined;
}

/** What a subscription brings: an event, or a word about the stream. */
type Item = { __typename?: string; id?: string; cursor?: string | null } | null;

/** Where the results of an operation go. */
interface Sink {
  next(result: { data?: Record<string, Item> | null }): void;
  error(cause: unknown): void;
  complete(): void;
}

/** An operation to begin. */
interface Request {
  query: string;
  variables?: Record<string, unknown> | null;
}

type Subscribe = (request: Request, sink: Sink) => () => void;

/** As many ids are remembered to tell repeats. */
const SEEN_MAX = 1000;

/** The header of the token, or none. */
export function bearer(token: Token): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {};
}

/** How long to wait before an attempt: from 1 to 2 s before the first one, doubled each time up to from 15 to 30 s. */
export function waitMs(attempt: number, chance = Math.random()): number {
  const most = Math.min(2000 * 2 ** attempt, 30_000);
  return most / 2 + (chance * most) / 2; // by chance, so that not everybody comes back in the same moment
}

/** Waits before an attempt. */
export function wait(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, waitMs(attempt)));
}

/**
 * The same `subscribe`, but its operations come back behind their last item. It is for libraries that connect again by
 * themselves, and write the request anew each time: so they read the newest cursor.
 */
export function resuming(subscribe: Subscribe, { storage, onGap }: Resuming): Subscribe {
  return (request, sink) => {
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
      get after() {
        return cursor;
      },
    };
    return subscribe({ ...request, variables }, {
      next(result) {
        const [item = null] = Object.values(result.data ?? {});
        if (isNew(item)) sink.next(result);
        if (!item?.cursor) return;
        cursor = item.cursor; // kept last: what was not applied comes again
        storage?.setItem(key, item.cursor);
      },
      error: (cause) => sink.error(cause),
      complete: () => sink.complete(),
    });
  };
}
