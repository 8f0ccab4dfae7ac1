// One live operation of a person: what it brought, and everything that is wrong with it.

/** Names of items that speak of the stream and are no events. */
const isNotice = ({ __typename }) => __typename.startsWith('Stream');

export class Feed {
  /** Events that came for the first time, and those that came again. */
  count = 0;
  repeats = 0;
  /** How often it went on behind a cursor. */
  resumes = 0;
  /** The cursor of the last item. */
  cursor;
  /** The number of the last event: all of them up to this have come. */
  last = 0;
  /** When the present connection began to bring something; null while there is none. */
  liveSince = null;
  #numbers = new Map();

  /** `place`: the number of an event that counts 1, 2, 3 in this view; undefined where it has none. */
  constructor(name, { cursor, place, take = () => {}, wrong }) {
    Object.assign(this, { name, cursor, place, take });
    this.wrong = (what) => wrong(`${name}: ${what}`);
  }

  next({ data, errors }) {
    if (errors) this.wrong(`an item with errors: ${JSON.stringify(errors)}`);
    const item = data && Object.values(data)[0];
    if (!item) return;
    if (isNotice(item)) this.#notice(item);
    else this.#event(item);
    this.cursor = item.cursor ?? this.cursor;
  }

  #notice({ __typename, reason }) {
    if (__typename === 'StreamGap') this.wrong(`a gap, ${reason}`);
    if (__typename !== 'StreamResumed') return;
    this.resumes++;
    this.liveSince = Date.now();
  }

  #event(item) {
    const number = this.place(item);
    if (this.liveSince === null) this.wrong(`${item.__typename} before the operation was resumed`);
    if (this.#numbers.has(item.id)) {
      this.repeats++;
      if (this.#numbers.get(item.id) !== number) this.wrong(`event ${item.id} came with another number`);
      return;
    }
    this.#numbers.set(item.id, number);
    this.count++;
    if (number !== undefined) {
      if (number !== this.last + 1) this.wrong(`${item.__typename} ${number} behind ${this.last}`);
      this.last = Math.max(this.last, number);
    }
    this.take(item);
  }
}
