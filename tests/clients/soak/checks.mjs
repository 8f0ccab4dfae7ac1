// What must hold when everybody has fallen silent: nothing missing, nothing twice, nothing in another order.

import { hexOf } from './database.mjs';

/** Messages of one page of history. */
const PAGE = 100;

/** How far the database has come: of each person the head of the stream, and the last number of the talk. */
export async function ends({ database, people }) {
  const rows = await database.rows(
    `select u.email, s.head, c.last_number as last, ${database.hex('c.id')} as conversation from participants p
     join users u on u.id = p.user_id join conversations c on c.id = p.conversation_id
     join streams s on s.name = 'user:' || ${database.hex('u.id')}`,
  );
  // Each deal has a conversation of its own; they talk in that of the first.
  const talks = new Map(people.map((person) => [person.login.email, hexOf(person.conversation)]));
  const those = rows.filter(({ email, conversation }) => talks.get(email) === conversation);
  return new Map(those.map(({ email, head, last }) => [email, { head: Number(head), last: Number(last) }]));
}

/** Whether a person has everything that there is. */
export function hasAll(person, all) {
  const { head, last } = all.get(person.login.email);
  return person.stream.last === head && person.talk.last === last;
}

/** What the tables say, without any code of the program: the keys of each person's messages, and what is unread. */
export async function tables({ database, wrong }) {
  const sent = await database.rows(
    'select u.email, m.client_message_id as key from messages m join users u on u.id = m.sender_id order by m.number',
  );
  const unread = await database.rows(
    `select u.email, count(m.id) as unread from participants p join users u on u.id = p.user_id
     join messages m on m.conversation_id = p.conversation_id and m.sender_id <> p.user_id and m.number > p.read_number
     group by u.email`,
  );
  // Each message is one event in the stream of each of the two people, and streams count 1, 2, 3.
  const odd = await database.rows(
    `select ${database.hex('m.id')} as id from messages m
     left join events e on e.object_id = m.id and e.kind = 'MessageCreated'
     group by m.id having count(distinct e.stream) <> 2 or count(*) <> 2`,
  );
  const holes = await database.rows(
    `select s.name from streams s join events e on e.stream = s.name
     group by s.name, s.head having count(*) <> s.head or max(e.seq) <> s.head`,
  );
  odd.forEach(({ id }) => wrong(`message ${id} is not one event in two streams`));
  holes.forEach(({ name }) => wrong(`the stream ${name} has holes`));
  const keys = new Map();
  for (const { email, key } of sent) keys.set(email, [...(keys.get(email) ?? []), key]);
  return { keys, unread: new Map(unread.map((row) => [row.email, Number(row.unread)])) };
}

/** Compares both people of a pair with each other, with the history and with the tables. */
export async function checkPair(pair, tables) {
  const history = await read(pair[0]);
  const numbers = history.map(({ number }) => number);
  if (numbers.some((number, at) => number !== at + 1)) pair[0].wrong(`the history counts ${numbers}`);
  for (const [person, other] of [pair, [...pair].reverse()]) {
    const said = person.acknowledged.map(({ id }) => id);
    const kept = history.filter(({ sender }) => sender.id === person.id).map(({ id }) => id);
    // In the order in which they were acknowledged, each once.
    const same = (what, ids) => differences(said, ids).forEach((it) => person.wrong(`${it} in ${what}`));
    same('the history', kept);
    same('what the other got', other.got.map(({ id }) => id));
    same('the own echo', person.own.map(({ id }) => id));
    const keys = person.acknowledged.map(({ key }) => key);
    differences(keys, tables.keys.get(person.login.email) ?? []).forEach((it) => person.wrong(`${it} in the table`));
    for (const [what, number] of await unread(person, tables)) {
      const wanted = person.got.filter((message) => message.number > person.readUpTo).length;
      if (number !== wanted) person.wrong(`${number} unread by ${what}, and ${wanted} by what came`);
    }
  }
}

/** Where two lists part, in words. */
export function differences(wanted, found) {
  if (wanted.length === found.length && wanted.every((id, at) => id === found[at])) return [];
  const count = (list, id) => list.filter((other) => other === id).length;
  const missing = wanted.filter((id) => !found.includes(id)).map((id) => `${id} was acknowledged and is missing`);
  const foreign = found.filter((id) => !wanted.includes(id)).map((id) => `${id} was never acknowledged and is`);
  const doubled = found.filter((id, at) => found.indexOf(id) === at && count(found, id) > 1).map((id) => `${id} is twice`);
  const all = [...missing, ...foreign, ...doubled];
  return all.length ? all : ['another order'];
}

/** The whole history, page by page. */
async function read(person) {
  const query = `query ($id: ID!, $after: String) { conversation(id: $id) { messages(first: ${PAGE}, after: $after) {
    nodes { id number sender { id } } pageInfo { endCursor hasNextPage } } } }`;
  const history = [];
  for (let after = null; ; ) {
    const { conversation } = await person.ask(query, { id: person.conversation, after });
    history.push(...conversation.messages.nodes);
    if (!conversation.messages.pageInfo.hasNextPage) return history;
    after = conversation.messages.pageInfo.endCursor;
  }
}

/** The unread messages, as the API counts them and as the table has them. */
async function unread(person, tables) {
  const query = 'query ($id: ID!) { conversation(id: $id) { unreadCount } viewer { unreadMessageCount } }';
  const { conversation, viewer } = await person.ask(query, { id: person.conversation });
  return [
    ['the conversation', conversation.unreadCount],
    ['the viewer', viewer.unreadMessageCount],
    ['the tables', tables.unread.get(person.login.email) ?? 0],
  ];
}
