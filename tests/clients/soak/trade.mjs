// The deals of a pair: from the deposit to the end, each step under a key, some of them refused. It knows at every moment
// what was made, where it stands, and whose the money is.

import { setTimeout as sleep } from 'node:timers/promises';

/** Prices in whole dollars of which both fees are whole dollars as well. */
const PRICES = [20, 40, 60, 80, 100];
/** The customer pays so much on top of a price; the contractor gets so much of it. */
const fee = (price) => price / 20;
const earned = (price) => (price * 4) / 5;
/** What the customer wants to have in the wallet before a deal, and brings in if it has not. */
const NEEDED = 300;
/** More than anybody has. */
const FORTUNE = 1_000_000;
/** How a deal may go: a counter comes first; an offer ends without a booking; a booking is given up; refusals in between. */
const COUNTER = 0.3;
const NO_DEAL = 0.35;
const GIVEN_UP = 0.3;
const REFUSALS = 0.5;
/** How many times longer than two messages two steps are apart, at most. */
const REST = 4;

const usd = (dollars) => ({ amount: `${dollars}.00`, currency: 'USD' });
const total = (price) => price + fee(price);

export class Trade {
  /** What was made and where it stands: status by id. */
  objects = new Map();
  /** Dollars of the customer, and what the contractor has earned. */
  money = { available: 0, held: 0, escrow: 0, earned: 0 };
  /** Dollars whose deposit is acknowledged. */
  deposited = 0;

  constructor([customer, contractor]) {
    Object.assign(this, { customer, contractor, world: customer.world, random: customer.random });
    customer.trade = contractor.trade = this;
  }

  /** Deal after deal, until told to stop. */
  async go() {
    while (!this.world.quiet) {
      await this.#rest();
      await this.#deal();
    }
  }

