// What must hold when everybody has fallen silent: nothing missing, nothing twice, nothing in another order.

/** Messages of one page of history. */
const PAGE = 100;

/** How far the database has come: of each person the head of the stream, of each conversation the last number. */
export async function ends({ database, people }) {
  if (!database) return new Map(await Promise.all(people.map(async (person) => [person.login.email, await end(person)])));
  const { rows } = await database.query(
    `select u.email, s.head::int as head, c.last_number::int as last from participants p
     join users u on u.id = p.user_id join conversations c on c.id = p.conversation_id
     join streams s on s.name = 'user:' || replace(u.id::text, '-', '')`,
  );
  return new Map(rows.map(({ email, head, last }) => [email, { head, last }]));
}

/** The same by the API, which does not tell heads. */
async function end(person) {
  const query = 'query ($id: ID!) { conversation(id: $id) { lastMessage { number } } }';
  const { conversation } = await person.ask(query, { id: person.conversation });
  return { last: conversation.lastMessage?.number ?? 0 };
}

/** Whether a person has everything that there is. */
export function hasAll(person, all) {
  const { head, last } = all.get(person.login.email);
  return (head === undefined || person.stream.last === head) && person.talk.last === last;
}

/** What PostgreSQL says, without any code of the program: the keys of each person's messages, and what is unread. */
export async function tables({ database, wrong }) {
  if (!database) return null;
  const { rows: keys } = await database.query(
    `select u.email, array_agg(m.client_message_id order by m.number) as keys
     from messages m join users u on u.id = m.sender_id group by u.email`,
  );
  const { rows: unread } = await database.query(
    `select u.email, count(m.id)::int as unread from participants p join users u on u.id = p.user_id
     join messages m on m.conversation_id = p.conversation_id and m.sender_id <> p.user_id and m.number > p.read_number
     group by u.email`,
  );
  // Each message is one event in the stream of each of the two people, and streams count 1, 2, 3.
  const { rows: odd } = await database.query(
    `select m.id from messages m left join events e on e.object_id = m.id and e.kind = 'MessageCreated'
     group by m.id having count(distinct e.stream) <> 2 or count(*) <> 2`,
  );
  const { rows: holes } = await database.query(
    `select s.name from streams s join events e on e.stream = s.name
     group by s.name, s.head having count(*) <> s.head or max(e.seq) <> s.head`,
  );
  odd.forEach(({ id }) => wrong(`message ${id} is not one event in two streams`));
  holes.forEach(({ name }) => wrong(`the stream ${name} has holes`));
  return {
    keys: new Map(keys.map((row) => [row.email, row.keys])),
    unread: new Map(unread.map((row) => [row.email, row.unread])),
  };
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
    if (tables) {
      const keys = person.acknowledged.map(({ key }) => key);
      differences(keys, tables.keys.get(person.login.email) ?? []).forEach((it) => person.wrong(`${it} in the table`));
    }
    for (const [what, number] of await unread(person, tables)) {
      const wanted = person.got.filter((message) => message.number > person.readUpTo).length;
      if (number !== wanted) person.wrong(`${number} unread by ${what}, and ${wanted} by what came`);
    }
  }
}

/** Each dollar whose deposit was acknowledged is there, once. */
export async function checkMoney([customer]) {
  const dollars = await available(customer);
  if (dollars !== customer.before + customer.deposited) {
    customer.wrong(`${dollars} dollars are there: ${customer.before} and ${customer.deposited} deposits of one`);
  }
}

/** What a customer can spend, in dollars. */
export async function available(customer) {
  const { viewer } = await customer.ask('{ viewer { wallet { available { amount } } } }');
  return Number(viewer.wallet.available.amount);
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
    ...(tables ? [['the tables', tables.unread.get(person.login.email) ?? 0]] : []),
  ];
}
