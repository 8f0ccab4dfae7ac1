// The live side: the stock graphql-ws client as front ends use it, and a bare socket to misbehave with.

import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

/** An event must arrive within this time: two sweeps of the stream heads. */
const EVENT_MS = 12_000;
/** A server that ends closes its sockets within this time. */
const DRAIN_MS = 45_000;

const live = (url) => url.replace(/^http/, 'ws');

/** Waits until `look()` gives something; `changed` is called back at each change. Says what it saw if it never does. */
class Watch {
  waiting = new Set();

  changed() {
    for (const again of this.waiting) again();
  }

  until(look, missed, ms = EVENT_MS) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        this.waiting.delete(again);
        settle(value);
      };
      const again = () => {
        try {
          const found = look();
          if (found !== undefined) end(resolve, found);
        } catch (error) {
          end(reject, error);
        }
      };
      const timer = setTimeout(() => end(reject, new Error(missed())), ms);
      this.waiting.add(again);
      again();
    });
  }
}

/** One live operation: what it brought so far, without repeats. */
export class Feed {
  items = [];
  repeats = 0;
  /** The newest cursor and when it came: `{ cursor, order }`. */
  position = null;
  #ids = new Set();
  #watch = new Watch();
  #failure = null;
  static #order = 0;

  constructor(name) {
    this.name = name;
  }

  next({ data, errors }) {
    if (errors) return this.error(errors);
    const [item] = Object.values(data);
    if (item.cursor) this.position = { cursor: item.cursor, order: Feed.#order++ };
    // Delivery is at least once across connections; `StreamResumed` and its like are no events.
    if (item.id && !item.__typename.startsWith('Stream')) {
      if (this.#ids.has(item.id)) return void this.repeats++;
      this.#ids.add(item.id);
    }
    this.items.push(item);
    this.#watch.changed();
  }

  error(cause) {
    // A list of GraphQL errors, or the close of the socket.
    const what = cause.code ? `closed with ${cause.code} ${cause.reason}` : JSON.stringify(cause);
    this.#failure = new Error(`${this.name} ended: ${what}`);
    this.#watch.changed();
  }

  complete() {
    this.#failure ??= new Error(`${this.name} ended`);
    this.#watch.changed();
  }

  /** The first item at or behind position `from` that matches: a type name, or a test. */
  until(match, { from = 0, ms } = {}) {
    const fits = typeof match === 'string' ? (item) => item.__typename === match : match;
    const look = () => {
      const item = this.items.slice(from).find(fits);
      if (item === undefined && this.#failure) throw this.#failure;
      return item;
    };
    const missed = () => `${this.name}: no ${match}; it brought ${JSON.stringify(this.items.slice(from))}`;
    return this.#watch.until(look, missed, ms);
  }

  /** The events, without `StreamResumed` and its like. */
  events(from = 0) {
    return this.items.slice(from).filter((item) => !item.__typename.startsWith('Stream'));
  }
}

/** The stock client. It reconnects with `resume`: of its operations' cursors the one that moved longest ago. */
export class Sockets {
  feeds = [];
  /** The code of each close, as the client saw it. */
  closes = [];
  #connects = Promise.resolve();
  #watch = new Watch();

  /** `resume`: a cursor to begin with, before the operations have their own. */
  constructor(url, token, { resume } = {}) {
    this.token = token;
    this.start = resume;
    const sockets = this;
    class Tracked extends WebSocket {
      constructor(...args) {
        super(...args);
        sockets.socket = this;
      }
    }
    this.client = createClient({
      url: live(url),
      webSocketImpl: Tracked,
      connectionParams: () => ({ ...(this.token && { Authorization: `Bearer ${this.token}` }), resume: this.resume }),
      retryAttempts: Infinity,
      shouldRetry: () => true, // also while nobody listens there
      retryWait: () => Promise.all([this.#connects, sleep(100)]),
      on: {
        closed: ({ code }) => {
          this.closes.push(code);
          this.#watch.changed();
        },
      },
    });
  }

  /** What the client resumes from. */
  get resume() {
    const positions = this.feeds.map((feed) => feed.position).filter(Boolean);
    return positions.sort((a, b) => a.order - b.order)[0]?.cursor ?? this.start;
  }

  /** Starts a live operation. `resumes: false` keeps its cursors out of `resume`: they are of another stream. */
  subscribe(query, variables = {}, { resumes = true } = {}) {
    const feed = new Feed(/\{\s*(\w+)/.exec(query)[1]);
    if (resumes) this.feeds.push(feed);
    this.client.subscribe({ query, variables }, feed);
    return feed;
  }

  /** The one answer to a query or mutation over the socket. */
  run(query, variables = {}) {
    return new Promise((resolve, reject) => {
      let answer;
      const sink = { next: (it) => (answer = it), error: reject, complete: () => resolve(answer) };
      this.client.subscribe({ query, variables }, sink);
    });
  }

  /** Keeps the client from coming back until the function in the answer is called. */
  hold() {
    let release;
    this.#connects = new Promise((resolve) => (release = resolve));
    return release;
  }

  /** Breaks the connection as a dead network does, and holds the client. */
  cut() {
    const release = this.hold();
    this.socket.terminate();
    return release;
  }

  /** The code of the first close. */
  closed() {
    return this.#watch.until(() => this.closes[0], () => 'the socket stayed open', DRAIN_MS);
  }

  close() {
    return this.client.dispose();
  }
}

/** A socket without a client on top. */
export class Raw {
  messages = [];
  #watch = new Watch();
  #close;

  /** Opens it; `path` is below the server's root. */
  static async open(url, { protocol = 'graphql-transport-ws', path = '/graphql' } = {}) {
    const raw = new Raw();
    raw.opened = Date.now();
    raw.socket = new WebSocket(new URL(path, live(url)), protocol);
    raw.socket.on('message', (text) => {
      raw.messages.push(JSON.parse(text));
      raw.#watch.changed();
    });
    raw.socket.on('close', (code, reason) => {
      raw.#close = { code, reason: String(reason), after: Date.now() - raw.opened };
      raw.#watch.changed();
    });
    await new Promise((resolve, reject) => raw.socket.once('open', resolve).once('error', reject));
    // A peer that resets the connection is seen as its close code, not as a crash of the test.
    raw.socket.on('error', () => {});
    return raw;
  }

  /** Sends a message, or a text as it is. */
  send(message) {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Opens the conversation, with a token or without. */
  async init(payload = {}) {
    this.send({ type: 'connection_init', payload });
    return this.message('connection_ack');
  }

  /** The first message of this type. */
  message(type, ms) {
    const look = () => this.messages.find((message) => message.type === type);
    return this.#watch.until(look, () => `no ${type}; it brought ${this}`, ms);
  }

  /** How it was closed: `{ code, reason, after }`, the last in milliseconds since it was opened. */
  closed(ms = DRAIN_MS) {
    return this.#watch.until(() => this.#close, () => `not closed; it brought ${this}`, ms);
  }

  toString() {
    return JSON.stringify({ messages: this.messages, close: this.#close });
  }
}