  /** Between two steps, so that kills fall between them as well as into them. */
  async #rest() {
    if (!this.world.quiet) await sleep(this.random.between(0, REST * this.world.pace));
  }

  /** A job, an offer and its booking: the ids of booking and conversation. */
  async agree() {
    await this.deposit(NEEDED);
    const offer = await this.#send(this.contractor, await this.#post(), 100);
    return this.#accept(offer);
  }

  async #deal() {
    if (this.money.available < NEEDED) await this.deposit(NEEDED);
    const job = await this.#post();
    if (this.random.chance(REFUSALS)) await this.#refuseOffers(job);
    let offer = await this.#send(this.random.pick([this.customer, this.contractor]), job, this.random.pick(PRICES));
    await this.#rest();
    if (this.random.chance(COUNTER)) offer = await this.#counter(offer);
    if (this.random.chance(NO_DEAL)) return this.#part(offer);
    const { booking } = await this.#accept(offer);
    if (this.random.chance(REFUSALS)) await this.#refuseBooked(offer, booking);
    await this.#rest();
    if (this.random.chance(GIVEN_UP)) return this.#giveUp(offer, booking);
    await this.#step('bookingStart', booking, 'IN_PROGRESS');
    await this.#rest();
    await this.#step('bookingDeliver', booking, 'DELIVERED');
    await this.#rest();
    await this.#complete(offer, booking);
  }

  /** Brings dollars in. */
  async deposit(dollars) {
    const { payment } = await this.customer.once('depositCreate', { amount: usd(dollars) }, 'payment { id status }');
    this.#stands(payment, 'COMPLETED');
    this.money.available += dollars;
    this.deposited += dollars;
  }

  async #post() {
    const input = { title: 'Paint a wall', description: 'White.', budget: usd(100) };
    const { job } = await this.customer.once('jobPost', input, 'job { id status }');
    return this.#stands(job, 'OPEN');
  }

  async #send(maker, jobId, price) {
    const to = maker === this.customer && { contractorId: this.contractor.id };
    const { offer } = await maker.once('offerSend', { jobId, amount: usd(price), ...to }, 'offer { id status }');
    return this.#pending({ jobId, maker, price }, offer);
  }

  async #counter({ id, jobId, maker, price }) {
    const input = { offerId: id, amount: usd(this.random.pick(PRICES)) };
    const { offer } = await this.#other(maker).once('offerCounter', input, 'offer { id status }');
    this.#free({ id, maker, price }, 'DECLINED');
    return this.#pending({ jobId, maker: this.#other(maker), price: Number(input.amount.amount) }, offer);
  }

  #pending(terms, offer) {
    this.#stands(offer, 'PENDING');
    if (terms.maker === this.customer) this.#move('available', 'held', total(terms.price));
    return { ...terms, id: offer.id };
  }

  /** An offer ends without a booking. */
  async #part(offer) {
    const { id, jobId, maker } = offer;
    const way = this.random.pick(['offerDecline', 'offerWithdraw', 'jobCancel']);
    if (way === 'jobCancel') {
      const { job } = await this.customer.once(way, { jobId }, 'job { id status }');
      this.#stands(job, 'CANCELLED');
      return this.#free(offer, 'DECLINED');
    }
    const status = way === 'offerDecline' ? 'DECLINED' : 'WITHDRAWN';
    const who = way === 'offerDecline' ? this.#other(maker) : maker;
    const { offer: ended } = await who.once(way, { offerId: id }, 'offer { id status }');
    this.#stands(ended, status);
    this.#free(offer, status);
  }

  #free({ id, maker, price }, status) {
    this.objects.set(id, status);
    if (maker === this.customer) this.#move('held', 'available', total(price));
  }

  async #accept({ id, jobId, maker, price }) {
    const selection = 'offer { id status } booking { id status } conversation { id }';
    const payload = await this.#other(maker).once('offerAccept', { offerId: id }, selection);
    this.#stands(payload.offer, 'ACCEPTED');
    this.objects.set(jobId, 'ASSIGNED');
    const from = maker === this.customer ? 'held' : 'available';
    this.#move(from, 'escrow', price);
    this.money[from] -= fee(price);
    return { booking: this.#stands(payload.booking, 'CONFIRMED'), conversation: payload.conversation.id };
  }

  /** A step without a key: the second time it is refused, and whoever looks sees that it was done. */
  async #step(name, bookingId, status) {
    const { payload, tries } = await this.contractor.step(name, { bookingId }, 'booking { id status }');
    const codes = payload.userErrors.map(({ code }) => code);
    const wasDone = `${codes}` === 'CONFLICT';
    if (codes.length && !wasDone) throw new Error(`${this.contractor.name}: ${name}: ${codes}`);
    const query = 'query ($id: ID!) { node(id: $id) { ... on Booking { id status } } }';
    const booking = wasDone ? (await this.contractor.ask(query, { id: bookingId })).node : payload.booking;
    this.#stands(booking, status);
    this.world.did(name, tries, wasDone);
  }

  async #complete({ jobId, price }, bookingId) {
    const { booking } = await this.customer.once('bookingComplete', { bookingId }, 'booking { id status }');
    this.#stands(booking, 'COMPLETED');
    this.objects.set(jobId, 'COMPLETED');
    this.money.escrow -= price;
    this.money.earned += earned(price);
  }

  async #giveUp({ jobId, price }, bookingId) {
    const who = this.random.pick([this.customer, this.contractor]);
    const { booking } = await who.once('bookingCancel', { bookingId, reason: 'No time.' }, 'booking { id status }');
    this.#stands(booking, 'CANCELLED');
    this.objects.set(jobId, 'CANCELLED');
    this.#move('escrow', 'available', price);
    // Before the work begins the customer pays the fee for a change of mind; the contractor's costs it nothing.
    if (who === this.contractor) this.money.available += fee(price);
  }

  /** What nobody can pay, and what takes a key for something else. */
  async #refuseOffers(jobId) {
    const { customer, contractor } = this;
    const offer = { jobId, contractorId: contractor.id };
    await customer.refused('offerSend', { ...offer, amount: usd(FORTUNE) }, 'INSUFFICIENT_FUNDS');
    const used = this.random.pick([...customer.keys.keys()].filter((key) => key.startsWith('depositCreate ')));
    const [, idempotencyKey] = used.split(' ');
    await customer.refused('depositCreate', { amount: usd(FORTUNE), idempotencyKey }, 'IDEMPOTENCY_MISMATCH');
  }

  /** What is too late, and what is too early. */
  async #refuseBooked({ id, maker }, bookingId) {
    await this.#other(maker).refused('offerAccept', { offerId: id }, 'CONFLICT');
    await this.customer.refused('bookingComplete', { bookingId }, 'CONFLICT');
  }

  #other(person) {
    return person === this.customer ? this.contractor : this.customer;
  }

  #move(from, to, dollars) {
    this.money[from] -= dollars;
    this.money[to] += dollars;
  }

  /** Notes where something stands by its answer, which must be as it should be. */
  #stands({ id, status }, wanted) {
    if (status !== wanted) this.customer.wrong(`${id} is ${status} and should be ${wanted}`);
    this.objects.set(id, wanted);
    return id;
  }
}
