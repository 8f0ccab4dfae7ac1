// Chance that can be repeated: the same seed and name give the same numbers.

/** A source of chance of its own for each name, so that one more draw here changes nothing there. */
export class Random {
  #state;

  constructor(seed, name) {
    this.#state = [...`${seed}/${name}`].reduce((hash, char) => Math.imul(hash ^ char.codePointAt(0), 0x01000193), 0x811c9dc5);
  }

  /** At least 0, less than 1. A Weyl sequence through the finalizer of MurmurHash3. */
  next() {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  }

  /** A number of this range. */
  between(from, to) {
    return from + this.next() * (to - from);
  }

  /** Whether something happens that has this probability. */
  chance(probability) {
    return this.next() < probability;
  }

  /** One of them. */
  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  /** All of them in another order. */
  shuffled(list) {
    const rest = [...list];
    return list.map(() => rest.splice(Math.floor(this.next() * rest.length), 1)[0]);
  }
}
