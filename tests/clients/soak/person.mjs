// Somebody who chats, with a client that does what docs/streams.md asks of clients.
//
// It keeps a cursor for each operation, comes back with a pause that grows and differs from everybody else's, to either
// instance, and sends what was not acknowledged again under the same key.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { mutation } from '../support.mjs';
import { Feed } from './feed.mjs';
import { Random } from './random.mjs';

/** What has no answer after this time is asked again. */
const ANSWER_MS = 10_000;
/** The pause before the first repetition, and the longest. */
const PAUSE_MS = [100, 3_000];
/** A token is replaced when it is this old; it lives for longer. */
const TOKEN_MS = 8 * 60_000;
/** How often a client prefers its own instance, to keep the two people of a pair apart. */
const FAITH = 0.9;
/** How often a message is sent twice at once, what came is marked as read, and a customer deposits a dollar. */
const TWIN = 0.05;
const READ = 0.2;
const DEPOSIT = 0.1;

export class Person {
  /** Acknowledged messages: `{ key, id, number }`. */
  acknowledged = [];
  /** Messages that came: those of the other, and the own ones. */
  got = [];
  own = [];
  /** Everything up to this number is marked as read, acknowledged. */
  readUpTo = 0;
  /** Dollars whose deposit is acknowledged. */
  deposited = 0;
  /** Only listens: nothing that it does itself wakes its instance for it. */
  isShy = false;
  /** Attempts that were not answered, or not well. */
  repeated = 0;
  connects = 0;
  #tries = 0;
  #reading = null;

  constructor(world, name, role, home) {
    Object.assign(this, { world, name, role, home, at: home });
    this.random = new Random(world.seed, name);
    this.wrong = (what) => world.wrong(`${name}: ${what}`);
  }

  /** Opens an account. */
  async signUp() {
    this.login = { email: `${this.name}@example.org`, password: 'correct horse battery' };
    const input = { ...this.login, displayName: this.name, roles: [this.role] };
    const { session, viewer } = await this.act('accountSignUp', input, SESSION + 'viewer { user { id } }', ANONYMOUS);
    this.id = viewer.user.id;
    this.#keep(session);
    ({ viewer: { streamCursor: this.start } } = await this.ask('{ viewer { streamCursor } }'));
  }

  #keep(session) {
    this.session = { ...session, since: Date.now() };
  }

  /** A token that is good for a while. */
  async token() {
    if (Date.now() - this.session.since > TOKEN_MS) await (this.refreshing ??= this.#refresh());
    return this.session.accessToken;
  }

  async #refresh() {
    const { refreshToken } = this.session;
    const { session } = await this.act('sessionRefresh', { refreshToken }, SESSION, ANONYMOUS);
    this.#keep(session);
    this.refreshing = null;
  }

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
      retryWait: (tries) => this.#pause((this.#tries = tries)),
      on: {
        opened: (socket) => (this.socket = socket),
        connected: () => {
          this.connects++;
          this.#tries = 0;
        },
        closed: () => this.feeds.forEach((feed) => (feed.liveSince = null)),
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
      await this.#pause(2);
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

  /** Brings a dollar in. */
  async deposit() {
    const input = { amount: { amount: '1.00', currency: 'USD' }, idempotencyKey: randomUUID() };
    await this.act('depositCreate', input, 'payment { id }');
    this.deposited++;
  }

  /** Talks until told to stop. */
  async chat() {
    while (!this.isShy && !this.world.quiet) {
      await sleep(this.random.between(0, 2 * this.world.pace));
      await this.say();
      if (this.role === 'CUSTOMER' && this.random.chance(DEPOSIT)) await this.deposit();
    }
    await this.#reading;
  }

  /** The payload of a mutation, repeated until there is one. */
  async act(name, input, selection, who) {
    const payload = (await this.ask(mutation(name, selection), { input }, who))[name];
    if (payload.userErrors.length) throw new Error(`${this.name}: ${name}: ${JSON.stringify(payload.userErrors)}`);
    return payload;
  }

  /** The data of a query, repeated until there are some. */
  async ask(query, variables = {}, who = {}) {
    for (let tries = 0; ; tries++) {
      try {
        const overSocket = this.client && who !== ANONYMOUS && this.random.chance(0.5);
        const request = { query, variables };
        const { data, errors } = await (overSocket ? this.#overSocket(request) : this.#overHttp(request, who, tries));
        if (!errors) return data;
        this.world.refused(errors[0]);
      } catch (error) {
        if (this.world.over) throw error;
      }
      this.repeated++;
      await this.#pause(tries);
    }
  }

  #overSocket(request) {
    this.via = this.at;
    return new Promise((resolve, reject) => {
      let answer = { errors: [{ message: 'no answer' }] };
      const sink = { next: (item) => (answer = item), error: (cause) => reject(new Error(said(cause))) };
      const end = this.client.subscribe(request, { ...sink, complete: () => resolve(answer) });
      setTimeout(end, ANSWER_MS).unref();
    });
  }

  async #overHttp({ query, variables }, who, tries) {
    this.via = tries ? this.random.pick(this.world.servers) : this.at;
    return this.via.gql(query, variables, who === ANONYMOUS ? null : await this.token(), ANSWER_MS);
  }

  #pause(tries) {
    return sleep(Math.min(PAUSE_MS[0] * 2 ** tries, PAUSE_MS[1]) * this.random.between(0.5, 1.5));
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

/** Asked over HTTP, without a token. */
const ANONYMOUS = { anonymous: true };
const SESSION = 'session { accessToken refreshToken } ';
const GAP = '... on StreamGap { reason }';
const TALK = `__typename id cursor ${GAP} ... on MessageCreated { message { id number content createdAt sender { id } } }`;

const said = (cause) => (cause.code ? `closed with ${cause.code} ${cause.reason}` : JSON.stringify(cause));
