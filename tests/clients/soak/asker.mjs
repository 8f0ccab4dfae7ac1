// Somebody who asks until there is an answer: with a pause that grows and differs from everybody else's, over HTTP or the
// own socket, and always the same request, so that its key makes it one.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { mutation } from '../support.mjs';
import { Random } from './random.mjs';

/** What has no answer after this time is asked again. */
const ANSWER_MS = 10_000;
/** The pause before the first repetition, and the longest. */
const PAUSE_MS = [100, 3_000];
/** A token is replaced when it is this old; it lives for longer. */
const TOKEN_MS = 8 * 60_000;
/** How often a request goes over the own socket instead of HTTP. */
const OVER_SOCKET = 0.5;

/** Asked over HTTP, without a token. */
export const ANONYMOUS = { anonymous: true };
const SESSION = 'session { accessToken refreshToken } ';

export class Asker {
  /** Attempts that were not answered, or not well. */
  repeated = 0;
  /** What was acknowledged under a key: the ids of what it made or changed, by mutation and key. */
  keys = new Map();

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

  /** Does something that moves money or books: once, however often it has to be asked. Gives the payload. */
  async once(name, input, selection) {
    const key = randomUUID();
    const { payload, tries, replayed } = await this.step(name, { ...input, idempotencyKey: key }, selection);
    if (payload.userErrors.length) throw new Error(`${this.name}: ${name}: ${JSON.stringify(payload.userErrors)}`);
    const ids = Object.values(payload).flatMap((object) => object?.id ?? []);
    this.keys.set(`${name} ${key}`, ids);
    this.world.did(name, tries, replayed);
    return payload;
  }

  /** Tries what must be refused for this reason, under a key that must stay free. */
  async refused(name, input, code) {
    const { payload } = await this.step(name, { idempotencyKey: randomUUID(), ...input }, '');
    const codes = payload.userErrors.map((error) => error.code);
    if (`${codes}` !== code) this.wrong(`${name} should be refused as ${code}: ${JSON.stringify(payload)}`);
    this.world.did(`${name}: ${code}`);
  }

  /** The payload of a mutation that nothing may refuse, repeated until there is one. */
  async act(name, input, selection, who) {
    const { payload } = await this.attempt(name, input, selection, who);
    if (payload.userErrors.length) throw new Error(`${this.name}: ${name}: ${JSON.stringify(payload.userErrors)}`);
    return payload;
  }

  /** An attempt that is a step of a deal: it may be what a kill waits for. */
  async step(name, input, selection) {
    const begun = Date.now();
    const answering = this.attempt(name, input, selection);
    this.world.stepAsked(this.via);
    const answer = await answering;
    if (!answer.tries) this.world.stepTook(Date.now() - begun);
    return answer;
  }

  /** The payload of a mutation, how often it was asked in vain, and whether it repeats an earlier effect. */
  async attempt(name, input, selection, who) {
    for (let tries = 0; ; ) {
      const answer = await this.#answer({ query: mutation(name, selection), variables: { input } }, who);
      const payload = answer.data[name];
      tries += answer.tries;
      // An attempt that was given up still runs: its end is worth waiting for.
      const isInFlight = payload.userErrors.some(({ code }) => code === 'IDEMPOTENCY_IN_FLIGHT');
      if (!isInFlight) return { payload, tries, replayed: answer.extensions?.replayed === true };
      this.world.refused({ message: 'IDEMPOTENCY_IN_FLIGHT' });
      tries++;
    }
  }

  /** The data of a query, repeated until there are some. */
  async ask(query, variables = {}) {
    return (await this.#answer({ query, variables })).data;
  }

  async #answer(request, who = {}) {
    for (let tries = 0; ; tries++) {
      try {
        const overSocket = this.client && who !== ANONYMOUS && this.random.chance(OVER_SOCKET);
        const answer = await (overSocket ? this.overSocket(request, ANSWER_MS) : this.#overHttp(request, who, tries));
        // What was asked over a socket that broke, the library asks again by itself.
        if (!answer.errors) return { ...answer, tries: tries + (answer.again ?? 0) };
        this.world.refused(answer.errors[0]);
      } catch (error) {
        if (this.world.over) throw error;
      }
      this.repeated++;
      await this.pause(tries);
    }
  }

  async #overHttp({ query, variables }, who, tries) {
    const server = (this.via = tries ? this.random.pick(this.world.servers) : this.at);
    const token = who === ANONYMOUS ? null : await this.token();
    return this.world.measured(server, () => server.gql(query, variables, token, ANSWER_MS));
  }

  /** Waits longer from try to try. */
  pause(tries) {
    return sleep(Math.min(PAUSE_MS[0] * 2 ** tries, PAUSE_MS[1]) * this.random.between(0.5, 1.5));
  }
}
