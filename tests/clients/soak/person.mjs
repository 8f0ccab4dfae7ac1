// Somebody who chats, with a client that does what docs/streams.md asks of clients.
//
// It keeps a cursor for each operation, comes back with a pause that grows and differs from everybody else's, to either
// instance, and sends what was not acknowledged again under the same key.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { Asker } from './asker.mjs';
import { Feed } from './feed.mjs';

/** How often a client prefers its own instance, to keep the two people of a pair apart. */
const FAITH = 0.9;
/** How often a message is sent twice at once, what came is marked as read, and a customer deposits a dollar. */
const TWIN = 0.05;
const READ = 0.2;
const DEPOSIT = 0.1;

export class Person extends Asker {
  /** Acknowledged messages: `{ key, id, number }`. */
  acknowledged = [];
  /** Messages that came: those of the other, and the own ones. */
  got = [];
  own = [];
  /** Everything up to this number is marked as read, acknowledged. */
  readUpTo = 0;
  /** Only listens: nothing that it does itself wakes its instance for it. */
  isShy = false;
  connects = 0;
  /** When the connection was lost the last time, and when there was one again. */
  lostAt = 0;
  backAt = 0;
  #tries = 0;
  #reading = null;

  /** Goes live: the whole stream, and the conversation alone, each at its own pace. */
  async live(conversation) {
    this.conversation = conversation;
    this.client = createClient({
      url: () => {
        this.at = this.#place();
        return this.at.url.replace(/^http/, 'ws');
      },
      webSocketImpl: WebSocket,
      connectionParams: async () => ({ authorization: `Bearer ${await this.token()}` }),
      retryAttempts: Infinity,
      shouldRetry: () => true, // also when nobody listens there
      retryWait: (tries) => this.pause((this.#tries = tries)),
      on: {
        opened: (socket) => (this.socket = socket),
        connected: () => {
          this.connects++;
          this.#tries = 0;
          this.backAt = Date.now();
        },
        closed: () => {
          // Attempts that fail are closed as well.
          if (this.lostAt <= this.backAt) this.lostAt = Date.now();
          this.feeds.forEach((feed) => (feed.liveSince = null));
        },
      },
    });
    const { wrong, start: cursor } = this;
    this.stream = new Feed('stream', { cursor, wrong, place: ({ number }) => number && Number(number) });
    this.talk = new Feed('talk', { cursor, wrong, place: ({ message }) => message?.number, take: (item) => this.#take(item) });
    this.feeds = [this.stream, this.talk];
    this.#listen(this.stream, `eventAppended(after: $after) { __typename id cursor ${GAP} ${this.world.numbers} }`);
    this.#listen(this.talk, `conversationChanged(after: $after, conversationId: "${conversation}") { ${TALK} }`);
    await this.world.until(`${this.name} is live`, () => this.feeds.every((feed) => feed.liveSince));
  }

  /** Where to connect: at home first, most of the time; then at the other instance than the one that failed. */
  #place() {
    const { servers } = this.world;
    if (this.#tries) return servers.find((server) => server !== this.at) ?? this.home;
    return this.random.chance(FAITH) ? this.home : this.random.pick(servers);
  }

  #listen(feed, field) {
    // The library sends the same object again when it comes back: by then the cursor is another one.
    const variables = { get after() { return feed.cursor; } }; // prettier-ignore
    const again = async (why) => {
      if (this.closed) return;
      feed.wrong(`ended by the server: ${why}`);
      await this.pause(2);
      this.#listen(feed, field);
    };
    this.client.subscribe(
      { query: `subscription ($after: String) { ${field} }`, variables },
      { next: (item) => feed.next(item), error: (cause) => again(said(cause)), complete: () => again('complete') },
    );
  }

  #take({ message }) {
    if (!message) return;
    if (message.sender.id === this.id) return void this.own.push(message);
    this.got.push(message);
    this.world.arrived(this, message);
    if (this.isShy || this.world.quiet || !this.random.chance(READ)) return;
    this.#reading ??= this.#read(message).catch((error) => this.wrong(error.message));
  }

  async #read({ id, number }) {
    const input = { conversationId: this.conversation, upToMessageId: id };
    await this.act('conversationMarkRead', input, 'readCount');
    this.readUpTo = number;
    this.#reading = null;
  }

  /** Says something, and waits until it is acknowledged. */
  async say() {
    const key = randomUUID();
    const input = { conversationId: this.conversation, clientMessageId: key, content: `${this.name} says ${key}` };
    const copies = this.random.chance(TWIN) ? 2 : 1;
    const send = () => this.act('messageSend', input, 'message { id number clientMessageId }');
    const [{ message }, twin] = await Promise.all(Array.from({ length: copies }, send));
    if (twin && twin.message.id !== message.id) this.wrong(`one key made two messages: ${message.id} ${twin.message.id}`);
    if (message.clientMessageId !== key) this.wrong(`the answer for ${key} is ${message.clientMessageId}`);
    if (message.number <= (this.acknowledged.at(-1)?.number ?? 0)) this.wrong(`message ${message.number} came too late`);
    this.acknowledged.push({ key, ...message });
  }

  /** Talks until told to stop. */
  async chat() {
    while (!this.isShy && !this.world.quiet) {
      await sleep(this.random.between(0, 2 * this.world.pace));
      await this.say();
      if (this.role === 'CUSTOMER' && this.random.chance(DEPOSIT)) await this.trade.deposit(1);
    }
    await this.#reading;
  }

  /** The answer to a request over the own socket. */
  overSocket(request, ms) {
    this.via = this.at;
    const { connects } = this;
    return new Promise((resolve, reject) => {
      let answer = { errors: [{ message: 'no answer' }] };
      const next = (item) => (answer = item);
      const error = (cause) => reject(new Error(said(cause)));
      const complete = () => resolve({ ...answer, again: this.connects - connects });
      const end = this.client.subscribe(request, { next, error, complete });
      setTimeout(end, ms).unref();
    });
  }

  /** The network breaks. */
  lose() {
    this.socket?.terminate();
  }

  /** Goes back to the own instance, as if the way to it were free again. */
  goHome() {
    if (this.at !== this.home) this.lose();
  }

  /** Ends it all. */
  close() {
    this.closed = true;
    return this.client?.dispose();
  }
}

const GAP = '... on StreamGap { reason }';
const TALK = `__typename id cursor ${GAP} ... on MessageCreated { message { id number content createdAt sender { id } } }`;

const said = (cause) => (cause.code ? `closed with ${cause.code} ${cause.reason}` : JSON.stringify(cause));
