import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { getOperationAST, parse, type ExecutionResult } from "graphql";
import { createClient } from "graphql-ws";
import { config } from "./config";

type Headers = Record<string, string>;

export type Result = ExecutionResult<Record<string, unknown>, Record<string, unknown>>;

/** Sends one query or mutation. Refusals are JSON too, whatever the status, so the status is not looked at. */
export async function post(params: FetcherParams, headers: Headers = {}): Promise<Result> {
  const response = await fetch(config.endpoint, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json, application/json", ...headers },
    body: JSON.stringify(params),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The server answered ${response.status} without JSON: ${text.slice(0, 500)}`);
  }
}

/** Same host as the page, so that no request ever leaves the origin. */
function socketUrl(): string {
  const url = new URL(config.subscriptions, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The header editor is written by people: any case of the name will do. */
function authorization(headers: Headers): Headers {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization");
  return found ? { Authorization: found[1] } : {};
}

/** A closed socket reaches us as an event that prints as `{}`: say what it means. */
function readable(error: unknown): unknown {
  return error instanceof CloseEvent ? new Error(`The socket closed: ${error.code} ${error.reason}`.trim()) : error;
}

/** One socket per subscription, because each tab may speak for another user. */
function subscribe(params: FetcherParams, headers: Headers): AsyncIterableIterator<Result> {
  const client = createClient({ url: socketUrl(), connectionParams: authorization(headers), retryAttempts: 5 });
  const events = client.iterate({ ...params, operationName: params.operationName ?? undefined }) as AsyncIterableIterator<Result>;
  // Not a generator: its `return` would wait for the event that `next` is waiting for, and Stop would hang.
  return {
    next: () => events.next().catch((error: unknown) => Promise.reject(readable(error))),
    return: async () => {
      await events.return?.();
      await client.dispose();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function isSubscription({ query, operationName }: FetcherParams): boolean {
  try {
    return getOperationAST(parse(query), operationName)?.operation === "subscription";
  } catch {
    return false; // A document with a mistake in it: the server explains it best.
  }
}

/** Queries and mutations by HTTP, subscriptions by WebSocket; `seen` is shown each answer of the former. */
export function createFetcher(seen: (result: Result) => void): Fetcher {
  return async (params, options) => {
    const headers: Headers = options?.headers ?? {};
    if (isSubscription(params)) return subscribe(params, headers);
    const result = await post(params, headers);
    seen(result);
    return result;
  };
}
