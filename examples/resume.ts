// What lets a live operation go on where it stopped, by whichever way its events come.

/** What a subscription brings: an event, or a word about the stream. */
type Item = { __typename?: string; id?: string; cursor?: string | null } | null;

/** Where the results of an operation go. */
interface Sink {
  next(result: { data?: Record<string, Item> | null }): void;
  error(cause: unknown): void;
  complete(): void;
}

type Subscribe<Request> = (request: Request, sink: Sink) => () => void;

/** As many ids are remembered to tell repeats. */
const SEEN_MAX = 1000;

/** The header of the token, or none. */
export function bearer(token: string | undefined): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {};
}

/**
 * The same `subscribe`, but its operations come back behind their last item. It is for libraries that connect again by
 * themselves, and write the request anew each time: so they read the newest cursor.
 */
export function resuming<Request extends { variables?: Record<string, unknown> | null | undefined }>(
  subscribe: Subscribe<Request>,
  onGap?: () => void,
): Subscribe<Request> {
  return (request, sink) => {
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
      get after() {
        return cursor;
      },
    };
    return subscribe({ ...request, variables }, {
      next(result) {
        const [item = null] = Object.values(result.data ?? {});
        if (isNew(item)) sink.next(result);
      },
      error: (cause) => sink.error(cause),
      complete: () => sink.complete(),
    });
  };
}
